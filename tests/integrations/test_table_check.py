"""Rows of a table are checked some at a time before they are loaded, and again where something about them changed."""

import io

import pytest
import xlsxwriter
from sqlalchemy import event

from clinic_tracker.domain.messages import Unreadable
from clinic_tracker.domain.table_cells import DateOrder
from clinic_tracker.domain.table_mapping import Column, Layout, TableMapping, to_json
from clinic_tracker.domain.vocabulary import InboundKind, InboundState, LocalCodeKind
from clinic_tracker.integrations import table_check
from clinic_tracker.integrations.inbox import go_on
from clinic_tracker.integrations.table_check import PartToCheck, check, turns
from clinic_tracker.models.base import db
from clinic_tracker.models.bulk import add_rows
from clinic_tracker.models.inbound import InboundResult, InboundSource, TablePart
from clinic_tracker.queries.inbound import message
from clinic_tracker.queries.inbound_uploads import upload
from clinic_tracker.queries.table_parts import complaints_of, parts_of, progress_of
from clinic_tracker.services import inbound_rows
from clinic_tracker.services.local_codes import map_code
from clinic_tracker.services.table_uploads import (
    begin_load,
    change_cells,
    choose_sheet,
    discard,
    drop_lines,
    keep_columns,
    open_upload,
)
from tests.factories import register
from tests.inbound import add_source, reports_of

COLUMNS = {"MRN": Column.MRN, "Last": Column.FAMILY_NAME, "Drawn": Column.COLLECTED, "Test": Column.TEST}
COLUMNS |= {"LOINC": Column.LOINC, "Value": Column.VALUE, "Unit": Column.UNIT}
MAPPING = to_json(TableMapping(Layout.LONG, DateOrder.MONTH_FIRST, columns=COLUMNS))
CREATININE = ("1/12/2026", "", "2160-0", "0.8", "mg/dL")
OWN_CODE = ("1/13/2026", "CREA", "", "0.9", "mg/dL")
NO_CENTURY = ("1/14/26", "", "2160-0", "0.8", "mg/dL")
NO_VALUE = ("1/15/2026", "", "3016-3", "", "m[IU]/L")


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def patient(scope):
    return register(scope).row


@pytest.fixture
def source(scope):
    return add_source(scope, "Sheet", InboundKind.TABLE)


@pytest.fixture
def checked(scope, source, patient):
    """A file with two rows that can be read and two that cannot, checked."""
    return opened(scope, source, sheet(patient, CREATININE, OWN_CODE, NO_CENTURY, NO_VALUE))


@pytest.fixture
def rehearsed(monkeypatch):
    """The lines that were put to the pipeline, turn by turn."""
    seen = []
    check_parts = table_check.check_parts

    def listen(scope, public_id, choices, parts):
        seen.append([part.parsed.position for part in parts])
        return check_parts(scope, public_id, choices, parts)

    monkeypatch.setattr(table_check, "check_parts", listen)
    return seen


def sheet(patient, *rows):
    lines = [",".join([patient.mrn, patient.family_name, *row]) for row in rows]
    return "\n".join([",".join(COLUMNS), *lines]).encode()


def opened(scope, source, raw):
    found = open_upload(scope, source.public_id, raw)
    keep_columns(scope, found, MAPPING)
    check(scope, found)
    return found


def states(scope, public_id):
    return [part.state.value for part in parts_of(scope, upload(scope, public_id), wrong=False, begin=0, limit=100)]


def test_every_row_has_what_would_become_of_it_and_nothing_is_recorded(scope, checked, patient):
    assert states(scope, checked) == ["recorded", "not_understood", "refused", "refused"]
    progress = progress_of(scope, upload(scope, checked))
    assert (progress.total, progress.checked, progress.wrong, progress.refused) == (4, 4, 3, 2)
    assert progress.is_done
    assert reports_of(patient) == []
    assert db.session.query(InboundResult).count() == 0


def test_what_is_wrong_with_cells_is_counted_by_column(scope, source, patient):
    found = opened(scope, source, sheet(patient, NO_CENTURY, NO_CENTURY, NO_VALUE))
    (century, two), (empty, one) = complaints_of(scope, upload(scope, found))
    assert (century.startswith("Drawn has a year of two digits"), two) == (True, 2)
    assert (empty, one) == ("Value is empty", 1)


def test_only_what_changed_is_put_to_the_pipeline_again(scope, checked, rehearsed):
    change_cells(scope, checked, 4, {"Drawn": "1/14/2026"})
    check(scope, checked)
    assert rehearsed == [[4]]
    assert states(scope, checked) == ["recorded", "not_understood", "recorded", "refused"]
    drop_lines(scope, checked, [5])
    check(scope, checked)
    assert rehearsed == [[4]]
    assert len(states(scope, checked)) == 3


def test_a_code_that_was_mapped_changes_the_rows_that_hold_it(scope, source, checked, rehearsed):
    map_code(scope, source.public_id, LocalCodeKind.ANALYTE, "", "CREA", "", "creatinine")
    assert not progress_of(scope, upload(scope, checked)).is_current
    check(scope, checked)
    assert rehearsed == [[3]]
    assert states(scope, checked)[1] == "recorded"
    assert progress_of(scope, upload(scope, checked)).is_done


def test_a_chart_that_was_opened_meanwhile_is_found_when_all_is_checked_anew(scope, source, patient):
    found = opened(scope, source, b",".join([b"MRN-NEW", sheet(patient, CREATININE)]).replace(b"MRN-NEW,", b""))
    assert states(scope, found) == ["recorded"]
    other = sheet(patient, CREATININE).replace(patient.mrn.encode(), b"NEW-1").replace(
        patient.family_name.encode(), b"Quist"
    )  # fmt: skip
    waiting = opened(scope, source, other)
    assert states(scope, waiting) == ["unmatched"]
    register(scope, mrn="NEW-1", family_name="Quist")
    check(scope, waiting)
    assert states(scope, waiting) == ["unmatched"]
    check(scope, waiting, anew=True)
    assert states(scope, waiting) == ["recorded"]


def test_a_long_file_is_checked_in_short_turns_and_as_much_as_a_request_may(scope, checked, rehearsed, monkeypatch):
    monkeypatch.setattr(table_check, "IN_A_TURN", 1)
    check(scope, checked, anew=True, most=3)
    assert sorted(line for turn in rehearsed for line in turn) == [2, 3, 4]
    assert max(map(len, rehearsed)) <= 2
    progress = progress_of(scope, upload(scope, checked))
    assert (progress.checked, progress.total, progress.is_done) == (3, 4, False)
    check(scope, checked)
    assert progress_of(scope, upload(scope, checked)).is_done


@pytest.mark.no_database
def test_a_turn_is_never_more_than_twice_its_size():
    parts = [PartToCheck(Unreadable(line, "", f"line {line}", ""), "") for line in range(950)]
    found = list(turns(parts))
    assert [part for turn in found for part in turn] == parts
    assert max(map(len, found)) <= 2 * table_check.IN_A_TURN


def test_the_pipeline_never_writes_more_than_one_turn_in_a_transaction(scope, checked, monkeypatch):
    monkeypatch.setattr(table_check, "IN_A_TURN", 1)
    written = []

    def begins(_connection):
        written.append(0)

    def adds(connection, table, rows):
        if table.name == "inbound_result":
            written[-1] += len(rows)
        add_rows(connection, table, rows)

    monkeypatch.setattr(inbound_rows, "add_rows", adds)
    event.listen(db.engine, "begin", begins)
    try:
        check(scope, checked, anew=True)
    finally:
        event.remove(db.engine, "begin", begins)
    assert max(written) <= 2
    assert sum(written) == 2


def test_a_check_gives_way_to_one_of_what_was_chosen_meanwhile(scope, checked, monkeypatch):
    check_parts = table_check.check_parts

    def after_another(scope, public_id, choices, parts):
        monkeypatch.setattr(table_check, "check_parts", check_parts)
        change_cells(scope, public_id, 2, {"Value": "1.1"})
        check(scope, public_id)
        return check_parts(scope, public_id, choices, parts)

    monkeypatch.setattr(table_check, "check_parts", after_another)
    check(scope, checked, anew=True)
    one = upload(scope, checked)
    assert "Creatinine 1.1" in parts_of(scope, one, wrong=False, begin=0, limit=1)[0].values[0]
    assert progress_of(scope, one).is_done


def test_nothing_of_the_check_is_left_once_the_file_is_loaded_or_given_up(scope, source, checked, patient):
    begin_load(scope, checked)
    assert db.session.query(TablePart).count() == 0
    assert go_on(scope, message(scope, checked)).counts == {"recorded": 1, "not_understood": 1, "refused": 2}
    again = opened(scope, source, sheet(patient, NO_VALUE))
    assert db.session.query(TablePart).count() == 1
    discard(scope, again)
    assert db.session.query(TablePart).count() == 0


def test_a_file_whose_columns_nobody_explained_is_not_checked(scope, source, patient):
    found = open_upload(scope, source.public_id, sheet(patient, CREATININE))
    check(scope, found)
    assert progress_of(scope, upload(scope, found)).total == 0


def workbook(patient, *names):
    """A workbook with the same row on each sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    for number, name in enumerate(names):
        page = book.add_worksheet(name)
        page.write_row(0, 0, list(COLUMNS))
        page.write_row(1, 0, [patient.mrn, patient.family_name, "1/12/2026", "", "2160-0", str(1 + number), "mg/dL"])
    book.close()
    return buffer.getvalue()


def test_of_several_sheets_the_chosen_one_is_read_also_next_time(scope, source, patient):
    found = opened(scope, source, workbook(patient, "January", "February"))
    assert progress_of(scope, upload(scope, found)).total == 0
    change_cells(scope, found, 2, {"Value": "7"})
    choose_sheet(scope, found, "February")
    check(scope, found)
    (part,) = parts_of(scope, upload(scope, found), wrong=False, begin=0, limit=9)
    assert part.state is InboundState.RECORDED
    assert "Creatinine 2" in part.values[0]
    keep_columns(scope, found, MAPPING)
    assert db.session.get(InboundSource, source.id).mapping == {**MAPPING, "sheet": "February"}
    later = open_upload(scope, source.public_id, workbook(patient, "Notes", "February", "March"))
    check(scope, later)
    assert states(scope, later) == ["recorded"]
