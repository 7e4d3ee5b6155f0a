"""Readiness from what is on file: of one course, and of many in as many statements as of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.readiness import State
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Vaccination
from clinic_tracker.models.treatment import DrugCheck, Prophylaxis, TreatmentCourse
from clinic_tracker.queries.readiness import course_blockers, readiness_of, readiness_of_many
from clinic_tracker.services.clinics import change_setting
from tests.treated import Treated, add_patient

TODAY = date(2026, 1, 22)


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    return add_patient(cast, scope_for)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_others):
        seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(db.engine, "before_cursor_execute", note)


def key_of(treated: Treated) -> int:
    return db.session.execute(
        sa.select(TreatmentCourse.id).where(TreatmentCourse.public_id == treated.course)
    ).scalar_one()


def of(treated: Treated, on: date = TODAY):
    return readiness_of(treated.scope, treated.patient_id, "lemtrada-us", key_of(treated), on)


def test_a_course_with_everything_on_file_is_ready(treated):
    treated.make_ready()
    found = of(treated)
    assert (found.summary, found.day_number, found.start_on) == ("Ready", 1, TODAY)
    assert found.item("authorization").evidence_on == TODAY
    assert found.item("tsh").expires_on == TODAY + timedelta(days=18)


def test_what_is_recorded_for_the_day_is_met_and_what_belongs_to_another_day_is_not(treated, clock):
    treated.make_ready()
    treated.prepare()
    assert {of(treated).item(code).state for code in ("steroid", "vital_signs")} == {State.MET}
    clock.set("2026-01-23 10:30")
    assert {of(treated, TODAY + timedelta(days=1)).item(code).state for code in ("steroid", "vital_signs")} == {
        State.TO_CONFIRM
    }


def test_a_day_under_way_shows_its_answers(treated):
    treated.make_ready()
    treated.prepare()
    treated.start()
    found = of(treated)
    assert found.item("infection").state is found.item("equipment").state is State.MET
    assert found.is_ready


def test_an_antihistamine_is_no_steroid_and_a_withdrawn_one_does_not_count(treated):
    treated.make_ready()
    treated.prepare()
    db.session.execute(
        sa.text("update premedication set kind = :kind"), {"kind": PremedicationKind.ANTIHISTAMINE.value}
    )
    db.session.commit()
    assert of(treated).item("steroid").state is State.TO_CONFIRM


def test_the_checks_of_the_drug_are_counted_by_person(treated, cast, scope_for):
    administrator = scope_for(cast.administrator)
    change_setting(administrator, name="drug_check_people", value=2, effective_from=TODAY, reason="Wanted")
    treated.make_ready()
    scope, values = treated.scope, {"dose_mg": 12.0, "lot_number": "A1234", "lot_expires_on": date(2027, 6, 30)}
    people = [cast.staff.user_id, cast.staff.user_id, cast.neurologist.user_id]
    states = []
    for person in people:
        db.session.add(
            DrugCheck(
                clinic_id=scope.clinic_id,
                course_id=key_of(treated),
                for_on=TODAY,
                checked_at=scope.now,
                checked_by_id=person,
                recorded_at=scope.now,
                **values,
            )
        )
        db.session.commit()
        states.append(of(treated).item("drug_check").state)
    assert states == [State.TO_CONFIRM, State.TO_CONFIRM, State.MET]


def test_vaccines_and_the_antiviral_are_read(treated):
    treated.make_ready()
    scope = treated.scope
    common = {"clinic_id": scope.clinic_id, "patient_id": treated.patient_id, "recorded_at": scope.now}
    db.session.add(Vaccination(vaccine="influenza", given_on=TODAY - timedelta(days=3), **common))
    db.session.add(Prophylaxis(drug="aciclovir", started_on=TODAY, course_id=key_of(treated), **common))
    db.session.commit()
    found = of(treated)
    assert found.item("vaccines").state is State.TOO_SOON
    assert found.item("antiviral").state is State.MET


def test_the_course_of_another_patient_or_clinic_is_not_found(treated, cast, scope_for):
    treated.make_ready()
    other = add_patient(cast, scope_for)
    with pytest.raises(NotFound):
        readiness_of(treated.scope, other.patient_id, "lemtrada-us", key_of(treated), TODAY)
    with pytest.raises(NotFound):
        readiness_of(scope_for(cast.stranger), treated.patient_id, "lemtrada-us", key_of(treated), TODAY)
    assert readiness_of_many(scope_for(cast.stranger), [(key_of(treated), TODAY)]) == {}


def test_blockers_are_those_of_the_list(treated):
    treated.plan()
    found = course_blockers(treated.scope, treated.patient_id, "lemtrada-us", key_of(treated), TODAY)
    assert found == of(treated).blockers
    assert [one.breach for one in found] == ["not_authorized", "not_verified"]


def test_many_courses_take_as_many_statements_as_one(cast, scope_for):
    everybody = [add_patient(cast, scope_for) for _ in range(12)]
    for number, one in enumerate(everybody):
        one.make_ready() if number % 2 else one.plan()
    keys = [key_of(one) for one in everybody]
    scope = scope_for(cast.staff)
    with counted_statements() as few:
        readiness_of_many(scope, [(keys[0], TODAY)])
    week = [(key, TODAY + timedelta(days=day)) for key in keys for day in range(5)]
    with counted_statements() as many:
        found = readiness_of_many(scope, week)
    assert len(many) == len(few) <= 13
    assert set(found) == set(week)
    assert [found[key, TODAY].is_ready for key in keys] == [bool(number % 2) for number in range(12)]
    assert found[keys[1], TODAY + timedelta(days=4)].day_number == 5


def test_nothing_asked_is_nothing_answered(treated):
    assert readiness_of_many(treated.scope, []) == {}
