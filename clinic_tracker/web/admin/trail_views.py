"""The audit trail: changes and looks, filtered, paged, exported."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import parse_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.exports.tables import csv_lines
from clinic_tracker.queries.administration import members
from clinic_tracker.queries.audit_trail import PAGE, ChangeRow, LookRow, TrailFilter, changes, looks
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.exporting import note_export
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.addresses import key_in
from clinic_tracker.web.admin.blueprint import blueprint
from clinic_tracker.web.admin.trail_words import ACTION_GROUPS, LOOK_GROUPS, action_words, changed_words, look_words

_CHANGE_COLUMNS = ("at_utc", "who", "action", "mrn", "subject", "reason", "before", "after", "address")
_CHUNK = 500


@blueprint.get("/audit")
@requires(Permission.VIEW_AUDIT)
def audit() -> ResponseReturnValue:
    """What was changed, the newest first."""
    scope = current_scope()
    wanted, problem = _wanted(scope)
    rows = changes(scope, wanted) if problem is None else []
    shown_patients([row.patient_id for row in rows if row.patient_id is not None])
    return render_template(
        "admin/audit.html",
        rows=[(row, action_words(row.action), changed_words(row)) for row in rows[:PAGE]],
        next_url=_next("admin.audit", rows),
        groups=ACTION_GROUPS,
        **_common(scope, problem),
    ), 400 if problem else 200


@blueprint.get("/access")
@requires(Permission.VIEW_AUDIT)
def access() -> ResponseReturnValue:
    """Who looked at what, the newest first."""
    scope = current_scope()
    wanted, problem = _wanted(scope)
    rows = looks(scope, wanted) if problem is None else []
    shown_patients([row.patient_id for row in rows if row.patient_id is not None])
    return render_template(
        "admin/access.html",
        rows=[(row, look_words(row.endpoint)) for row in rows[:PAGE]],
        next_url=_next("admin.access", rows),
        groups=LOOK_GROUPS,
        **_common(scope, problem),
    ), 400 if problem else 200


@blueprint.get("/audit.csv")
@requires(Permission.VIEW_AUDIT, Permission.EXPORT_DATA)
def audit_csv() -> ResponseReturnValue:
    """The changes of the filter, all of them, as CSV."""
    scope = current_scope()
    wanted, problem = _wanted(scope)
    if problem is not None:
        abort(400, problem)
    note_export(scope, "audit trail", dict(request.args))
    lines = csv_lines(_CHANGE_COLUMNS, (_change_cells(row) for row in _all(scope, wanted)))
    return Response("".join(lines), mimetype="text/csv", headers=_attachment("audit-trail"))


def _all(scope: Scope, wanted: TrailFilter) -> Iterator[ChangeRow]:
    """Every change of the filter, page after page."""
    before = wanted.before_id
    while True:
        page = changes(scope, replace(wanted, before_id=before), _CHUNK)
        yield from page[:_CHUNK]
        if len(page) <= _CHUNK:
            return
        before = page[_CHUNK - 1].id


def _change_cells(row: ChangeRow) -> tuple[Any, ...]:
    return (row.at, row.actor, row.action, row.mrn, row.subject_type, row.reason, row.before, row.after, row.ip)


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.csv"'}


def _wanted(scope: Scope) -> tuple[TrailFilter, str | None]:
    """The filter of the address, and what is wrong with it."""
    args = request.args
    try:
        return TrailFilter(
            from_on=_day(scope, args.get("from", ""), "from"),
            to_on=_day(scope, args.get("to", ""), "to"),
            person=_uuid(args.get("person", "")),
            patient=_uuid(args.get("chart", "")),
            action=args.get("action") or None,
            before_id=key_in("before"),
        ), None
    except RuleViolation as violation:
        return TrailFilter(), violation.message


def _day(scope: Scope, text: str, field: str) -> date | None:
    return parse_date(text, scope.today, field) if text.strip() else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise RuleViolation("filter", None, "The filter of this address cannot be read.") from error


def _next(endpoint: str, rows: list[ChangeRow] | list[LookRow]) -> str | None:
    if len(rows) <= PAGE:
        return None
    return url_for(endpoint, **{**request.args.to_dict(), "before": rows[PAGE - 1].id})  # type: ignore[arg-type]


def _common(scope: Scope, problem: str | None) -> dict[str, Any]:
    return {
        "problem": problem,
        "people": [(str(row.public_id), row.name) for row in members(scope)],
        "args": request.args,
        "active": sum(bool(request.args.get(name)) for name in ("from", "to", "person", "chart", "action")),
    }
