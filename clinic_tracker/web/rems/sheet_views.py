"""The data sheets of the forms: as a page, and as a PDF to print or attach."""

import uuid
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.course_forms.sheet import NOT_OFFICIAL
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FormKind
from clinic_tracker.exports.form_sheets import sheet_document
from clinic_tracker.queries.form_facts import form_facts
from clinic_tracker.queries.patients import PatientHeader, patient_header
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.exporting import note_document
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import uuid_in
from clinic_tracker.web.documents import made_by, pdf_answer, person_line
from clinic_tracker.web.patients.banner import banner_of
from clinic_tracker.web.rems.blueprint import blueprint
from clinic_tracker.web.rems.sheet_presenters import (
    SHEET_KINDS,
    asked_sheet,
    missing_lines,
    place_href,
    record_href,
    state_words,
)

KIND = f"any({','.join(SHEET_KINDS)})"


@blueprint.get(f"/patients/<uuid:patient>/forms/sheets/<{KIND}:kind>")
@requires(Permission.VIEW_PATIENTS)
def sheet(patient: uuid.UUID, kind: str) -> ResponseReturnValue:
    """The data for one form, and first what is still missing. ``?course=``, ``?reaction=``, ``?sent=`` say of what."""
    scope, asked = current_scope(), FormKind(kind)
    header = patient_header(scope, patient)
    made = asked_sheet(form_facts(scope, header.id, header.protocol_id), asked)
    about = _about()
    return render_template(
        "rems/sheet.html",
        banner=banner_of(scope, header),
        tab="forms",
        sheet=made,
        words=state_words(made),
        notice_text=NOT_OFFICIAL,
        missing=missing_lines(scope, patient, made.missing),
        made=made_by(scope),
        place=lambda link: place_href(scope, patient, link),
        pdf=url_for(".sheet_pdf", patient=patient, kind=kind, **about),
        record=record_href(scope, patient, asked, **about) if made.started else None,
    )


@blueprint.get(f"/patients/<uuid:patient>/forms/sheets/<{KIND}:kind>.pdf")
@requires(Permission.VIEW_PATIENTS, Permission.EXPORT_DATA)
def sheet_pdf(patient: uuid.UUID, kind: str) -> Response:
    """The same sheet as a tagged PDF."""
    scope, asked = current_scope(), FormKind(kind)
    header = patient_header(scope, patient)
    made = asked_sheet(form_facts(scope, header.id, header.protocol_id), asked)
    return _answer(scope, header, asked, sheet_document(
        made, person=person_line(header), made=made_by(scope), clinic=scope.clinic_name
    ))  # fmt: skip


def _answer(scope: Scope, header: PatientHeader, kind: FormKind, content: bytes) -> Response:
    note_document(
        scope, header.id, "form_sheet", {"form": kind.value, **{key: str(value) for key, value in _about().items()}}
    )
    return pdf_answer(content, f"{str(header.public_id)[:8]}-{kind.value}-{scope.today.isoformat()}")


def _about() -> dict[str, Any]:
    """What the address says the sheet is about, to say it again in links."""
    course = request.args.get("course", "")
    found: dict[str, Any] = {"course": course} if course.isdecimal() else {}
    for name in ("reaction", "sent"):
        if (ref := uuid_in(name)) is not None:
            found[name] = ref
    return found
