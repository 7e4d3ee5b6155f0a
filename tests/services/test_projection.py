"""The stored schedules: written as a difference, checked against the facts, rebuilt."""

import json
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Obligation, PatientSchedule, Standing
from clinic_tracker.services import projection
from clinic_tracker.services.histories import import_history
from clinic_tracker.services.schedules import rebuild_schedule
from clinic_tracker.services.unit_of_work import unit_of_work
from tests.strategies import random_history

IDENTITY = {"family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"}


@pytest.fixture
def scope(scope_for, cast):
    """The scope of the administrator."""
    return scope_for(cast.administrator)


@pytest.fixture
def patients(scope):
    """Keys of some imported patients."""
    for seed in range(6):
        value = {**random_history(seed, date(2026, 1, 20)), "identity": {**IDENTITY, "mrn": f"M{seed}"}}
        import_history(scope, read_imported(value))
    return list(db.session.scalars(db.select(Patient.id)))


def test_projecting_twice_writes_nothing(scope, patients):
    with unit_of_work(scope):
        assert projection.reproject(scope, patients) == 0


def test_stored_rows_do_not_depend_on_the_day(scope_for, cast, patients, clock):
    clock.forward(days=400)

    assert projection.check(scope_for(cast.administrator)) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda: db.session.execute(
            db.update(Standing)
            .where(Standing.next_due_on.is_not(None))
            .values(next_due_on=Standing.__table__.c.opens_on)
        ),
        lambda: db.session.execute(db.delete(Obligation).where(Obligation.requirement == "tsh")),
        lambda: db.session.execute(db.update(PatientSchedule).values(monitoring_ends_on=date(2026, 1, 1))),
    ],
    ids=["a due date moved", "obligations gone", "the end moved"],
)
def test_any_drift_is_found_told_without_names_and_repaired(scope, patients, runner, damage):
    damage()
    db.session.commit()

    found = runner.invoke(args=["schedule", "check"])
    assert found.exit_code == 1
    assert "northside" in found.stdout
    assert not any(name in found.stdout for name in ("Test", "Tina", "M0"))
    told = json.loads(runner.invoke(args=["schedule", "check", "--format", "json"]).stdout)
    assert len(told) == len(projection.check(scope)) > 0

    assert rebuild_schedule(scope) > 0
    assert runner.invoke(args=["schedule", "check"]).exit_code == 0
    assert rebuild_schedule(scope) == 0


def test_a_failed_use_case_leaves_everything_as_it_was(scope, patients):
    before = db.session.scalar(db.select(db.func.count()).select_from(Obligation))

    def failing_use_case():
        with unit_of_work(scope) as work:
            work.lock_patient(patients[0]).family_name = "Changed"
            db.session.execute(db.delete(Obligation))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing_use_case()

    assert db.session.scalar(db.select(Patient.family_name).where(Patient.id == patients[0])) == "Test"
    assert db.session.scalar(db.select(db.func.count()).select_from(Obligation)) == before


def test_a_unit_of_work_needs_an_actor_and_does_not_nest(scope, scope_for, cast):
    with pytest.raises(RuntimeError), unit_of_work(scope_for(cast.staff, user_id=None)):
        pass
    with unit_of_work(scope), pytest.raises(RuntimeError), unit_of_work(scope):
        pass


def test_the_worst_date_of_a_patient_is_the_earliest_owed(scope, patients):
    for patient in patients:
        owed = list(db.session.scalars(db.select(Standing.next_due_on).where(Standing.patient_id == patient)))
        earliest = db.session.scalar(
            db.select(PatientSchedule.earliest_due_on).where(PatientSchedule.patient_id == patient)
        )
        assert earliest == min((due for due in owed if due), default=None)
        assert earliest is None or earliest > date(2026, 1, 22) - timedelta(days=365 * 12)
