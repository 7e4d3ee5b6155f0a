"""Tables that a person checks before they are loaded."""

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.table_cells import DateOrder
from clinic_tracker.domain.table_mapping import Column, Layout, TableMapping, to_json
from clinic_tracker.domain.vocabulary import InboundKind, InboundState
from clinic_tracker.integrations.inbox import go_on, receive
from clinic_tracker.integrations.tables import parse
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource
from clinic_tracker.queries.inbound import message, raw_of
from clinic_tracker.queries.inbound_uploads import ready, upload, uploads
from clinic_tracker.services.table_checks import rehearse_parts
from clinic_tracker.services.table_uploads import (
    begin_load,
    change_cells,
    discard,
    drop_lines,
    keep_columns,
    open_upload,
)
from tests.factories import register
from tests.inbound import add_source, reports_of

MAPPING = to_json(
    TableMapping(
        Layout.LONG,
        DateOrder.MONTH_FIRST,
        columns={
            "MRN": Column.MRN,
            "Last": Column.FAMILY_NAME,
            "Drawn": Column.COLLECTED,
            "LOINC": Column.LOINC,
            "Value": Column.VALUE,
            "Unit": Column.UNIT,
        },
    )
)


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
def raw(patient):
    lines = ["MRN,Last,Drawn,LOINC,Value,Unit"]
    for loinc, value, unit in (("777-3", "251", "10*3/uL"), ("2160-0", "0.8", "mg/dL"), ("3016-3", "", "m[IU]/L")):
        lines.append(f"{patient.mrn},{patient.family_name},1/12/2026,{loinc},{value},{unit}")
    lines.append("NOBODY-1,Zzyzx,1/12/2026,777-3,99,10*3/uL")
    return "\n".join(lines).encode()


@pytest.fixture
def opened(scope, source, raw):
    found = open_upload(scope, source.public_id, raw, "sheet.csv")
    keep_columns(scope, found, MAPPING)
    return found


def test_nothing_is_recorded_before_somebody_says_so(scope, opened, patient):
    assert [one.row.public_id for one in uploads(scope)] == [opened]
    assert ready(scope) == []
    with pytest.raises(RuleViolation, match="being checked"):
        go_on(scope, message(scope, opened))
    assert reports_of(patient) == []


def test_a_rehearsal_says_what_every_row_would_become_and_keeps_nothing(scope, opened, source, raw, patient):
    one = upload(scope, opened)
    parsed = parse(raw, scope.time_zone, one.draft.as_mapping())
    seen = rehearse_parts(scope, source.public_id, parsed)
    assert [row.state for row in seen.results] == [
        InboundState.RECORDED,
        InboundState.REFUSED,
        InboundState.UNMATCHED,
    ]
    assert any("251" in words for words in seen.recorded[0])
    assert reports_of(patient) == []
    assert db.session.query(InboundResult).count() == 0


def test_the_good_rows_are_loaded_and_a_changed_cell_with_them(scope, opened, patient):
    change_cells(scope, opened, 4, {"Value": "1.9"})
    drop_lines(scope, opened, [5])
    begin_load(scope, opened)
    done = go_on(scope, message(scope, opened))
    assert done.counts == {"recorded": 1}
    assert {row.panel for row in reports_of(patient)} == {"cbc_diff", "creatinine", "tsh"}
    assert uploads(scope) == []
    kept = db.session.query(InboundMessage).one()
    assert kept.answer["draft"]["changes"] == {"4": {"Value": "1.9"}}
    assert b"1.9" not in raw_of(scope, opened)
    events = db.session.query(AuditEvent).filter_by(subject_type="inbound_message").order_by(AuditEvent.id)
    actions = [event.action for event in events]
    assert actions == ["inbound_message.changed", "inbound_message.changed", "inbound_message.loaded"]


def test_bad_rows_are_kept_with_their_reason_and_the_rest_is_recorded(scope, opened, patient):
    begin_load(scope, opened)
    done = go_on(scope, message(scope, opened))
    assert done.counts == {"recorded": 1, "refused": 1, "unmatched": 1}
    assert len(reports_of(patient)) == 2


def test_dropped_lines_come_back(scope, opened):
    drop_lines(scope, opened, [2, 3])
    drop_lines(scope, opened, [3], back=True)
    assert upload(scope, opened).draft.dropped == (2,)


def test_the_same_file_again_is_the_same_upload_also_when_it_was_loaded(scope, opened, source, raw, patient):
    assert open_upload(scope, source.public_id, raw) == opened
    begin_load(scope, opened)
    go_on(scope, message(scope, opened))
    assert open_upload(scope, source.public_id, raw) == opened
    with pytest.raises(NotFound):
        begin_load(scope, opened)
    assert len(reports_of(patient)) == 2


def test_a_corrected_file_replaces_what_the_first_one_said(scope, opened, source, raw, patient):
    begin_load(scope, opened)
    go_on(scope, message(scope, opened))
    again = receive(scope, source.public_id, raw.replace(b"251", b"90"), "later.csv")
    assert again.counts["recorded"] == 1
    assert len(reports_of(patient)) == 2
    assert len(reports_of(patient, None)) == 3


def test_a_given_up_file_is_gone_and_may_come_again(scope, opened, source, raw):
    discard(scope, opened)
    assert db.session.query(InboundMessage).count() == 0
    assert db.session.query(AuditEvent).filter_by(action="inbound_message.discarded").count() == 1
    assert open_upload(scope, source.public_id, raw) != opened


def test_a_loaded_file_cannot_be_given_up(scope, opened):
    begin_load(scope, opened)
    for change in (discard, begin_load):
        with pytest.raises(NotFound):
            change(scope, opened)


def test_columns_are_remembered_for_the_source_and_files_then_come_without_a_person(scope, opened, source, raw):
    assert db.session.get(InboundSource, source.id).mapping == MAPPING
    done = receive(scope, source.public_id, raw + b"\n", "next.csv")
    assert done.counts["recorded"] == 1


def test_a_table_without_known_columns_is_not_kept(scope, source, raw):
    with pytest.raises(RuleViolation, match="has not been chosen"):
        receive(scope, source.public_id, raw, "sheet.csv")
    assert db.session.query(InboundMessage).count() == 0


def test_a_file_that_did_not_fit_the_columns_is_opened_again(scope, opened, source):
    done = receive(scope, source.public_id, b"A,B\n1,2\n", "odd.csv")
    assert done.refused
    assert open_upload(scope, source.public_id, b"A,B\n1,2\n") == done.message
    assert upload(scope, done.message).row.state == "received"


def test_messages_are_no_tables(scope, raw):
    lab = add_source(scope, "City Lab", InboundKind.HL7)
    with pytest.raises(RuleViolation, match="not tables"):
        open_upload(scope, lab.public_id, raw)


def test_another_clinic_does_not_see_it(scope_for, cast, opened):
    stranger = scope_for(cast.stranger)
    assert uploads(stranger) == []
    for change in (upload, discard, begin_load):
        with pytest.raises(NotFound):
            change(stranger, opened)


def test_a_long_cell_is_refused(scope, opened):
    with pytest.raises(RuleViolation, match="characters or fewer"):
        change_cells(scope, opened, 2, {"Value": "1" * 501})
