"""Files of results brought in by a person."""

import uuid
from collections.abc import Sequence

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.inbox import Received, receive
from clinic_tracker.queries.inbound import message
from clinic_tracker.queries.inbound import sources as sources_of
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import as_uuids, uuids_in
from clinic_tracker.web.forms import status_of
from clinic_tracker.web.inbound.blueprint import AT_ONCE, blueprint
from clinic_tracker.web.inbound.forms import KIND_WORDS, UploadForm
from clinic_tracker.web.inbound.presenters import shown_messages

MOST_BYTES = 8 * 1024 * 1024
MOST_FILES = 20
MEGABYTE = 1024 * 1024


@blueprint.route("/results/upload", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def upload() -> ResponseReturnValue:
    """Choose a source and its files; what became of each follows."""
    scope = current_scope()
    rows = [row for row in sources_of(scope) if row.is_active and row.kind != InboundKind.TABLE]
    form = UploadForm()
    form.source.choices = [
        ("", "Choose"),
        *((str(row.public_id), f"{row.name}: {KIND_WORDS[InboundKind(row.kind)]}") for row in rows),
    ]
    if len(rows) == 1 and not form.source.data:
        form.source.data = str(rows[0].public_id)
    if form.validate_on_submit() and (taken := _take(scope, form)):
        known = sum(one.known for one in taken)
        if known:
            flash("Received before: nothing was recorded twice.", "info")
        if len(taken) == 1:
            return redirect(url_for("inbound.received", message=taken[0].message), 303)
        return redirect(url_for("inbound.uploaded", message=[one.message for one in taken]), 303)
    return render_template("inbound/upload.html", form=form, rows=rows, megabytes=MOST_BYTES // MEGABYTE), status_of(
        form
    )


@blueprint.get("/results/uploaded")
@requires(Permission.VIEW_PATIENTS)
def uploaded() -> str:
    """What became of files that were uploaded together."""
    scope = current_scope()
    rows = shown_messages(scope, [message(scope, one) for one in uuids_in("message")[:MOST_FILES]])
    return render_template("inbound/uploaded.html", rows=rows)


def _take(scope: Scope, form: UploadForm) -> list[Received]:
    """Every file taken; none of them, with the reason on the form, where one is too large or too many came."""
    files: Sequence[FileStorage] = form.files.data
    read = [(file.filename or "", file.stream.read(MOST_BYTES + 1)) for file in files]
    if len(read) > MOST_FILES:
        form.files.errors = [f"Choose up to {MOST_FILES} files at once. Nothing was stored"]
        return []
    for number, (_name, raw) in enumerate(read, start=1):
        if len(raw) > MOST_BYTES:
            words = f"File {number} is larger than {MOST_BYTES // MEGABYTE} MB: send it in parts. Nothing was stored"
            form.files.errors = [*form.files.errors, words]
        elif not raw.strip():
            form.files.errors = [*form.files.errors, f"File {number} is empty. Nothing was stored"]
    if form.files.errors:
        return []
    return _receive_all(scope, form, as_uuids([form.source.data])[0], read)


def _receive_all(scope: Scope, form: UploadForm, source: uuid.UUID, read: list[tuple[str, bytes]]) -> list[Received]:
    try:
        return [receive(scope, source, raw, name, at_once=AT_ONCE) for name, raw in read]
    except RuleViolation as violation:
        form.refuse(violation)
        return []
