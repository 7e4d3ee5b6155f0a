"""Departures of a period, one by one and counted."""

from collections import Counter
from datetime import date, timedelta

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_course, add_patient

DAY = timedelta(days=1)
LEAP_DAY = date(2024, 2, 29)


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def depart(scope, patient, on, requirement="R-48", code="early_discharge", **values):
    db.session.add(
        Deviation(
            clinic_id=scope.clinic_id,
            patient_id=patient.id,
            occurred_on=on,
            requirement=requirement,
            code=code,
            message=f"Departed on {on}.",
            reason="Bus at four",
            **{"recorded_by_id": scope.user_id, "recorded_at": scope.now, **values},
        )
    )


def test_each_is_listed_with_its_reason_by_date(scope):
    patient = add_patient(scope, family_name="Okafor", given_name="Ada", mrn="M-1")
    course = add_course(scope, patient, date(2025, 12, 1))
    depart(scope, patient, date(2025, 12, 2), course_id=course.id)
    depart(scope, patient, date(2025, 12, 1), None, "no_vitals_before", recorded_by_id=None)
    db.session.commit()
    first, second = asked(scope, "deviations")
    assert (first["on"], first["requirement"], first["rule"]) == (date(2025, 12, 1), None, "no_vitals_before")
    assert first["recorded_by"] is None
    assert second == {
        "mrn": "M-1",
        "patient": "Okafor, Ada",
        "prescriber": None,
        "on": date(2025, 12, 2),
        "course": 1,
        "day": None,
        "requirement": "R-48",
        "rule": "early_discharge",
        "what": "Departed on 2025-12-02.",
        "reason": "Bus at four",
        "recorded_by": "Ana Dow",
        "recorded_at": scope.now,
        "patient_id": patient.id,
    }


def test_the_period_holds_its_first_and_its_last_day(scope):
    patient = add_patient(scope)
    for on in (LEAP_DAY - DAY, LEAP_DAY, date(2024, 3, 31), date(2024, 4, 1)):
        depart(scope, patient, on)
    db.session.commit()
    found = asked(scope, "deviations", from_=LEAP_DAY, to="2024-03-31")
    assert [line["on"] for line in found] == [LEAP_DAY, date(2024, 3, 31)]


def test_counts_are_those_of_the_list(scope):
    patient = add_patient(scope)
    rules = [("R-48", "early_discharge"), ("R-43", "no_steroid"), ("R-48", "early_discharge"), (None, "other")]
    for rule in rules:
        depart(scope, patient, scope.today, *rule)
    db.session.commit()
    counts = asked(scope, "deviations", group="requirement")
    assert [(line["requirement"], line["rule"], line["deviations"]) for line in counts] == [
        (None, "other", 1),
        ("R-43", "no_steroid", 1),
        ("R-48", "early_discharge", 2),
    ]
    listed = Counter((line["requirement"], line["rule"]) for line in asked(scope, "deviations"))
    assert listed == {(line["requirement"], line["rule"]): line["deviations"] for line in counts}


def test_one_that_no_longer_stands_is_on_record_of_an_earlier_instant_only(scope):
    patient = add_patient(scope)
    depart(scope, patient, scope.today, recorded_at=scope.now - 3 * DAY, withdrawn_at=scope.now - DAY)
    db.session.commit()
    assert asked(scope, "deviations") == []
    for days, count in ((4, 0), (3, 1), (2, 1), (1, 0)):
        assert len(asked(scope, "deviations", known_at=(scope.now - days * DAY).isoformat())) == count


def test_of_one_prescriber_and_of_one_patient(scope, cast):
    mine, other = add_patient(scope, prescriber_id=cast.prescriber.id), add_patient(scope)
    for patient in (mine, other):
        depart(scope, patient, scope.today)
    db.session.commit()
    of_prescriber = asked(scope, "deviations", prescriber=cast.prescriber.public_id)
    assert [(line["patient_id"], line["prescriber"]) for line in of_prescriber] == [(mine.id, cast.prescriber.name)]
    assert [line["patient_id"] for line in asked(scope, "deviations", patient=other.public_id)] == [other.id]


def test_another_clinic_and_an_empty_one_have_none(scope, cast, scope_for):
    depart(scope, add_patient(scope), scope.today)
    db.session.commit()
    for group in ("lines", "requirement"):
        assert len(asked(scope, "deviations", group=group)) == 1
        assert asked(scope_for(cast.stranger), "deviations", group=group) == []
