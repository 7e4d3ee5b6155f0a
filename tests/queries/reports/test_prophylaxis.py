"""Antivirals of courses by the reckoning of the schedule."""

from datetime import date, timedelta

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Prophylaxis
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_course, add_lab, add_patient

NAME = "prophylaxis"
FIRST, LAST = date(2025, 1, 27), date(2025, 1, 31)


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def treat(scope, started=FIRST, stopped=None, *, patient=None, first=FIRST, number=1, **values):
    patient = patient or add_patient(scope)
    add_course(scope, patient, first, days=5 if number == 1 else 3, number=number)
    if started:
        take(scope, patient, started, stopped, **values)
    return patient


def take(scope, patient, started, stopped=None, **values):
    db.session.add(
        Prophylaxis(
            clinic_id=scope.clinic_id,
            patient_id=patient.id,
            drug="Acyclovir",
            started_on=started,
            stopped_on=stopped,
            stop_reason="Rash" if stopped else None,
            recorded_at=scope.now,
            **values,
        )
    )
    db.session.flush()


def count(scope, patient, on, value, **values):
    add_lab(scope, patient, "cd4", on, value=value, **values)
    db.session.flush()


def listed(scope, **values):
    """The report since before the first of the courses."""
    return asked(scope, NAME, **{"from_": "2024-12-01", **values})


def told(line):
    return line["finding"], line["days_late"], line["stopped_on"], line["earliest_on"], line["days_early"], line["cd4"]


def test_stopped_before_the_count_was_high_enough(scope):
    patient = treat(scope, stopped=date(2025, 4, 25))
    for on, value in ((date(2025, 3, 31), 60), (date(2025, 4, 20), 90), (date(2025, 5, 10), 230)):
        count(scope, patient, on, value)
    count(scope, patient, date(2025, 4, 24), 500, result_status="preliminary")
    count(scope, patient, date(2025, 1, 10), 700)  # before the infusions: says nothing about them
    (line,) = listed(scope)
    assert told(line) == ("stopped_early", 0, date(2025, 4, 25), date(2025, 5, 10), 15, 90)
    assert (line["cd4_on"], line["reason"], line["drug"]) == (date(2025, 4, 20), "Rash", "Acyclovir")
    assert (line["first_on"], line["last_on"], line["started_on"]) == (FIRST, LAST, FIRST)
    before = listed(scope, as_of="2025-04-30")
    assert told(before[0]) == ("stopped_early", 0, date(2025, 4, 25), None, None, 90)
    assert listed(scope, as_of="2025-04-24") == []


def test_two_months_are_counted_to_the_end_of_a_shorter_month(scope):
    early, in_time = (
        treat(scope, first=date(2024, 12, 27), started=date(2024, 12, 27), stopped=stopped)  # ended on 31-Dec
        for stopped in (date(2025, 2, 27), date(2025, 2, 28))
    )
    for patient in (early, in_time):
        count(scope, patient, date(2025, 2, 1), 250)
    found = listed(scope, show="all")
    assert {line["patient_id"]: told(line)[0] for line in found} == {early.id: "stopped_early", in_time.id: "in_order"}
    assert told(found[0])[3:5] == (date(2025, 2, 28), 1)


def test_never_started_and_started_late(scope):
    never, late = treat(scope, None), treat(scope, FIRST + timedelta(days=3))
    wrong = treat(scope, FIRST, state="entered_in_error", withdrawn_at=scope.now)
    found = {line["patient_id"]: told(line)[:2] for line in listed(scope)}
    assert found == {never.id: ("not_started", None), late.id: ("started_late", 3), wrong.id: ("not_started", None)}


def test_a_next_course_begins_anew(scope):
    patient = treat(scope)  # still taken when the second course begins
    treat(scope, None, patient=patient, first=date(2026, 1, 5), number=2)
    other = treat(scope, stopped=date(2025, 6, 1))
    count(scope, other, date(2025, 5, 1), 300)
    treat(scope, date(2026, 1, 5), date(2026, 1, 15), patient=other, first=date(2026, 1, 5), number=2)
    found = listed(scope, show="all")
    assert [(line["patient_id"], line["course"], line["finding"]) for line in found] == [
        (patient.id, 1, "in_order"),
        (other.id, 1, "in_order"),
        (patient.id, 2, "in_order"),
        (other.id, 2, "stopped_early"),
    ]
    assert found[3]["cd4"] is None
    assert found[3]["earliest_on"] is None


def test_the_eu_asks_for_a_month_and_no_count(scope):
    patient = add_patient(scope, protocol_id="lemtrada-eu")
    treat(scope, stopped=date(2025, 2, 28), patient=patient)
    assert [line["finding"] for line in listed(scope, show="all")] == ["in_order"]


def test_another_clinic_another_period_and_a_prescriber(scope, cast, scope_for):
    stranger = scope_for(cast.stranger)
    treat(stranger, None)
    mine = treat(scope, None, patient=add_patient(scope, prescriber_id=cast.prescriber.id))
    treat(scope, None)
    assert len(listed(scope)) == 2
    assert [line["patient_id"] for line in listed(scope, prescriber=cast.prescriber.public_id)] == [mine.id]
    assert listed(scope, from_="2025-01-28") == []
    assert listed(scope, as_of="2025-01-26") == []
    assert len(listed(stranger)) == 1
