"""Answering one result: what was done about its findings, the sign-off, and taking either back."""

import uuid
from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FindingAction
from clinic_tracker.queries.acknowledgements import Said, acknowledgements_of
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_reports import patient_report
from clinic_tracker.queries.patients import PatientHeader, patient_header
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.acknowledgements import acknowledge, withdraw_acknowledgement
from clinic_tracker.services.reviews import undo_review
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.labs.blueprint import blueprint
from clinic_tracker.web.labs.forms import ReasonForm
from clinic_tracker.web.labs.presenters import shown_report
from clinic_tracker.web.labs.result_page import form_of, result_page
from clinic_tracker.web.labs.review_forms import ACTION_WORDS
from clinic_tracker.web.patients.banner import banner_of


@blueprint.route("/patients/<uuid:patient>/results/<uuid:report>/review", methods=["POST"])
@requires(Permission.REVIEW_RESULTS)
def review(patient: uuid.UUID, report: uuid.UUID) -> ResponseReturnValue:
    """Record what was done about the findings of a result, and sign it off unless asked to wait."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_report(scope, header.id, report)
    form = form_of(scope, row)
    signed = request.form.get("sign") != "0"
    if form.validate_on_submit() and accepted(
        form,
        acknowledge,
        scope,
        patient,
        report,
        form.given,
        seen=form.seen.data or "",
        signed=signed,
        note=form.note.data,
        form_token=form.token.data,
    ):
        flash("Result reviewed." if signed else "Recorded. The result waits for your sign-off.", "success")
        return redirect(url_for("labs.result", patient=patient, report=report), 303)
    form.seen.data = row.digest  # the page that is shown now is what the next answer is about
    return result_page(scope, header, row, form)


@blueprint.route(
    "/patients/<uuid:patient>/results/<uuid:report>/undo-review", endpoint="undo_review", methods=["GET", "POST"]
)
@requires(Permission.REVIEW_RESULTS)
def take_back(patient: uuid.UUID, report: uuid.UUID) -> ResponseReturnValue:
    """Take a sign-off back, with the reason: the result waits for review again."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_report(scope, header.id, report)
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(form, undo_review, scope, patient, report, reason=form.reason.data):
        flash("Review taken back. The result waits for review.", "success")
        return redirect(url_for("labs.result", patient=patient, report=report), 303)
    values = {"report": shown_report(lab_catalog(scope), row), "tab": "results", "form": form}
    back = url_for("labs.result", patient=patient, report=report)
    return render_template("labs/undo_review.html", banner=banner_of(scope, header), back=back, **values), status_of(
        form
    )


@blueprint.route(
    "/patients/<uuid:patient>/results/<uuid:report>/answers/<uuid:answer>/withdraw", methods=["GET", "POST"]
)
@requires(Permission.REVIEW_RESULTS)
def withdraw_answer(patient: uuid.UUID, report: uuid.UUID, answer: uuid.UUID) -> ResponseReturnValue:
    """Take back what was said about a finding: its open tasks go, and the result waits again."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_report(scope, header.id, report)
    said = acknowledgements_of(scope, [row.id]).get(row.id, [])
    back = url_for("labs.result", patient=patient, report=report)
    return answer_withdrawn(scope, header, said, answer, back)


def answer_withdrawn(
    scope: Scope, header: PatientHeader, answers: Sequence[Said], answer: uuid.UUID, back: str, tab: str = "results"
) -> ResponseReturnValue:
    """The question why something that was said is taken back, and that done."""
    said = next((one for one in answers if one.public_id == answer), None)
    if said is None:
        raise NotFound("acknowledgement")
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(
        form, withdraw_acknowledgement, scope, header.public_id, answer, reason=form.reason.data
    ):
        flash("Taken back. The result waits for review.", "success")
        return redirect(back, 303)
    banner, action = banner_of(scope, header), ACTION_WORDS[FindingAction(said.action)]
    values = {"banner": banner, "tab": tab, "form": form, "said": said, "action": action, "back": back}
    return render_template("labs/withdraw_answer.html", **values), status_of(form)
