"""The drawings of reports: well-formed, inside their frame, nothing over anything else, at any number of points."""

from datetime import date
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.web.charts.bars import Stack, lying_bars, standing_bars
from clinic_tracker.web.charts.canvas import CHARACTER, count_ticks
from clinic_tracker.web.charts.heat_map import heat_map, step_of, whole_percent
from clinic_tracker.web.charts.lines import Point, Series, count_chart, share_chart
from clinic_tracker.web.reports.report_charts import chart_of

pytestmark = pytest.mark.no_database

LAST = date(2026, 1, 1)
COUNTS = [0, 1, 2, 12, 13, 24, 25, 36, 48]


def months(count: int) -> list[date]:
    return [add_months(LAST, place + 1 - count) for place in range(count)]


def drawn(svg):
    return ET.fromstring(str(svg))  # noqa: S314  our own drawing


def labels(svg) -> list[tuple[float, float, float]]:
    """Where each label lies: its line, from where, to where."""
    found = []
    for one in svg.iter("text"):
        wide = len(one.text or "") * CHARACTER
        start = {"start": 0, "middle": wide / 2, "end": wide}[one.get("text-anchor")]
        left = float(one.get("x")) - start
        found.append((float(one.get("y")), left, left + wide))
    return sorted(found)


def check(svg) -> None:
    """Inside the frame, and no label over another."""
    _, _, width, height = (float(number) for number in svg.get("viewBox").split())
    for element in svg.iter():
        assert element.get("style") is None
        for name, most in (("x", width), ("cx", width), ("x1", width), ("x2", width), ("y", height), ("cy", height)):
            assert -0.6 <= float(element.get(name, 0)) <= most + 0.6, (element.tag, name, element.attrib)
        for name in ("width", "height"):
            if element is not svg:
                assert float(element.get(name, 0)) >= 0
    for before, after in pairwise(labels(svg)):
        assert before[0] != after[0] or before[2] <= after[1] + 1, f"labels overlap: {before} {after}"


@pytest.mark.parametrize("count", COUNTS)
def test_a_line_of_shares(count):
    svg = share_chart(
        "On time", [Point(month, 0.5 + place % 3 / 10, "told") for place, month in enumerate(months(count))]
    )
    if not count:
        assert svg == ""
        return
    tree = drawn(svg)
    check(tree)
    assert len(tree.findall("circle")) == (count if count <= 24 else 1)
    assert len(tree.findall("polyline")) == (1 if count > 1 else 0)


@pytest.mark.parametrize("count", COUNTS)
def test_two_lines_of_counts_are_named_apart(count):
    lines = [
        Series(name, name, tuple(Point(month, 7, "told") for month in months(count))) for name in ("items", "patients")
    ]
    svg = count_chart("Overdue", lines)
    if not count:
        assert svg == ""
        return
    tree = drawn(svg)
    check(tree)
    names = [one for one in tree.iter("text") if "chart__name" in one.get("class", "")]
    assert abs(float(names[0].get("y")) - float(names[1].get("y"))) >= 12


@pytest.mark.parametrize("count", COUNTS)
def test_standing_and_lying_bars(count):
    stacks = [Stack(f"Bar {place}", (("on_time", "on time", place), ("late", "late", 3))) for place in range(count)]
    for svg in (standing_bars("Bars", stacks), lying_bars("Bars", stacks)):
        if not count:
            assert svg == ""
            continue
        tree = drawn(svg)
        check(tree)
        assert len(list(tree.iter("rect"))) == 2 * count - 1  # nothing is drawn of 0


@pytest.mark.parametrize("count", COUNTS)
def test_a_heat_map(count):
    shares = [None, 0.0, 0.5, 0.699, 0.85, 0.999, 1.0]
    rows = [(f"Row {row}", [shares[(row + place) % 7] for place in range(count)]) for row in range(9)]
    told = [["told"] * count] * 9
    svg = heat_map("Map", months(count), rows, told)
    if not count:
        assert svg == ""
        return
    tree = drawn(svg)
    check(tree)
    assert len(list(tree.iter("rect"))) == 9 * count
    assert heat_map("Map", months(count), [], []) == ""


def test_a_share_is_rounded_down_and_its_color_goes_with_its_number():
    assert [whole_percent(share) for share in (0.0, 0.949, 0.95, 0.999, 1.0, 0.29)] == [0, 94, 95, 99, 100, 29]
    shares = (None, 0.0, 0.499, 0.5, 0.7, 0.85, 0.949, 0.95, 1.0)
    assert "".join(step_of(share) for share in shares) == "011234455"


def test_gaps_break_the_line_and_what_is_open_is_dashed():
    values = [0.9, None, 0.8, 0.7, 0.6]
    points = [Point(month, value, "told", month == LAST) for month, value in zip(months(5), values, strict=True)]
    tree = drawn(share_chart("On time", points))
    assert len(tree.findall("polyline")) == 1
    dashed = [one for one in tree.findall("line") if "chart__line--open" in one.get("class")]
    assert len(dashed) == 1
    assert sum("chart__mark--open" in one.get("class") for one in tree.findall("circle")) == 1


@given(st.integers(0, 10**7))
def test_ticks_reach_the_largest_and_are_few(largest):
    ticks = count_ticks(largest)
    assert ticks[0] == 0
    assert ticks[-1] >= largest
    assert 2 <= len(ticks) <= 6
    assert len({after - before for before, after in pairwise(ticks)}) == 1


@given(st.lists(st.lists(st.integers(0, 5000), min_size=2, max_size=2), max_size=60))
def test_any_counts_stay_inside(counts):
    stacks = [Stack(f"{place:02}-Jan", (("a", "a", one), ("b", "b", two))) for place, (one, two) in enumerate(counts)]
    for svg in (standing_bars("Bars", stacks), lying_bars("Bars", stacks)):
        if svg:
            check(drawn(svg))


def test_words_from_outside_stay_words():
    svg = lying_bars('<script>"', [Stack("<b>&", (("a", "<i>", 1),))])
    assert "<script>" not in svg
    assert drawn(svg) is not None


def test_a_report_without_a_chart_has_none():
    assert chart_of("access", (), []) is None
    assert chart_of("compliance", (), []) is None


def lines_of(name: str, choices: dict[str, str], **cells):
    """One line of a report with these cells, the others empty or 0."""
    columns = REPORTS[name].definition.columns_for(choices)
    empty = {Kind.COUNT: 0, Kind.NUMBER: None}
    return columns, [Line(tuple(cells.get(column.name, empty.get(column.kind)) for column in columns))]


def test_compliance_is_drawn_by_month_and_by_requirement():
    counts = {"on_time": 7, "late": 2, "missed": 1, "owed": 1, "waived": 1}
    chart = chart_of("compliance", *lines_of("compliance", {"by": "month"}, month=LAST, **counts))
    assert [len(list(drawn(chart.svg).iter("rect"))), len(chart.legend)] == [5, 5]
    assert "7 on time, 2 late, 1 missed, 1 still owed, 1 waived" in drawn(chart.svg).get("aria-label")
    chart = chart_of("compliance", *lines_of("compliance", {"by": "requirement"}, requirement="tsh", **counts))
    assert "TSH" in [one.text for one in drawn(chart.svg).iter("text")]
    check(drawn(chart.svg))


@pytest.mark.parametrize(
    "name, choices, cells",
    [
        ("workload", {}, {"from_on": LAST, "kind": "draw", "count": 3}),
        ("reviews", {"show": "all"}, {"level": "red", "hours": 25.5}),
        ("reviews", {"show": "prescribers"}, {"of": "Dr. Rey", "on_time": 2, "overdue": 1}),
        ("gaps", {}, {"requirement": "cbc_diff", "days": 61}),
        ("overdue", {}, {"requirement": "cbc_diff", "days_overdue": 31}),
        ("safety", {}, {"month": LAST, "complete": 4, "short": 1}),
    ],
)
def test_reports_that_have_a_chart(name, choices, cells):
    chart = chart_of(name, *lines_of(name, choices, **cells))
    assert chart is not None
    check(drawn(chart.svg))
    assert chart.title
    assert chart.definition
    assert chart.legend


def test_columns_that_are_not_there_draw_nothing():
    other = (Column("other", "Other", Kind.COUNT, "Something else."),)
    assert chart_of("reviews", other, [Line((1,))]) is None
    assert chart_of("safety", other, [Line((1,))]) is None
