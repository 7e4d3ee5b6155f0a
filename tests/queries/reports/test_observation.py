"""Infusions with their observation: the minutes that really passed, worked out by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, InfusionPause, VitalSigns
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_course, add_infusion, add_patient

TODAY = date(2026, 1, 22)
ON = date(2025, 12, 31)


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def infuse(scope, on=TODAY, *, patient=None, number=1, start, end, left, **values):
    """An infusion with its times on the clock of the clinic, with offset."""
    patient = patient or add_patient(scope)
    course = add_course(scope, patient, None, number=number)
    times = {"started_at": utc(start), "ended_at": end and utc(end), "discharged_at": left and utc(left)}
    row = add_infusion(scope, patient, course, on, 1, **times, **values)
    db.session.flush()
    return row


def part(scope, infusion, **values):
    return {"clinic_id": scope.clinic_id, "infusion_id": infusion.id, "recorded_at": scope.now, **values}


def test_minutes_are_those_between_the_end_and_the_discharge(scope):
    infuse(
        scope,
        start="2026-01-22T08:00:00-05:00",
        end="2026-01-22T12:10:30-05:00",
        left="2026-01-22T14:10:29-05:00",
        early_discharge_reason="Bus at two",
        stroke_advice_given=True,
        nurse_name="Nia",
    )
    (line,) = asked(scope, "observation")
    assert (line["ran"], line["paused"], line["observed"], line["required"]) == (250, 0, 119, 120)
    assert (line["outcome"], line["reason"], line["stroke_advice"]) == ("cut_short", "Bus at two", True)
    assert (line["course"], line["day"], line["on"], line["nurse"], line["via"]) == (1, 1, TODAY, "Nia", "screen")
    assert line["started_at"] == utc("2026-01-22T13:00+00:00")


@pytest.mark.parametrize(
    "on, end, left, minutes, outcome",
    [
        (date(2025, 3, 8), "2025-03-09T01:30-05:00", "2025-03-09T03:30-04:00", 60, "cut_short"),  # clocks go forward
        (date(2025, 3, 8), "2025-03-09T01:30-05:00", "2025-03-09T04:30-04:00", 120, "complete"),
        (date(2025, 11, 1), "2025-11-02T00:30-04:00", "2025-11-02T01:30-05:00", 120, "complete"),  # and back
        (date(2025, 11, 1), "2025-11-02T00:30-04:00", "2025-11-02T02:00-05:00", 150, "complete"),
    ],
)
def test_on_a_night_of_changing_clocks_the_minutes_are_real(scope, on, end, left, minutes, outcome):
    infuse(scope, on, start=f"{on}T20:00-04:00", end=end, left=left)
    (line,) = asked(scope, "observation", from_=on, to=on)
    assert (line["observed"], line["outcome"], line["on"]) == (minutes, outcome, on)


def test_pauses_are_taken_off_the_running_of_the_drug_not_off_the_observation(scope):
    row = infuse(scope, start="2026-01-22T08:00-05:00", end="2026-01-22T13:00-05:00", left="2026-01-22T15:00-05:00")
    for paused, resumed, withdrawn in (("09:00", "09:20", None), ("10:00", "10:15", None), ("11:00", "12:00", TODAY)):
        db.session.add(
            InfusionPause(
                **part(scope, row),
                paused_at=utc(f"2026-01-22T{paused}-05:00"),
                resumed_at=utc(f"2026-01-22T{resumed}-05:00"),
                withdrawn_at=scope.now if withdrawn else None,
            )
        )
    db.session.commit()
    (line,) = asked(scope, "observation")
    assert (line["ran"], line["paused"], line["observed"], line["outcome"]) == (265, 35, 120, "complete")


def test_what_is_not_recorded_is_not_complete(scope):
    infuse(scope, start="2026-01-22T08:00-05:00", end=None, left=None)
    infuse(scope, start="2026-01-22T08:01-05:00", end="2026-01-22T12:00-05:00", left=None)
    infuse(scope, start="2026-01-22T08:02-05:00", end="2026-01-22T12:00-05:00", left="2026-01-22T14:00-05:00")
    found = asked(scope, "observation")
    assert [line["outcome"] for line in found] == ["not_recorded", "not_recorded", "complete"]
    assert [(line["ran"], line["observed"]) for line in found] == [(None, None), (239, None), (238, 120)]
    assert asked(scope, "observation", show="not_complete") == found[:2]
    assert asked(scope, "observation", show="not_recorded") == found[:2]
    assert asked(scope, "observation", show="complete") == found[2:]
    assert asked(scope, "observation", show="cut_short") == []


def test_an_extended_observation_is_what_is_required(scope):
    infuse(
        scope,
        start="2026-01-22T08:00-05:00",
        end="2026-01-22T12:00-05:00",
        left="2026-01-22T14:30-05:00",
        observation_minutes=180,
    )
    (line,) = asked(scope, "observation")
    assert (line["observed"], line["required"], line["outcome"]) == (150, 180, "cut_short")


def test_parts_are_counted_unless_they_were_withdrawn(scope):
    row = infuse(scope, start="2026-01-22T08:00-05:00", end="2026-01-22T12:00-05:00", left="2026-01-22T14:00-05:00")
    for withdrawn_at in (None, None, scope.now):
        db.session.add(
            VitalSigns(
                **part(scope, row, course_id=row.course_id, for_on=TODAY, taken_at=scope.now, withdrawn_at=withdrawn_at)
            )
        )
        db.session.add(
            Deviation(
                **part(scope, row, patient_id=row.patient_id, course_id=row.course_id, code="short"),
                message="Short",
                reason="So",
                occurred_on=TODAY,
                withdrawn_at=withdrawn_at,
            )
        )
    db.session.commit()
    (line,) = asked(scope, "observation")
    assert (line["vitals"], line["deviations"]) == (2, 2)


def test_corrected_rows_other_days_and_other_clinics_are_left_out(scope, cast, scope_for):
    times = {"start": "2026-01-22T08:00-05:00", "end": "2026-01-22T12:00-05:00", "left": "2026-01-22T14:00-05:00"}
    kept = infuse(scope, ON, **times)
    infuse(scope, date(2026, 1, 1), **times)
    infuse(scope, ON, state="corrected", withdrawn_at=scope.now, **times)
    stranger = scope_for(cast.stranger)
    infuse(stranger, ON, **times)
    found = asked(scope, "observation", from_="2025-12-01", to="2025-12-31")
    assert [line["patient_id"] for line in found] == [kept.patient_id]
    assert len(asked(stranger, "observation")) == 1


def test_order_is_by_start_and_a_prescriber_or_a_patient_narrows_it(scope, cast):
    mine = add_patient(scope, prescriber_id=cast.prescriber.id)
    times = {"end": "2026-01-22T12:00-05:00", "left": "2026-01-22T14:00-05:00"}
    late = infuse(scope, start="2026-01-22T09:00-05:00", patient=mine, **times)
    early = infuse(scope, start="2026-01-22T08:00-05:00", **times)
    db.session.commit()
    everybody = [line["patient_id"] for line in asked(scope, "observation")]
    assert everybody == [early.patient_id, late.patient_id]
    of_prescriber = asked(scope, "observation", prescriber=cast.prescriber.public_id)
    assert [line["patient_id"] for line in of_prescriber] == [mine.id]
    assert len(asked(scope, "observation", patient=mine.public_id)) == 1


def test_an_empty_clinic_has_no_line(scope):
    assert asked(scope, "observation", from_=TODAY - timedelta(days=9000)) == []
