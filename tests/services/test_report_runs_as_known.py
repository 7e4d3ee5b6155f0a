"""A kept file of today tells what was on record when it was asked for, whenever it is made and made again."""

from dataclasses import replace
from datetime import date

import pytest

from clinic_tracker.exports.stored_reports import Outcome
from clinic_tracker.services.report_runs import ask_again
from tests.made_reports import asked_for, made, row, taken
from tests.monitored import MONTHLY, add_course, add_exam, add_form, add_labs, add_patient, project, treated

REPORTS = {
    "compliance": {"from_": "2025-01-01"},
    "obligations": {"from_": "2025-01-01"},
    "overdue": {},
    "forms": {"from_": "2025-01-01", "show": "all"},
}


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


@pytest.fixture
def charts(scope, clock):
    past = replace(scope, now=clock.now.replace(year=2025, month=12))
    patient = treated(past, date(2025, 6, 2), labs_until=date(2025, 9, 30))
    other = add_patient(past)
    course = add_course(past, other, date(2025, 12, 1))
    project(scope)
    return patient, other, course


def _record(scope, clock, charts):
    """What was done in time comes to be known a minute later."""
    clock.forward(minutes=1)
    later = replace(scope, now=clock.now)
    patient, other, course = charts
    add_labs(later, patient, [date(2025, 11, 6), date(2025, 12, 6)], MONTHLY)
    add_exam(later, patient, "skin_exam", date(2026, 1, 5))
    add_form(later, other, "infusion_checklist", date(2025, 12, 9), course)
    project(later)


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_recorded_after_the_asking_is_not_in_it(scope, charts, clock, tmp_path, name):
    asked_for(scope, name, **REPORTS[name])
    assert made(taken(), tmp_path) is Outcome.MADE
    late = asked_for(scope, name, token="late", **REPORTS[name])
    _record(scope, clock, charts)
    assert made(taken(), tmp_path) is Outcome.MADE
    first = (tmp_path / next(path.name for path in tmp_path.iterdir() if str(late) not in path.name)).read_bytes()
    assert (tmp_path / f"{late}-1.csv").read_bytes() == first
    assert first.count(b"\n") > 1


@pytest.mark.parametrize("name", REPORTS)
def test_made_again_it_has_the_same_bytes_whatever_was_recorded_since(scope, charts, clock, tmp_path, name):
    first = asked_for(scope, name, **REPORTS[name])
    made(taken(), tmp_path)
    _record(scope, clock, charts)
    again = ask_again(replace(scope, now=clock.now), first)
    made(taken(), tmp_path)
    assert row(again).sha256 == row(first).sha256
    now = asked_for(replace(scope, now=clock.now), name, **REPORTS[name])
    made(taken(), tmp_path)
    assert row(now).checksum != row(first).checksum
    data = [(tmp_path / f"{one}-1.csv").read_bytes() for one in (first, now)]
    assert data[0] != data[1]
