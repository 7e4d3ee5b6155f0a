"""One exam or screening: what came of it, where it came from, and its review."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.screening import exam_title
from clinic_tracker.queries.acknowledgements import exam_acknowledgements, unanswered
from clinic_tracker.queries.exam_rows import ExamRow
from clinic_tracker.queries.exams import find_exam, replacement_of_exam
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.patients import PatientHeader, patient_header
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.acknowledgements import acknowledge
from clinic_tracker.services.reviews import undo_review
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.labs.answers import answer_withdrawn
from clinic_tracker.web.labs.blueprint import blueprint
from clinic_tracker.web.labs.forms import ReasonForm
from clinic_tracker.web.labs.presenters import shown_exam
from clinic_tracker.web.labs.result_page import reviewed_page
from clinic_tracker.web.labs.review_forms import AnswerForm, answer_form
from clinic_tracker.web.patients.banner import banner_of


@blueprint.route("/patients/<uuid:patient>/exams/<uuid:exam>", endpoint="exam")
@requires(Permission.VIEW_PATIENTS)
def show_exam(patient: uuid.UUID, exam: uuid.UUID) -> ResponseReturnValue:
    """One exam with what it calls for, its review, and the message that it came with."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = find_exam(scope, header.id, exam)
    return _page(scope, header, row, _form_of(scope, row))


@blueprint.route("/patients/<uuid:patient>/exams/<uuid:exam>/review", methods=["POST"])
@requires(Permission.REVIEW_RESULTS)
def review_exam(patient: uuid.UUID, exam: uuid.UUID) -> ResponseReturnValue:
    """Record what was done about the finding of an exam, and sign it off unless asked to wait."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = find_exam(scope, header.id, exam)
    form = _form_of(scope, row)
    signed = request.form.get("sign") != "0"
    about = {"seen": form.seen.data or "", "note": form.note.data, "form_token": form.token.data}
    if form.validate_on_submit() and accepted(
        form, acknowledge, scope, patient, exam, form.given, signed=signed, **about
    ):
        flash("Exam reviewed." if signed else "Recorded. The exam waits for your sign-off.", "success")
        return redirect(_address(patient, exam), 303)
    form.seen.data = row.digest  # the page that is shown now is what the next answer is about
    return _page(scope, header, row, form)


@blueprint.route("/patients/<uuid:patient>/exams/<uuid:exam>/undo-review", methods=["GET", "POST"])
@requires(Permission.REVIEW_RESULTS)
def undo_exam_review(patient: uuid.UUID, exam: uuid.UUID) -> ResponseReturnValue:
    """Take the sign-off of an exam back, with the reason."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = find_exam(scope, header.id, exam)
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(form, undo_review, scope, patient, exam, reason=form.reason.data):
        flash("Review taken back. The exam waits for review.", "success")
        return redirect(_address(patient, exam), 303)
    values = {"report": shown_exam(row), "tab": "exams", "form": form, "back": _address(patient, exam)}
    return render_template("labs/undo_review.html", banner=banner_of(scope, header), **values), status_of(form)


@blueprint.route("/patients/<uuid:patient>/exams/<uuid:exam>/answers/<uuid:answer>/withdraw", methods=["GET", "POST"])
@requires(Permission.REVIEW_RESULTS)
def withdraw_exam_answer(patient: uuid.UUID, exam: uuid.UUID, answer: uuid.UUID) -> ResponseReturnValue:
    """Take back what was said about an exam: its open tasks go, and it waits again."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = find_exam(scope, header.id, exam)
    said = exam_acknowledgements(scope, [row.id]).get(row.id, [])
    return answer_withdrawn(scope, header, said, answer, _address(patient, exam), "exams")


def _form_of(scope: Scope, row: ExamRow) -> AnswerForm:
    said = exam_acknowledgements(scope, [row.id]).get(row.id, [])
    waiting = unanswered(scope, row.findings, said)
    return answer_form(lab_catalog(scope), waiting, "", row.digest, f"{exam_title(row.kind)}, again")


def _page(scope: Scope, header: PatientHeader, row: ExamRow, form: AnswerForm) -> ResponseReturnValue:
    page = render_template(
        "labs/exam.html",
        banner=banner_of(scope, header),
        tab="exams",
        exam=shown_exam(row),
        page=reviewed_page(scope, header, row, exam_acknowledgements(scope, [row.id]).get(row.id, [])),
        newer=replacement_of_exam(scope, row.id),
        form=form,
    )
    return page, status_of(form)


def _address(patient: uuid.UUID, exam: uuid.UUID) -> str:
    return url_for("labs.exam", patient=patient, exam=exam)
