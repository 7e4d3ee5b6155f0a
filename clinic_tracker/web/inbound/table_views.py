"""Tables of results: brought in, their columns explained, their rows checked and corrected, loaded or given up."""

import uuid
from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.table_cells import Row, Table
from clinic_tracker.domain.table_mapping import TableMapping, complaints, suggest, to_json
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.inbox import go_on
from clinic_tracker.integrations.table_check import cells_now, check, columns_of, table_of
from clinic_tracker.integrations.tables import SeveralSheets, TableError, read_table, read_tables
from clinic_tracker.queries.inbound import message as find_message
from clinic_tracker.queries.inbound import raw_of
from clinic_tracker.queries.inbound import sources as sources_of
from clinic_tracker.queries.inbound_uploads import Upload, is_being_checked, upload, uploads
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.table_parts import complaints_of, parts_of, progress_of, refused_lines, unknown_in
from clinic_tracker.services.table_uploads import (
    begin_load,
    change_cells,
    choose_sheet,
    discard,
    drop_lines,
    keep_columns,
    open_upload,
)
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import as_uuids
from clinic_tracker.web.filters import plural
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.inbound.blueprint import AT_ONCE, blueprint
from clinic_tracker.web.inbound.presenters import STATE_WORDS
from clinic_tracker.web.inbound.table_forms import (
    ColumnsForm,
    TableUploadForm,
    columns_form,
    row_form,
    sheet_form,
    tests_by_name,
)
from clinic_tracker.web.inbound.table_rows import place_in_preview, preview_url, shown_parts, tell_log

MOST_BYTES = 8 * 1024 * 1024
PAGE = 50
SAMPLES = 3
MOST_DIGITS = 9  # of a line
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


@blueprint.route("/results/tables/<uuid:message>/sheet", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def table_sheet(message: uuid.UUID) -> ResponseReturnValue:
    """Say which sheet of a workbook is read."""
    scope = current_scope()
    one = upload(scope, message)
    sheets = [table for table in read_tables(raw_of(scope, message)) if table.rows]
    if len(sheets) == 1:
        return redirect(url_for("inbound.table_columns", message=message), 303)
    form = sheet_form([(table.name, table.header, len(table.rows)) for table in sheets], one.draft.sheet)
    if form.validate_on_submit() and accepted(form, choose_sheet, scope, message, sheets[int(form.sheet.data)].name):
        check(scope, message)
        return redirect(url_for("inbound.table_columns", message=message), 303)
    return render_template("inbound/table_sheet.html", form=form, upload=one), status_of(form)


@blueprint.route("/results/tables/<uuid:message>/columns", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def table_columns(message: uuid.UUID) -> ResponseReturnValue:
    """Say what each column means; remembered for the source."""
    scope = current_scope()
    one = upload(scope, message)
    try:
        table = table_of(scope, one)
    except SeveralSheets:
        return redirect(url_for("inbound.table_sheet", message=message), 303)
    catalog = lab_catalog(scope)
    columns = columns_of(one, table) or suggest(table.header, tests_by_name(catalog))
    form = columns_form(table.header, catalog, columns)
    if form.validate_on_submit() and _columns_kept(scope, one, table, form):
        check(scope, message)
        flash("Columns remembered.", "success")
        return redirect(url_for("inbound.table_preview", message=message), 303)
    first = table.rows[:SAMPLES]
    tell_log(scope, table, columns, first)
    pairs = [(*fields, [row.cells[place] for row in first if place < len(row.cells)])
             for place, fields in enumerate(form.pairs(table.header))]  # fmt: skip
    values = {"form": form, "pairs": pairs, "upload": one, "table": table}
    return render_template("inbound/table_columns.html", **values), status_of(form)


@blueprint.get("/results/tables/<uuid:message>")
@requires(Permission.RECORD_EVIDENCE)
def table_preview(message: uuid.UUID) -> ResponseReturnValue:
    """Every row as it will be recorded, and what is wrong with which cell."""
    scope = current_scope()
    one = upload(scope, message)
    progress = progress_of(scope, one)
    if not progress.is_current and _read(scope, one) is None:
        return redirect(url_for("inbound.table_columns", message=message), 303)
    place = place_in_preview()
    only_wrong, begin = place.get("show") == "wrong", place.get("page", 0) * PAGE
    shown = shown_parts(scope, parts_of(scope, one, wrong=only_wrong, begin=begin, limit=PAGE))
    values = {
        "begin": begin,
        "size": PAGE,
        "only_wrong": only_wrong,
        "total": progress.wrong if only_wrong else progress.checked,
        "counts": [(*STATE_WORDS[state], number) for state, number in progress.counts.items()],
        "complaints": complaints_of(scope, one),
        "unknown": unknown_in(scope, one),
        "place": place,
    }
    return render_template("inbound/table_preview.html", upload=one, progress=progress, shown=shown, **values)


@blueprint.route("/results/tables/<uuid:message>/rows/<int:line>", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def table_row(message: uuid.UUID, line: int) -> ResponseReturnValue:
    """Correct the cells of a row; the file as received stays as it is."""
    scope = current_scope()
    one = upload(scope, message)
    table, columns = _read(scope, one) or abort(404)
    row = next((row for row in table.rows if row.line == line), None) or abort(404)
    cells = cells_now(table, one, row)
    form = row_form(table.header, cells)
    if form.validate_on_submit():
        changed = {title: text for title, text in form.cells(table.header).items() if text != cells[title]}
        also = _saying_the_same(table, one, cells, changed) if "everywhere" in request.form else []
        if not changed or accepted(form, change_cells, scope, message, line, changed, also=also):
            check(scope, message)
            flash(f"{plural(len({line, *also}), 'row')} checked again.", "success")
            return redirect(preview_url(message), 303)
    tell_log(scope, table, columns, [row, Row(line, tuple(cells.values()))])
    values = {"form": form, "upload": one, "line": line, "table": table, "place": place_in_preview()}
    return render_template("inbound/table_row.html", **values), status_of(form)


@blueprint.post("/results/tables/<uuid:message>/<any(drop, restore):change>")
@requires(Permission.RECORD_EVIDENCE)
def table_lines(message: uuid.UUID, change: str) -> ResponseReturnValue:
    """Leave lines out, or take them in again."""
    scope = current_scope()
    drop_lines(scope, message, _lines_meant(scope, upload(scope, message)), back=change == "restore")
    check(scope, message)
    flash("Left out." if change == "drop" else "Taken in again.", "success")
    return redirect(preview_url(message), 303)


@blueprint.post("/results/tables/<uuid:message>/check")
@requires(Permission.RECORD_EVIDENCE)
def check_table(message: uuid.UUID) -> ResponseReturnValue:
    """Go on with the check; all of it anew where it was done, as charts may have changed since."""
    scope = current_scope()
    check(scope, message, anew=progress_of(scope, upload(scope, message)).is_done)
    return redirect(preview_url(message), 303)


@blueprint.post("/results/tables/<uuid:message>/load")
@requires(Permission.RECORD_EVIDENCE)
def load_table(message: uuid.UUID) -> ResponseReturnValue:
    """Record what can be recorded; the report follows."""
    scope = current_scope()
    begin_load(scope, message)
    go_on(scope, find_message(scope, message), at_once=AT_ONCE)
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
        if not any(table.rows for table in read_tables(raw)):
            read_table(raw)
        opened = open_upload(scope, as_uuids([form.source.data])[0], raw, form.file.data.filename)
    except TableError as error:
        form.file.errors = [str(error)]
    except RuleViolation as violation:
        form.refuse(violation)
    else:
        if is_being_checked(scope, find_message(scope, opened)):
            check(scope, opened)
        return opened
    return None


def _saying_the_same(table: Table, one: Upload, cells: Mapping[str, str], changed: Mapping[str, str]) -> list[int]:
    """The lines whose cells say in the changed columns what this row said."""
    return [
        row.line for row in table.rows if all(cells_now(table, one, row)[title] == cells[title] for title in changed)
    ]


def _lines_meant(scope: Scope, one: Upload) -> list[int]:
    """The lines that a button of the preview is about: some, those that cannot be read, or those left out."""
    match request.form.get("which"):
        case "refused":
            return refused_lines(scope, one)
        case "dropped":
            return list(one.draft.dropped)
    texts = request.form.get("lines", "").split(",")
    return [int(text) for text in texts if text.isdecimal() and len(text) <= MOST_DIGITS]


def _read(scope: Scope, one: Upload) -> tuple[Table, TableMapping] | None:
    """The table of a file and what its columns mean, once both are known."""
    try:
        table = table_of(scope, one)
    except TableError:
        return None
    columns = columns_of(one, table)
    return None if columns is None else (table, columns)


def _columns_kept(scope: Scope, one: Upload, table: Table, form: ColumnsForm) -> bool:
    mapping = form.mapping(table.header)
    wrong = complaints(mapping, table.header)
    for words in wrong:
        form.refuse(RuleViolation("columns", None, words))
    return not wrong and accepted(form, keep_columns, scope, one.row.public_id, to_json(mapping))
