"""However many patients a clinic has, a list asks the database a fixed number of times."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import event

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, InfusionReaction, Prophylaxis
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_course, add_infusion, add_lab, add_patient, project

MOST = 20
NAMES = (
    "access", "adverse-events", "baseline", "deviations", "forms", "gaps", "lost", "observation", "prophylaxis",
    "reviews", "safety", "workload",
)  # fmt: skip


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


@contextmanager
def counted():
    """How many statements run inside."""
    found = [0]

    def count(*_arguments):
        found[0] += 1

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", count)


def somebody(scope):
    """A patient who gives every list a line."""
    patient = add_patient(scope)
    course = add_course(scope, patient, None)
    infusion = add_infusion(scope, patient, course, date(2025, 6, 2), 1, discharged_at=None)
    db.session.flush()
    part = {"clinic_id": scope.clinic_id, "infusion_id": infusion.id, "recorded_at": scope.now}
    about = {"clinic_id": scope.clinic_id, "patient_id": patient.id, "recorded_at": scope.now}
    db.session.add_all(
        [
            InfusionReaction(**part, onset_at=infusion.started_at, grade="severe", signs="Rash", is_serious=True),
            Deviation(**part, patient_id=patient.id, code="x", message="X", reason="Y", occurred_on=date(2025, 6, 2)),
            Prophylaxis(**about, drug="Acyclovir", started_on=date(2025, 6, 9)),
            AccessEvent(clinic_id=scope.clinic_id, at=scope.now, endpoint="patients.chart", system_actor="test",
                        patient_id=patient.id),
        ]
    )  # fmt: skip
    add_lab(scope, patient, "cbc_diff", date(2025, 7, 2)).recorded_at = scope.now - timedelta(days=90)


def test_the_number_of_statements_does_not_grow_with_the_patients(scope):
    figures = []
    for more in (2, 10):
        for _ in range(more):
            somebody(scope)
        project(scope)
        counts = {}
        for name in NAMES:
            with counted() as statements:
                lines = asked(scope, name)
            counts[name] = statements[0]
            assert len(lines) >= more, name
        figures.append(counts)
    assert figures[0] == figures[1]
    assert max(figures[0].values()) <= MOST, figures[0]
