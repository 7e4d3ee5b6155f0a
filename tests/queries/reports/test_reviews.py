"""Results and their review, worked out on a calendar by hand, and counted again by prescriber."""

from datetime import UTC, date, datetime
from statistics import median

import pytest

from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.reviewing import Acknowledgement
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_exam, add_lab, add_patient

NAME = "reviews"
MONDAY = date(2026, 1, 5)


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


@pytest.fixture
def patient(scope, cast):
    return add_patient(scope, prescriber_id=cast.prescriber.id)


def at(text: str) -> datetime:
    """A UTC instant; New York is five hours behind in January."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def result(scope, patient, came, level=None, reviewed=None, panel="cbc_diff", **values):
    row = add_lab(scope, patient, panel, MONDAY, worst_level=level, **values)
    row.recorded_at = at(came)
    if reviewed:
        row.reviewed_at, row.reviewed_by_id = at(reviewed), scope.user_id
    db.session.flush()
    return row


def test_by_when_each_is_to_be_reviewed(scope, patient):
    result(scope, patient, "2026-01-16T15:00")  # a Friday: Monday is a holiday
    result(scope, patient, "2026-01-17T15:00", "red")  # a Saturday
    result(scope, patient, "2026-01-20T02:00", "amber")  # Monday evening, a holiday
    found = asked(scope, NAME)
    assert [(line["due_on"], line["days_late"], line["in_time"]) for line in found] == [
        (date(2026, 1, 21), 1, False),
        (date(2026, 1, 17), 5, False),
        (date(2026, 1, 21), 1, False),
    ]
    assert [line["level"] for line in found] == ["normal", "red", "amber"]


def test_hours_are_elapsed_and_a_late_review_is_late(scope, patient):
    result(scope, patient, "2026-01-06T15:00", reviewed="2026-01-08T15:20")  # the second business day
    result(scope, patient, "2026-01-06T16:00", reviewed="2026-01-09T05:30")  # half past midnight on the third
    found = asked(scope, NAME, show="all")
    assert [(line["hours"], line["in_time"], line["days_late"]) for line in found] == [
        (48.3, True, 0),
        (61.5, False, 1),
    ]
    assert found[0]["reviewed_by"] == "Ana Dow"
    assert [line["hours"] for line in asked(scope, NAME, show="late")] == [61.5]
    assert asked(scope, NAME) == []


def test_as_of_a_past_day_what_was_reviewed_later_still_waited(scope, patient):
    result(scope, patient, "2026-01-06T15:00", reviewed="2026-01-08T15:00")
    (line,) = asked(scope, NAME, as_of="2026-01-07")
    assert "reviewed_at" not in line
    assert line["in_time"] is None
    (line,) = asked(scope, NAME, as_of="2026-01-07", show="all")
    assert (line["reviewed_at"], line["reviewed_by"], line["hours"], line["in_time"]) == (None, None, None, None)
    assert asked(scope, NAME, as_of="2026-01-08") == []
    assert asked(scope, NAME, as_of="2026-01-05", show="all") == []


def test_a_red_one_is_unseen_unless_somebody_signed_or_acted_on_its_day(scope, patient):
    signed = result(scope, patient, "2026-01-06T15:00", "red", "2026-01-06T20:00")
    acted = result(scope, patient, "2026-01-06T15:01", "red", "2026-01-08T20:00")
    after = result(scope, patient, "2026-01-06T15:02", "red", "2026-01-08T20:00")
    never = result(scope, patient, "2026-01-06T15:03", "red")
    just_now = result(scope, patient, "2026-01-22T15:00", "red")
    amber = result(scope, patient, "2026-01-06T15:04", "amber")
    for row, when in ((acted, "2026-01-07T04:59"), (after, "2026-01-07T05:00")):
        db.session.add(
            Acknowledgement(
                clinic_id=scope.clinic_id,
                patient_id=patient.id,
                lab_report_id=row.id,
                rule="platelets",
                action="patient_called",
                recorded_at=at(when),
            )
        )
    db.session.commit()
    unseen = {line["recorded_at"]: line["unseen"] for line in asked(scope, NAME, show="all")}
    rows = (signed, acted, after, never, just_now, amber)
    assert [unseen[row.recorded_at] for row in rows] == [False, False, True, True, False, None]
    assert [line["recorded_at"] for line in asked(scope, NAME, show="unseen")] == [after.recorded_at, never.recorded_at]


def test_exams_wait_with_a_finding_or_from_a_laboratory(scope, patient):
    for level in (None, "amber"):
        add_exam(scope, patient, "skin_exam", MONDAY).worst_level = level
    result(scope, patient, "2026-01-22T15:30")  # the same instant: results come first
    db.session.commit()
    found = asked(scope, NAME)
    assert [(line["kind"], line["what"], line["level"]) for line in found] == [
        ("result", "cbc_diff", "normal"),
        ("exam", "skin_exam", "amber"),
    ]


def test_what_waits_is_listed_however_long_ago_it_came(scope, patient):
    result(scope, patient, "2023-02-28T15:00")
    result(scope, patient, "2023-02-28T15:00", reviewed="2023-03-01T15:00")
    assert len(asked(scope, NAME)) == 1
    assert asked(scope, NAME, show="all") == []


def test_withdrawn_imported_and_foreign_ones_are_left_out(scope, patient, cast, scope_for):
    result(scope, patient, "2026-01-06T15:00", state="corrected", withdrawn_at=scope.now)
    result(scope, patient, "2026-01-06T15:00", recorded_via="history import")
    stranger = scope_for(cast.stranger)
    result(stranger, add_patient(stranger), "2026-01-06T15:00")
    for show in ("waiting", "late", "unseen", "all", "prescribers"):
        assert asked(scope, NAME, show=show) == []
    assert len(asked(stranger, NAME, show="prescribers")) == 1


def test_the_sums_by_prescriber_are_those_of_the_list(scope, patient, cast):
    other = add_patient(scope)
    for day in range(6, 17):
        for whose, level, hours in ((patient, None, 3 * day), (patient, "red", day), (other, "amber", 90)):
            reviewed = None if day == 9 else f"2026-01-{day + hours // 24:02}T{hours % 24:02}:45"
            result(scope, whose, f"2026-01-{day:02}T00:00", level, reviewed)
    automatic = result(scope, patient, "2026-01-06T15:00", reviewed="2026-01-06T15:00")
    automatic.auto_reviewed = True
    db.session.commit()
    listed = asked(scope, NAME, show="all")
    sums = asked(scope, NAME, show="prescribers")
    assert [(line["of"], line["level"]) for line in sums] == [
        (None, "amber"),
        (cast.prescriber.name, "red"),
        (cast.prescriber.name, "normal"),
    ]
    for line in sums:
        parts = [one for one in listed if (one["prescriber"], one["level"]) == (line["of"], line["level"])]
        signed = [one for one in parts if one["reviewed_at"]]
        assert line["results"] == len(parts)
        assert line["reviewed"] == len(signed)
        assert line["on_time"] == sum(one["in_time"] is True for one in parts)
        assert line["late"] == sum(one["in_time"] is False for one in signed)
        assert line["overdue"] == sum(one["in_time"] is False for one in parts) - line["late"]
        assert line["waiting"] == sum(one["in_time"] is None for one in parts)
        assert line["share"] == line["on_time"] / (line["on_time"] + line["late"] + line["overdue"])
        by_people = [one["hours"] for one in signed if not one["automatic"]]
        assert line["median_hours"] == round(median(by_people), 1)
        assert line["not_seen"] == sum(one["unseen"] is True for one in parts)
    assert sum(line["results"] for line in sums) == len(listed)


def test_two_prescribers_of_one_name_have_a_line_each(scope, patient, cast):
    namesake = Prescriber(clinic_id=scope.clinic_id, name=cast.prescriber.name)
    db.session.add(namesake)
    db.session.flush()
    for whose in (patient, add_patient(scope, prescriber_id=namesake.id)):
        result(scope, whose, "2026-01-06T15:00")
    result(scope, patient, "2026-01-06T16:00")
    db.session.commit()
    sums = asked(scope, NAME, show="prescribers")
    assert [(line["of"], line["results"]) for line in sums] == [(cast.prescriber.name, 2), (cast.prescriber.name, 1)]
