"""Copies without identity."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.deidentify import (
    MOST_SHIFT,
    Context,
    deidentified,
    order_of,
    shift_of,
    study_number,
)
from clinic_tracker.domain.reporting.ordering import ordered
from clinic_tracker.domain.reporting.parameters import Identity, read_parameters
from clinic_tracker.queries.reports.registry import SOURCES
from tests.report_samples import COLUMNS, line, patient

pytestmark = pytest.mark.no_database
FIRST = date(2025, 12, 1)
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)


def copy(identity, lines, first=None):
    columns, changed = deidentified(COLUMNS, lines, Context(identity, "America/New_York", first or {}))
    names = [column.name for column in columns]
    return columns, [dict(zip(names, one.cells, strict=True)) for one in changed]


@pytest.mark.parametrize("identity", [Identity.SHIFTED, Identity.INTERVALS])
def test_what_says_who_it_is_becomes_a_number_or_is_left_out(identity):
    columns, (told,) = copy(identity, [line(7)], {7: FIRST})
    assert next(column.name for column in columns) == "study_number"
    assert {column.privacy for column in columns} <= {Privacy.OPEN, Privacy.DATED}
    assert told["study_number"] == study_number(patient(7))
    assert not {"mrn", "patient", "remark"} & told.keys()
    assert "DOE" not in str(told)


def test_dates_of_a_patient_are_shifted_by_the_same_number_of_days():
    _columns, (told,) = copy(Identity.SHIFTED, [line(7)])
    shift = shift_of(patient(7))
    assert told["due_on"] == date(2026, 1, 5) + shift
    # 2:05 pm stays 2:05 pm, on whichever side of a change of clocks it comes to lie.
    assert told["seen_at"].replace(tzinfo=None) == datetime(2026, 1, 20, 14, 5, 7) + shift  # noqa: DTZ001


def test_a_shift_is_stable_never_zero_and_at_most_half_a_year():
    shifts = [shift_of(patient(number)).days for number in range(2000)]
    assert shifts == [shift_of(patient(number)).days for number in range(2000)]
    assert 0 not in shifts
    assert {min(shifts), max(shifts)} == {-MOST_SHIFT, MOST_SHIFT}


def test_study_numbers_differ():
    assert len({study_number(patient(number)) for number in range(5000)}) == 5000


def test_intervals_are_days_since_the_first_infusion_on_the_clinics_calendar():
    midnight = datetime(2025, 12, 2, 4, 30, tzinfo=UTC)  # still 1 December in New York
    columns, (told,) = copy(Identity.INTERVALS, [line(7, seen_at=midnight)], {7: FIRST})
    assert (told["due_day"], told["seen_day"]) == (35, 0)
    assert {column.kind for column in columns if column.name.endswith("_day")} == {Kind.COUNT}


def test_without_a_first_infusion_an_interval_is_empty():
    _columns, (told,) = copy(Identity.INTERVALS, [line(7)], {})
    assert told["due_day"] is None


def test_days_up_to_the_day_asked_about_are_left_out_as_they_would_tell_the_date():
    overdue = next(source.definition for source in SOURCES if source.definition.name == "overdue")
    context = Context(Identity.SHIFTED, "America/New_York", {})
    columns, _lines = deidentified(overdue.columns, [], context)
    assert "days_overdue" in {column.name for column in overdue.columns}
    assert "days_overdue" not in {column.name for column in columns}


def test_a_line_about_nobody_keeps_its_figures_and_no_dates():
    _columns, (told,) = copy(Identity.SHIFTED, [Line(line(7).cells)])
    assert (told["study_number"], told["due_on"], told["due"]) == (None, None, 7)


@pytest.mark.parametrize("at_once", [3, 10, 1000])
def test_lines_are_sorted_however_many_there_are(at_once):
    lines = [line(number % 17, due=number) for number in range(100)]
    sorted_lines = list(ordered(lines, lambda one: study_number(one.patient), at_once))
    assert sorted(map(repr, sorted_lines)) == sorted(map(repr, lines))
    for before, after in pairwise(sorted_lines):
        key, next_key = study_number(before.patient), study_number(after.patient)
        assert key < next_key or (key == next_key and before.cells[3] < after.cells[3])


def test_lines_about_nobody_keep_their_order_only_where_it_hides_nothing():
    lines = [Line((name,)) for name in ("b", None, "a")]
    open_column = Column("a", "A", Kind.TEXT, "A.")
    name = Column("b", "B", Kind.TEXT, "B.", Privacy.IDENTITY)
    assert list(ordered(lines, order_of((open_column,)))) == lines
    assert [one.cells[0] for one in ordered(lines, order_of((open_column, name)))] == [None, "a", "b"]


def test_a_day_is_never_shifted_by_parts_of_a_day():
    assert shift_of(patient(3)) % timedelta(days=1) == timedelta()


def definition(*privacies: Privacy) -> Definition:
    columns = tuple(Column(f"c{place}", "C", Kind.TEXT, "C", privacy) for place, privacy in enumerate(privacies))
    return Definition("n", "N", "N?", columns, takes=frozenset({Takes.PERIOD}))


@pytest.mark.parametrize("identity", ["shifted", "intervals"])
def test_a_short_period_would_tell_the_dates_and_is_refused(identity: str) -> None:
    asked = {"from": "2026-11-17", "to": "2026-11-17", "identity": identity}
    with pytest.raises(RuleViolation, match="of at least 330 days") as refused:
        read_parameters(definition(Privacy.PATIENT), asked, NOW, "America/New_York")
    assert refused.value.field == "from"


@pytest.mark.parametrize("day", ["2026-03-01", "2025-02-01", "2026-11-22"])
def test_the_period_meant_by_default_is_long_enough(day: str) -> None:
    asked = {"to": day, "identity": "shifted"}
    assert read_parameters(definition(Privacy.PATIENT), asked, NOW, "America/New_York").identity == "shifted"


def test_figures_of_nobody_may_be_of_a_short_period() -> None:
    asked = {"from": "2026-11-17", "to": "2026-11-17", "identity": "shifted"}
    assert read_parameters(definition(Privacy.OPEN), asked, NOW, "America/New_York").identity == "shifted"
