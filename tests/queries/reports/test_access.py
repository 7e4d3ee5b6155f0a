"""Looks and exports of a period, by person and by patient."""

from datetime import timedelta

import pytest

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.access import User
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_patient

NAME = "access"


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.auditor)


def look(scope, *, minutes=0, page="patients.chart", **values):
    row = AccessEvent(
        clinic_id=scope.clinic_id,
        at=scope.now - timedelta(minutes=minutes),
        endpoint=page,
        ip="127.0.0.1",
        **{"user_id": scope.user_id, **values},
    )
    db.session.add(row)


def export(scope, *, minutes=0, name="worklist", **values):
    row = AuditEvent(
        clinic_id=scope.clinic_id,
        at=scope.now - timedelta(minutes=minutes),
        user_id=scope.user_id,
        action="data.exported",
        subject_type="clinic",
        after={"export": name},
        **values,
    )
    db.session.add(row)


def test_looks_and_exports_come_in_the_order_of_time(scope):
    patient = add_patient(scope, family_name="Okafor", given_name="Ada", mrn="M-1")
    look(scope, minutes=3, patient_id=patient.id)
    look(scope, minutes=1, page="worklists.index", patient_ids=[patient.id, 900])
    export(scope, minutes=1)
    export(scope, minutes=2, name="infusion checklist", patient_id=patient.id)
    look(scope, minutes=4, page="labs.review", user_id=None, system_actor="worker", patient_ids=[])
    db.session.commit()
    found = asked(scope, NAME)
    assert [(line["kind"], line["page"], line["patients"], line["mrn"]) for line in found] == [
        ("list", "labs.review", None, None),
        ("chart", "patients.chart", None, "M-1"),
        ("export", "infusion checklist", None, "M-1"),
        ("list", "worklists.index", 2, None),
        ("export", "worklist", None, None),
    ]
    assert [line["person"] for line in found] == ["worker", *["Eli Voss"] * 4]
    assert (found[1]["patient"], found[1]["ip"], found[1]["at"]) == (
        "Okafor, Ada",
        "127.0.0.1",
        scope.now - timedelta(minutes=3),
    )
    assert [line["page"] for line in asked(scope, NAME, show="charts")] == ["patients.chart"]
    assert [line["page"] for line in asked(scope, NAME, show="lists")] == ["labs.review", "worklists.index"]
    assert [line["page"] for line in asked(scope, NAME, show="exports")] == ["infusion checklist", "worklist"]


def test_by_patient_lists_and_merged_charts_are_found(scope):
    patient, merged, other = (add_patient(scope) for _ in range(3))
    merged.merged_into_id = patient.id
    db.session.flush()
    look(scope, minutes=5, patient_id=patient.id)
    look(scope, minutes=4, patient_id=merged.id)
    look(scope, minutes=3, patient_id=other.id)
    look(scope, minutes=2, page="worklists.index", patient_ids=[other.id, patient.id])
    look(scope, minutes=1, page="home.index", patient_ids=[other.id])
    export(scope, name="wallet card", patient_id=other.id)
    db.session.commit()
    found = asked(scope, NAME, patient=patient.public_id)
    assert [(line["page"], line["mrn"]) for line in found] == [
        ("patients.chart", patient.mrn),
        ("patients.chart", merged.mrn),
        ("worklists.index", None),
    ]


def test_by_person(scope, cast):
    look(scope, page="patients.chart", patient_id=add_patient(scope).id, user_id=cast.staff.user_id)
    look(scope, page="home.index", patient_ids=[1])
    export(scope)
    db.session.commit()
    person = db.session.get_one(User, scope.user_id)
    found = asked(scope, NAME, person=person.public_id)
    assert [line["page"] for line in found] == ["home.index", "worklist"]


def test_the_day_is_that_of_the_clinic(scope):
    midnight = scope.now.replace(hour=5, minute=0)  # in New York
    for before in (0, 1):
        db.session.add(
            AccessEvent(
                clinic_id=scope.clinic_id,
                at=midnight - timedelta(seconds=before),
                endpoint=f"page{before}",
                user_id=scope.user_id,
            )
        )
    db.session.commit()
    assert [line["page"] for line in asked(scope, NAME, from_=scope.today, to=scope.today)] == ["page0"]


def test_other_clinics_have_their_own_log(scope, cast, scope_for):
    look(scope, patient_id=add_patient(scope).id)
    export(scope)
    db.session.commit()
    assert asked(scope_for(cast.stranger), NAME) == []


def test_it_is_for_those_who_may_see_the_audit_trail(scope):
    assert Permission.VIEW_AUDIT in REPORTS[NAME].definition.permissions
