"""Tables of results: what the columns mean, what each row says, and which cell cannot be read."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.messages import LOINC, ReportState, ResultMessage, Unreadable
from clinic_tracker.domain.table_cells import CellError, DateOrder, Row, Table, read_day, read_range
from clinic_tracker.domain.table_mapping import (
    Column,
    Layout,
    MeasuredColumn,
    NameOrder,
    TableMapping,
    complaints,
    from_json,
    suggest,
    to_json,
)
from clinic_tracker.domain.table_rows import apply, changed
from clinic_tracker.domain.vocabulary import Sex

ZONE = ZoneInfo("America/Chicago")
TITLES = ("MRN", "Last", "First", "DOB", "Sex", "Drawn", "Test", "LOINC", "Result", "Units", "Range", "Status")
COLUMNS = dict(
    zip(
        TITLES,
        (
            Column.MRN,
            Column.FAMILY_NAME,
            Column.GIVEN_NAME,
            Column.BIRTH_DATE,
            Column.SEX,
            Column.COLLECTED,
            Column.TEST,
            Column.LOINC,
            Column.VALUE,
            Column.UNIT,
            Column.RANGE,
            Column.STATUS,
        ),
        strict=True,
    )
)
LONG = TableMapping(Layout.LONG, DateOrder.MONTH_FIRST, columns=COLUMNS)
GOOD = {
    "MRN": "100", "Last": "Abel", "First": "Mara", "DOB": "03/04/1980", "Sex": "F", "Drawn": "1/12/2026",
    "Test": "PLT", "LOINC": "777-3", "Result": "251", "Units": "10*3/uL", "Range": "150-400", "Status": "",
}  # fmt: skip


def rows(*changes):
    return [Row(line, tuple({**GOOD, **change}.values())) for line, change in enumerate(changes, start=2)]


def long(*changes, mapping=LONG):
    return apply(mapping, TITLES, rows(*changes), ZONE)


def test_rows_of_one_patient_and_day_are_one_report():
    (message,) = long({}, {"LOINC": "6690-2", "Test": "WBC", "Result": "6.1", "Range": ""})
    (report,) = message.reports
    assert (message.position, message.entries) == (2, (2, 3))
    assert (message.identity.birth_date, message.identity.sex) == (date(1980, 3, 4), Sex.FEMALE)
    assert report.collected_on == date(2026, 1, 12)
    assert [(line.codes[0].code, line.codes[0].system, line.text) for line in report.values] == [
        ("777-3", LOINC, "251"),
        ("6690-2", LOINC, "6.1"),
    ]
    assert (report.values[0].low, report.values[0].high) == ("150", "400")


@pytest.mark.parametrize(
    "cell, title",
    [
        ({"DOB": "04/03/80"}, "DOB"),
        ({"DOB": "13/04/1980"}, "DOB"),
        ({"Drawn": ""}, "Drawn"),
        ({"Drawn": "soon"}, "Drawn"),
        ({"Drawn": "1/12/2026 25:00"}, "Drawn"),
        ({"Result": ""}, "Result"),
        ({"Test": "", "LOINC": ""}, "Test"),
        ({"Sex": "x"}, "Sex"),
        ({"Status": "perhaps"}, "Status"),
        ({"MRN": "", "Last": ""}, "MRN"),
        ({"Test": "t" * 501}, "Test"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_and_the_other_rows_go_on(cell, title):
    wrong, right = long(cell, {"MRN": "200"})
    assert isinstance(wrong, Unreadable)
    assert wrong.where == f"line 2, column {title}"
    assert "Abel" not in wrong.message
    assert isinstance(right, ResultMessage)


def test_the_same_row_twice_says_it_once_and_a_contradiction_is_refused():
    (message,) = long({}, {})
    assert len(message.reports[0].values) == 1
    first, second, other = long({}, {"Result": "90"}, {"LOINC": "6690-2"})
    assert (first.where, second.where) == ("line 2", "line 3")
    assert "Line 3 says something else" in first.message
    assert other.entries == (4,)


def test_a_corrected_row_stands_beside_the_first_one():
    (message,) = long({}, {"Result": "90", "Status": "corrected"})
    assert [value.state for value in message.reports[0].values] == [ReportState.FINAL, ReportState.CORRECTED]


def test_a_pending_test_needs_no_value():
    (message,) = long({"Result": "", "Status": "pending"})
    assert message.reports[0].state is ReportState.PENDING


def test_the_number_of_a_report_stays_when_only_its_value_changes():
    (first,), (second,), (other,) = long({}), long({"Result": "90"}), long({"MRN": "200"})
    assert first.reports[0].key == second.reports[0].key != other.reports[0].key


def test_an_order_number_parts_two_draws_of_a_day_but_two_patients_may_share_it():
    mapping = TableMapping(Layout.LONG, DateOrder.MONTH_FIRST, columns=COLUMNS | {"Range": Column.ORDER})
    one, two = long({"Range": "1"}, {"Range": "2", "Result": "90"}, mapping=mapping)
    assert one.reports[0].key != two.reports[0].key
    one, two = long({"Range": "1"}, {"Range": "1", "MRN": "200"}, mapping=mapping)
    assert one.reports[0].key != two.reports[0].key


def test_a_wide_table_has_a_unit_for_each_column():
    mapping = TableMapping(
        Layout.WIDE,
        DateOrder.DAY_FIRST,
        NameOrder.GIVEN_FIRST,
        {"Patient": Column.FULL_NAME, "Born": Column.BIRTH_DATE, "Date": Column.COLLECTED},
        {"PLT": MeasuredColumn("777-3", "10*3/uL"), "Odd": MeasuredColumn("", "mg")},
    )
    header = ("Patient", "Born", "Date", "PLT", "Odd")
    table = [
        Row(2, ("Mara Abel", "4 Mar 1980", "12/01/2026 08:30", "251", "")),
        Row(3, ("Abel, Mara", "1980-03-04", "13.01.2026", "", "7")),
        Row(4, ("Abel, Mara", "1980-03-04", "14.01.2026", "", "")),
    ]
    first, second, empty = apply(mapping, header, table, ZONE)
    assert first.identity == second.identity
    assert first.reports[0].collected_at.isoformat() == "2026-01-12T08:30:00-06:00"
    assert (second.reports[0].values[0].codes[0].code, second.reports[0].values[0].unit) == ("Odd", "mg")
    assert isinstance(empty, Unreadable)


def test_a_mapping_that_does_not_fit_the_file_takes_nothing():
    (refused,) = apply(LONG, ("A", "B"), [Row(2, ("1", "2"))], ZONE)
    assert "no column called" in refused.message


@pytest.mark.parametrize(
    "mapping, word",
    [
        (TableMapping(Layout.LONG, None, columns=COLUMNS), "order dates"),
        (TableMapping(Layout.LONG, DateOrder.DAY_FIRST, columns={}), "MRN"),
        (TableMapping(Layout.WIDE, DateOrder.DAY_FIRST, columns=COLUMNS), "at least one column"),
        (TableMapping(Layout.LONG, DateOrder.DAY_FIRST, columns=COLUMNS | {"Sex": Column.MRN}), "Two columns"),
    ],
)
def test_what_a_mapping_lacks_is_said(mapping, word):
    assert word in " ".join(complaints(mapping, TITLES))


@pytest.mark.parametrize("order", list(DateOrder))
def test_dates_are_read_in_the_order_chosen_only(order):
    written = {"mdy": "01/12/2026", "dmy": "12.01.2026", "ymd": "2026/01/12"}[order]
    for text in (written, "2026-01-12", "12 January 2026", "Jan 12, 2026"):
        assert read_day(text, order, ZONE).on == date(2026, 1, 12)


@pytest.mark.parametrize("text", ["", "1/2/26", "2026-02-30", "1/2", "31/12/2026", "1/2/2026 noon", "0001-01-01"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(CellError):
        read_day(text, DateOrder.MONTH_FIRST, ZONE)


@pytest.mark.parametrize(
    "text, limits", [("150 - 400", ("150", "400")), ("<5", ("", "5")), (">=60", ("60", "")), ("none", ("", ""))]
)
def test_printed_ranges(text, limits):
    assert read_range(text) == limits


def test_titles_suggest_what_columns_mean_but_never_the_order_of_dates():
    found = suggest(("MRN", "Last Name", "DOB", "Collection Date", "Test Name", "Result", "Units", "Odd"), {})
    assert found.layout is Layout.LONG
    assert found.columns["Collection Date"] is Column.COLLECTED
    assert "Odd" not in found.columns
    assert found.dates is None


def test_names_of_tests_suggest_a_wide_table_with_the_units_of_its_titles():
    found = suggest(("MRN", "Date", "Platelets (10*3/uL)"), {"Platelets": "777-3"})
    assert found.layout is Layout.WIDE
    assert found.tests == {"Platelets (10*3/uL)": MeasuredColumn("777-3", "10*3/uL")}


def test_a_mapping_is_kept_and_read_again():
    assert from_json(to_json(LONG)) == LONG
    for broken in ({}, {"layout": "odd"}, {"layout": "long", "columns": {"A": "odd"}, "tests": {}}):
        assert from_json(broken) is None


def test_changed_cells_and_dropped_lines():
    table = Table("", ("A", "B"), (Row(2, ("1",)), Row(3, ("2", "3")), Row(4, ("5", "6"))))
    left = changed(table, {"2": {"B": "9", "none": "x"}, "8": {"A": "1"}}, [3])
    assert left == [Row(2, ("1", "9")), Row(4, ("5", "6"))]


CELLS = st.one_of(st.sampled_from([*GOOD.values(), "<0.1", "2026-13-40", "99/99/9999"]), st.text(max_size=12))


@given(st.lists(st.lists(CELLS, max_size=14).map(tuple), max_size=6), st.sampled_from(list(DateOrder)))
def test_whatever_the_cells_hold_every_line_is_answered_once(cells, order):
    mapping = TableMapping(Layout.LONG, order, columns=COLUMNS)
    table = [Row(line, row) for line, row in enumerate(cells, start=2)]
    parsed = apply(mapping, TITLES, table, ZONE)
    positions = [one.position for one in parsed]
    assert len(positions) == len(set(positions))
    assert sorted(line for one in parsed for line in one.entries) == [row.line for row in table]
