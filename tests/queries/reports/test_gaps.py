"""Gaps of more than 45 days: worked out by hand, and against a walk over every day."""

import random
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.gaps import Ended, gaps
from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import MonitoringDecision
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import MONTHLY, add_course, add_lab, add_labs, add_patient

TODAY = date(2026, 1, 22)
DAY = timedelta(days=1)


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def told(lines):
    return [(line["after"], line["until"], line["days"], line["ended"]) for line in lines]


def walked(evidence, start, as_of, stop, allowed):
    """The same day by day: how long ago was the last evidence, while the patient was monitored?"""
    found, after = [], start
    for day in range(start + 1, as_of + 1):
        monitored = stop is None or day <= stop
        if day in evidence:
            if monitored and day - after > allowed:
                found.append((after, day, Ended.EVIDENCE))
            elif not monitored and stop - after > allowed:
                found.append((after, stop, Ended.MONITORING))
            after = day
    last = as_of if stop is None else min(stop, as_of)
    if last - after > allowed:
        found.append((after, last, Ended.OPEN if stop is None or as_of <= stop else Ended.MONITORING))
    return found


def test_random_days_give_the_same_gaps_as_a_walk_over_every_day():
    dice = random.Random(20)  # noqa: S311
    for _ in range(3000):
        evidence = sorted({dice.randrange(-20, 200) for _ in range(dice.randrange(8))})
        start, as_of = dice.randrange(60), dice.randrange(60, 220)
        stop = dice.choice([None, dice.randrange(60, 220)])
        assert gaps(evidence, start, as_of, stop, 45) == walked(set(evidence), start, as_of, stop, 45)


def test_45_days_are_none_and_46_are_one(scope):
    patient = add_patient(scope)
    add_course(scope, patient, date(2025, 9, 1))  # the last infusion on the 5th
    days = [date(2025, 10, 20), date(2025, 12, 5), date(2026, 1, 19)]
    add_labs(scope, patient, days, MONTHLY)
    db.session.commit()
    assert [(b - a).days for a, b in zip([date(2025, 9, 5), *days], days, strict=False)] == [45, 46, 45]
    found = asked(scope, "gaps")
    assert told(found) == [(days[0], days[1], 46, "evidence")] * 3
    assert [line["requirement"] for line in found] == ["cbc_diff", "creatinine", "urinalysis_cells"]


def test_only_the_monthly_tests_are_asked_about_and_each_for_itself(scope):
    patient = add_patient(scope)
    add_course(scope, patient, date(2025, 11, 3))
    for day in (date(2025, 12, 7), date(2026, 1, 7)):
        add_labs(scope, patient, [day], ("cbc_diff", "creatinine"))
        add_lab(scope, patient, "urinalysis_cells", day, is_complete=False)
    db.session.commit()
    (line,) = asked(scope, "gaps")
    assert (line["requirement"], line["after"], line["until"]) == ("urinalysis_cells", date(2025, 11, 7), None)
    assert (line["days"], line["ended"]) == (76, "open")
    assert asked(scope, "gaps", requirement="cbc_diff") == []


def test_over_a_leap_day_and_the_end_of_a_month(scope):
    patient = add_patient(scope)
    add_course(scope, patient, date(2024, 1, 11))
    add_labs(scope, patient, [date(2024, 1, 31), date(2024, 3, 16), date(2024, 4, 30), date(2024, 6, 15)], ["cbc_diff"])
    db.session.commit()
    found = asked(scope, "gaps", requirement="cbc_diff", from_="2024-01-01", to="2024-07-20", as_of="2024-07-20")
    assert told(found) == [(date(2024, 4, 30), date(2024, 6, 15), 46, "evidence")]


def test_a_gap_goes_on_across_a_course_and_open_ones_grow_with_the_date(scope):
    patient = add_patient(scope)
    add_course(scope, patient, date(2024, 9, 2))
    add_labs(scope, patient, [date(2024, 10, 6), date(2024, 11, 6)], ["cbc_diff"])
    add_course(scope, patient, date(2025, 10, 6), days=3, number=2)
    add_labs(scope, patient, [date(2025, 11, 8)], ["cbc_diff"])
    db.session.commit()
    one = {"requirement": "cbc_diff"}
    assert told(asked(scope, "gaps", **one)) == [
        (date(2024, 11, 6), date(2025, 11, 8), 367, "evidence"),
        (date(2025, 11, 8), None, 75, "open"),
    ]
    assert told(asked(scope, "gaps", show="open", **one)) == [(date(2025, 11, 8), None, 75, "open")]
    assert told(asked(scope, "gaps", as_of="2025-10-31", **one)) == [(date(2024, 11, 6), None, 359, "open")]
    assert told(asked(scope, "gaps", as_of="2024-12-21", **one)) == []
    assert told(asked(scope, "gaps", as_of="2024-12-22", **one)) == [(date(2024, 11, 6), None, 46, "open")]


def test_only_gaps_that_reach_into_the_period(scope):
    patient = add_patient(scope)
    add_course(scope, patient, date(2024, 9, 2))
    add_labs(scope, patient, [date(2024, 10, 6), date(2024, 12, 20)], ["cbc_diff"])
    db.session.commit()
    one = {"requirement": "cbc_diff", "as_of": "2025-01-10"}  # beyond the limit from 21-Nov to 20-Dec
    for first, last, count in (
        ("2024-11-01", "2024-11-20", 0),
        ("2024-11-01", "2024-11-21", 1),
        ("2024-12-20", "2024-12-31", 1),
        ("2024-12-21", "2024-12-31", 0),
    ):
        assert len(asked(scope, "gaps", from_=first, to=last, **one)) == count


def test_after_the_end_of_monitoring_and_after_the_sign_off_there_is_no_gap(scope):
    ended, signed, late = (add_patient(scope) for _ in range(3))
    for patient, first in ((ended, date(2021, 9, 6)), (signed, date(2025, 9, 1)), (late, date(2021, 9, 6))):
        add_course(scope, patient, first)
    add_labs(scope, ended, [date(2025, 8, 20)], ["cbc_diff"])  # monitoring ends on 10-Sep-2025
    add_labs(scope, late, [date(2025, 7, 20), date(2025, 11, 1)], ["cbc_diff"])
    db.session.add(
        MonitoringDecision(
            clinic_id=scope.clinic_id, patient_id=signed.id, kind="closed", decided_on=date(2025, 11, 20),
            reason="Moved", recorded_at=scope.now,
        )
    )  # fmt: skip
    db.session.commit()
    found = asked(scope, "gaps", requirement="cbc_diff", from_="2025-08-01")
    by_patient = {key: told(line for line in found if line["patient_id"] == key) for key in (signed.id, late.id)}
    assert by_patient[signed.id] == [(date(2025, 9, 5), None, 76, "monitoring")]
    assert by_patient[late.id] == [(date(2025, 7, 20), None, 52, "monitoring")]
    assert [line for line in found if line["patient_id"] == ended.id and line["after"] >= date(2025, 8, 20)] == []


def test_the_clinics_limit_as_of_the_date(scope):
    patient = add_patient(scope)
    add_course(scope, patient, TODAY - 60 * DAY, days=1)
    db.session.add(
        ClinicSetting(
            clinic_id=scope.clinic_id, name="gap_alert_days", value=100, effective_from=TODAY, reason="Agreed",
            recorded_at=scope.now,
        )
    )  # fmt: skip
    db.session.commit()
    assert asked(scope, "gaps") == []
    assert len(asked(scope, "gaps", as_of=TODAY - DAY)) == 3


def test_what_was_known_of_it_at_an_instant(scope):
    patient = add_patient(scope, registered_at=scope.now - 300 * DAY)
    add_course(scope, patient, date(2025, 9, 1), days=1)
    for infusion in db.session.new:
        infusion.recorded_at = scope.now - 200 * DAY
    add_lab(scope, patient, "cbc_diff", date(2025, 10, 1))  # arrives today
    db.session.commit()
    one = {"requirement": "cbc_diff", "as_of": "2025-11-10"}
    assert told(asked(scope, "gaps", **one)) == []
    then = asked(scope, "gaps", known_at="2025-11-10", **one)
    assert told(then) == [(date(2025, 9, 1), None, 70, "open")]


def test_other_clinics_withdrawn_rows_and_people_without_an_infusion(scope, cast, scope_for):
    stranger = scope_for(cast.stranger)
    foreign, planned, wrong = add_patient(stranger), add_patient(scope), add_patient(scope)
    add_course(stranger, foreign, date(2025, 9, 1))
    add_course(scope, planned, None)
    add_course(scope, wrong, date(2025, 9, 1))
    add_labs(scope, wrong, [date(2025, 10, 1), date(2025, 11, 5), date(2025, 12, 10), date(2026, 1, 10)], MONTHLY)
    add_lab(scope, wrong, "cbc_diff", date(2025, 9, 30), state="entered_in_error", withdrawn_at=scope.now)
    db.session.commit()
    assert asked(scope, "gaps") == []
    assert len(asked(stranger, "gaps")) == 3
