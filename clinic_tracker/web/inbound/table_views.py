"""Tables of results: brought in, their columns explained, their rows checked and corrected, loaded or given up."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.table_cells import Table
from clinic_tracker.domain.table_mapping import complaints, from_json, suggest, to_json
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.inbox import go_on
from clinic_tracker.integrations.tables import TableError, read_table
from clinic_tracker.queries.inbound import message as find_message
from clinic_tracker.queries.inbound import sources as sources_of
from clinic_tracker.queries.inbound_uploads import Upload, upload, uploads
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.table_uploads import (
    begin_load,
    change_cells,
    discard,
    drop_lines,
    keep_columns,
    open_upload,
)
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import as_uuids, key_in
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.inbound.blueprint import blueprint
from clinic_tracker.web.inbound.table_forms import ColumnsForm, TableUploadForm, columns_form, row_form, tests_by_name
from clinic_tracker.web.inbound.table_rows import cells_of, preview_of, table_of, tell_log

MOST_BYTES = 8 * 1024 * 1024
PAGE = 50
SAMPLES = 3
MEGABYTE = 1024 * 1024


@blueprint.route("/results/tables", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def tables() -> ResponseReturnValue:
    """The tables that are being checked, and one more."""
    scope = current_scope()
    sources = [row for row in sources_of(scope) if row.is_active and row.kind == InboundKind.TABLE]
    form = TableUploadForm()
    form.source.choices = [("", "Choose"), *((str(row.public_id), row.name) for row in sources)]
    if len(sources) == 1 and not form.source.data:
        form.source.data = str(sources[0].public_id)
    if form.validate_on_submit() and (opened := _open(scope, form)):
        return redirect(url_for("inbound.received", message=opened), 303)
    values = {"form": form, "sources": sources, "waiting": uploads(scope), "megabytes": MOST_BYTES // MEGABYTE}
    return render_template("inbound/tables.html", **values), status_of(form)


@blueprint.route("/results/tables/<uuid:message>/columns", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def table_columns(message: uuid.UUID) -> ResponseReturnValue:
    """Say what each column means; remembered for the source."""
    scope = current_scope()
    one = upload(scope, message)
    table = table_of(scope, one)
    catalog = lab_catalog(scope)
    kept = from_json(one.draft.mapping)
    known = kept if kept and not complaints(kept, table.header) else None
    form = columns_form(table.header, catalog, known or suggest(table.header, tests_by_name(catalog)))
    if form.validate_on_submit() and _columns_kept(scope, one, table, form):
        flash("Columns remembered.", "success")
        return redirect(url_for("inbound.table_preview", message=message), 303)
    pairs = [(*fields, [row.cells[place] for row in table.rows[:SAMPLES] if place < len(row.cells)])
             for place, fields in enumerate(form.pairs(table.header))]  # fmt: skip
    return render_template("inbound/table_columns.html", form=form, pairs=pairs, upload=one, table=table), status_of(
        form
    )


@blueprint.get("/results/tables/<uuid:message>")
@requires(Permission.RECORD_EVIDENCE)
def table_preview(message: uuid.UUID) -> ResponseReturnValue:
    """Every row as it will be recorded, and what is wrong with which cell."""
    scope = current_scope()
    one = upload(scope, message)
    table = table_of(scope, one)
    kept = from_json(one.draft.mapping)
    if kept is None or complaints(kept, table.header):
        return redirect(url_for("inbound.table_columns", message=message), 303)
    preview = preview_of(scope, one)
    chosen = preview.wrong if request.args.get("show") == "wrong" else preview.parts
    begin = (key_in("page") or 0) * PAGE
    shown = chosen[begin : begin + PAGE]
    tell_log(shown)
    values = {"begin": begin, "total": len(chosen), "size": PAGE, "only_wrong": chosen is preview.wrong}
    return render_template("inbound/table_preview.html", upload=one, preview=preview, shown=shown, **values)


@blueprint.route("/results/tables/<uuid:message>/rows/<int:line>", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def table_row(message: uuid.UUID, line: int) -> ResponseReturnValue:
    """Correct the cells of a row; the file as received stays as it is."""
    scope = current_scope()
    one = upload(scope, message)
    table = table_of(scope, one)
    cells = cells_of(table, one, line)
    if cells is None:
        abort(404)
    form = row_form(table.header, cells)
    if form.validate_on_submit():
        changed = {title: text for title, text in form.cells(table.header).items() if text != cells[title]}
        if not changed or accepted(form, change_cells, scope, message, line, changed):
            flash("Row checked again.", "success")
            return redirect(url_for("inbound.table_preview", message=message), 303)
    return render_template("inbound/table_row.html", form=form, upload=one, line=line, table=table), status_of(form)


@blueprint.post("/results/tables/<uuid:message>/<any(drop, restore):change>")
@requires(Permission.RECORD_EVIDENCE)
def table_lines(message: uuid.UUID, change: str) -> ResponseReturnValue:
    """Leave lines out, or take them in again."""
    lines = [int(text) for text in request.form.get("lines", "").split(",") if text.isdecimal() and len(text) < 10]  # noqa: PLR2004
    drop_lines(current_scope(), message, lines, back=change == "restore")
    flash("Left out." if change == "drop" else "Taken in again.", "success")
    return redirect(url_for("inbound.table_preview", message=message), 303)


@blueprint.post("/results/tables/<uuid:message>/load")
@requires(Permission.RECORD_EVIDENCE)
def load_table(message: uuid.UUID) -> ResponseReturnValue:
    """Record what can be recorded; the report follows."""
    scope = current_scope()
    begin_load(scope, message)
    go_on(scope, find_message(scope, message))
    flash("Loaded. What could not be recorded is listed below.", "success")
    return redirect(url_for("inbound.received", message=message), 303)


@blueprint.post("/results/tables/<uuid:message>/discard")
@requires(Permission.RECORD_EVIDENCE)
def discard_table(message: uuid.UUID) -> ResponseReturnValue:
    """Give up a file of which nothing was recorded."""
    discard(current_scope(), message)
    flash("Discarded. Nothing of the file was recorded.", "success")
    return redirect(url_for("inbound.tables"), 303)


def _open(scope: Scope, form: TableUploadForm) -> uuid.UUID | None:
    """The upload, once it is a table that can be read; the reason on the form where it is none."""
    raw = form.file.data.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        form.file.errors = [f"The file is larger than {MOST_BYTES // MEGABYTE} MB: send it in parts"]
        return None
    try:
        read_table(raw)
        return open_upload(scope, as_uuids([form.source.data])[0], raw, form.file.data.filename)
    except TableError as error:
        form.file.errors = [str(error)]
    except RuleViolation as violation:
        form.refuse(violation)
    return None


def _columns_kept(scope: Scope, one: Upload, table: Table, form: ColumnsForm) -> bool:
    mapping = form.mapping(table.header)
    wrong = complaints(mapping, table.header)
    for words in wrong:
        form.refuse(RuleViolation("columns", None, words))
    return not wrong and accepted(form, keep_columns, scope, one.row.public_id, to_json(mapping))
