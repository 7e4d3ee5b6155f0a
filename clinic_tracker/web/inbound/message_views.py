"""Messages as they were received: the list, what became of each report, the bytes, and working one off again."""

import uuid
from datetime import datetime, time, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import parse_date, zone
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundKind, InboundMessageState, InboundState
from clinic_tracker.integrations.inbox import go_on, parsed_of
from clinic_tracker.queries.inbound import PAGE, MessageRow, message, raw_of, results_of, source_row
from clinic_tracker.queries.inbound import messages as messages_of
from clinic_tracker.queries.inbound import sources as sources_of
from clinic_tracker.queries.inbound_outcomes import counts, patients_of, waiting_of
from clinic_tracker.queries.inbound_uploads import is_being_checked
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.exporting import note_export
from clinic_tracker.services.inbound_refile import understand_again
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.addresses import key_in, uuid_in
from clinic_tracker.web.inbound.blueprint import AT_ONCE, blueprint
from clinic_tracker.web.inbound.presenters import MESSAGE_WORDS, shown_message, shown_messages, shown_results

MOST_SHOWN = 100
MOST_RAW = 200_000


@blueprint.get("/results/messages")
@requires(Permission.VIEW_PATIENTS)
def messages() -> str:
    """What was received, newest first."""
    scope = current_scope()
    source, state = uuid_in("source"), request.args.get("state", "")
    chosen = InboundMessageState(state) if state in set(InboundMessageState) else None
    until, day, error = _until(scope)
    rows = messages_of(scope, source=source, state=chosen, until=until, limit=PAGE + 1, before=key_in("before"))
    filters = {"source": source, "state": chosen, "until": day}
    kept: dict[str, Any] = {name: value for name, value in filters.items() if value}
    more = url_for("inbound.messages", **kept, before=rows[PAGE - 1].id) if len(rows) > PAGE else None
    return render_template(
        "inbound/messages.html",
        rows=shown_messages(scope, rows[:PAGE]),
        more=more,
        filters=filters,
        error=error,
        narrowed=len(kept),
        sources=[("", "All"), *((str(row.public_id), row.name) for row in sources_of(scope))],
        states=[("", "All"), *((key.value, words) for key, (words, _tone) in MESSAGE_WORDS.items())],
        may=Permission,
    )


@blueprint.get("/results/messages/<uuid:message>")
@requires(Permission.VIEW_PATIENTS)
def received(message: uuid.UUID) -> ResponseReturnValue:
    """One message: what became of each report, and what to do about those that wait. A table not loaded is checked."""
    scope = current_scope()
    row = _message(scope, message)
    if is_being_checked(scope, row) and scope.may(Permission.RECORD_EVIDENCE):
        return redirect(url_for("inbound.table_preview", message=message), 303)
    told = counts(scope, row.id)
    total, begin = sum(told.values()), key_in("begin") or 0
    begin = begin if begin < total else 0
    rows = results_of(scope, message, begin=begin, limit=MOST_SHOWN, waiting_first=True)
    values: dict[str, Any] = {
        "message": shown_message(row, told),
        "rows": shown_results(scope, rows),
        "begin": begin,
        "total": total,
        "size": MOST_SHOWN,
        "unread": told[InboundState.NOT_UNDERSTOOD.value],
    }
    return render_template("inbound/message.html", **values, may=Permission)


@blueprint.get("/admin/messages/<uuid:message>/raw")
@requires(Permission.MANAGE_CLINIC)
def raw(message: uuid.UUID) -> str:
    """The message as received. Who looked is noted: it may name patients that the clinic does not know."""
    scope = current_scope()
    row = _message(scope, message)
    found = raw_of(scope, message)
    shown_patients(_named_in(scope, row, found))
    note_export(scope, "received_message", {"message": str(message)})
    text = found[:MOST_RAW].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return render_template("inbound/raw.html", message=row, text=text, size=len(found), cut=len(found) > MOST_RAW)


@blueprint.post("/results/messages/<uuid:message>/replay")
@requires(Permission.RECORD_EVIDENCE)
def replay(message: uuid.UUID) -> ResponseReturnValue:
    """Go on with a message that was not finished, and read again what was not understood of it."""
    scope = current_scope()
    row = _message(scope, message)
    go_on(scope, row, at_once=AT_ONCE)
    waiting = waiting_of(scope, row.id, InboundState.NOT_UNDERSTOOD)
    changed = understand_again(scope, waiting) if waiting else 0
    flash(f"Worked off again: {changed} changed. Nothing is recorded twice.", "success")
    return redirect(url_for("inbound.received", message=message), 303)


def _message(scope: Scope, public_id: uuid.UUID) -> MessageRow:
    return message(scope, public_id)


def _named_in(scope: Scope, row: MessageRow, whole: bytes) -> list[int]:
    """Whose results the part of a message that is shown holds; of all of it where that part cannot be read alone."""
    if len(whole) <= MOST_RAW or row.kind != InboundKind.HL7:
        return patients_of(scope, row.id)
    parsed = parsed_of(scope, source_row(scope, row.source), whole[:MOST_RAW], row.file_name)
    return patients_of(scope, row.id, reports=sum(max(1, len(getattr(one, "reports", ()))) for one in parsed))


def _until(scope: Scope) -> tuple[datetime | None, str, str]:
    """The end of the day of the filter as an instant, the day as typed, and what is wrong with it."""
    text = request.args.get("until", "").strip()[:20]
    if not text:
        return None, "", ""
    try:
        day = parse_date(text, scope.today, "until")
    except RuleViolation as violation:
        return None, text, violation.message
    return datetime.combine(day + timedelta(days=1), time.min, zone(scope.time_zone)), text, ""
