from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.web.charts.trends import HEIGHT, WIDTH, CourseMark, Point, trend_chart
from clinic_tracker.web.timeline import Event, Occurrence, build_timeline

pytestmark = pytest.mark.no_database

START = date(2025, 1, 14)
PLATELETS = [
    Point(START, 240.0),
    Point(START + timedelta(days=30), 145.0, finding="fell by 40 % in a month"),
    Point(START + timedelta(days=60), 410.0),
]


def drawing(chart):
    return ET.fromstring(str(chart.svg))  # noqa: S314  our own drawing


def of_class(svg, name):
    return [element for element in svg.iter() if name in element.get("class", "").split()]


def test_the_drawing_says_in_words_what_it_shows():
    chart = trend_chart("Platelets", PLATELETS, low=150, high=400, courses=[CourseMark(START, "C2")])
    words = drawing(chart).get("aria-label")
    assert words == (
        "Platelets: 3 values from 14-Jan-2025 to 15-Mar-2025; latest 410, above the reference range; "
        "reference range 150 to 400; fell by 40 % in a month on 13-Feb-2025; C2 on 14-Jan-2025"
    )


def test_values_outside_the_band_have_another_shape():
    svg = drawing(trend_chart("Platelets", PLATELETS, low=150, high=400))
    assert [element.tag for element in of_class(svg, "chart__point")] == ["circle", "path", "path"]
    assert len(of_class(svg, "chart__finding")) == 1
    assert len(of_class(svg, "chart__band")) == 1


@pytest.mark.parametrize("bounds", [{"high": 55.0}, {"low": 1.0}])
def test_a_range_may_be_open_at_one_end(bounds):
    assert len(of_class(drawing(trend_chart("ALT", PLATELETS, **bounds)), "chart__band")) == 1


def test_without_a_range_there_is_no_band_and_no_judgment():
    chart = trend_chart("ALT", PLATELETS[:1])
    assert of_class(drawing(chart), "chart__band") == []
    assert chart.rows[0].finding == ""


def test_the_table_holds_every_value_newest_first_also_those_that_are_text():
    points = [*PLATELETS, Point(START + timedelta(days=90), None, shown="clotted")]
    chart = trend_chart("Platelets", points, unit="10*9/L", low=150, high=400)
    assert [(row.shown, row.finding) for row in chart.rows] == [
        ("clotted", ""),
        ("410", "above the reference range"),
        ("145", "fell by 40 % in a month"),
        ("240", ""),
    ]
    assert (chart.latest, chart.unit) == ("clotted", "10⁹/L")


def test_no_values_is_said():
    chart = trend_chart("CD4", [])
    assert "No values yet" in chart.svg
    assert chart.rows == ()


def test_what_comes_from_outside_stays_text():
    chart = trend_chart('<script>"', [Point(START, 1.0, shown='<1 & "', finding="<b>")])
    assert "<script>" not in chart.svg
    assert drawing(chart) is not None


values = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
points = st.lists(st.builds(Point, st.dates(date(2015, 1, 1), date(2035, 1, 1)), values), min_size=1, max_size=40)


@given(points, st.one_of(st.none(), values), st.one_of(st.none(), values))
def test_every_point_is_inside_the_drawing(drawn, low, high):
    svg = drawing(trend_chart("X", drawn, low=low, high=high))
    for circle in of_class(svg, "chart__point"):
        if circle.tag == "circle":
            assert 0 <= float(circle.get("cx")) <= WIDTH
            assert 0 <= float(circle.get("cy")) <= HEIGHT
    assert not [element for element in svg.iter() if element.get("style")]


TODAY = date(2026, 1, 22)
OWED = Occurrence("CBC with differential", date(2026, 1, 10), "overdue", 12, "month 8", None, "/o/1")


def test_a_cell_of_the_timeline_says_all_in_words():
    model = build_timeline([OWED], lanes=["CBC with differential"], today=TODAY)
    assert model.lanes[0].cells[0][0].text == "CBC with differential, month 8, due 10-Jan-2026, 12 days overdue"


@pytest.mark.parametrize("status, said", [("done", "done 09-Jan-2026"), ("late", "done late 09-Jan-2026")])
def test_a_cell_says_when_it_was_done(status, said):
    occurrence = Occurrence("TSH", date(2026, 1, 10), status, None, "", date(2026, 1, 9))
    model = build_timeline([occurrence], lanes=["TSH"], today=TODAY)
    assert model.lanes[0].cells[0][0].text == f"TSH, due 10-Jan-2026, {said}"


def test_columns_are_months_under_their_years():
    occurrences = [Occurrence("TSH", date(2025, 11, 30), "done"), Occurrence("TSH", date(2026, 2, 1), "due", 10)]
    model = build_timeline(
        occurrences, lanes=["TSH", "Skin exam"], today=TODAY, events=[Event(TODAY, "C2", "Course 2")]
    )
    assert [month.title for month in model.months] == ["Nov 2025", "Dec 2025", "Jan 2026", "Feb 2026"]
    assert [(year.number, year.months) for year in model.years] == [(2025, 2), (2026, 2)]
    assert [month.is_current for month in model.months] == [False, False, True, False]
    assert [len(cell) for cell in model.lanes[0].cells] == [1, 0, 0, 1]
    assert all(len(lane.cells) == len(model.months) for lane in model.lanes)
    assert model.months[2].events[0].short == "C2"


def test_two_occurrences_of_one_month_share_a_cell():
    twice = [Occurrence("TSH", date(2026, 1, day), "done") for day in (20, 3)]
    cell = build_timeline(twice, lanes=["TSH"], today=TODAY).lanes[0].cells[0]
    assert [mark.text[:20] for mark in cell] == ["TSH, due 03-Jan-2026", "TSH, due 20-Jan-2026"]


def test_a_patient_without_obligations_has_an_empty_timeline():
    model = build_timeline([], lanes=["TSH"], today=TODAY)
    assert [month.title for month in model.months] == ["Jan 2026"]
    assert model.statuses == ()
