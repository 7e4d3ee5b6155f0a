"""Exams, screenings and vaccinations: the tab, fast entry of many, corrections."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.screening import EXAM_TYPES
from clinic_tracker.domain.vocabulary import ExamKind
from clinic_tracker.queries.exams import find_exam, find_vaccination
from clinic_tracker.services import exams as services
from clinic_tracker.services import vaccinations
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.exam_forms import (
    CorrectExamForm,
    CorrectVaccinationForm,
    ScreeningForm,
    exam_values,
    vaccination_values,
)
from clinic_tracker.web.patients.exam_presenters import as_exam_entry, as_vaccination_entry, exams_page, shown_kinds
from clinic_tracker.web.patients.forms import ReasonForm
from clinic_tracker.web.patients.pages import open_chart


@blueprint.get("/patients/<uuid:patient>/exams")
@requires(Permission.VIEW_PATIENTS)
def exams(patient: UUID) -> ResponseReturnValue:
    """The latest of each exam, what is owed, and everything on record."""
    chart = open_chart(patient)
    return chart.render("patients/exams.html", "exams", page=exams_page(chart.scope, chart.header))


@blueprint.route("/patients/<uuid:patient>/exams/new", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def record_exams(patient: UUID) -> ResponseReturnValue:
    """Several exams, screenings and vaccinations in one go."""
    chart = open_chart(patient)
    form = ScreeningForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form,
        services.record_screening,
        chart.scope,
        patient,
        form.exams(),
        form.doses(),
        reason=form.deviation_reason.data,
        form_token=form.token.data,
    ):
        count = len(form.exams()) + len(form.doses())
        flash(f"{count} entries recorded." if count > 1 else "Entry recorded.", "success")
        return redirect(url_for(".exams", patient=patient), code=303)
    rows = shown_kinds(chart.header, form, request.args.get("kind"))
    return chart.render("patients/record_exams.html", "exams", form=form, exam_rows=rows), status_of(form)


@blueprint.route("/patients/<uuid:patient>/exams/<uuid:exam>/correct", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def correct_exam(patient: UUID, exam: UUID) -> ResponseReturnValue:
    """Replace an exam by a corrected one, with a reason."""
    chart = open_chart(patient)
    row = find_exam(chart.scope, chart.header.id, exam)
    kind = ExamKind(row.kind)
    form = CorrectExamForm(scope=chart.scope, data=exam_values(row))
    form.outcome.choices = [(one.code, one.words) for one in EXAM_TYPES[kind].outcomes]
    if form.validate_on_submit() and accepted(
        form, services.correct_exam, chart.scope, patient, exam, form.entry(kind), reason=form.reason.data or ""
    ):
        flash("Exam corrected.", "success")
        return redirect(url_for(".exams", patient=patient), code=303)
    entry = as_exam_entry(row)
    return chart.render("patients/correct_exam.html", "exams", form=form, entry=entry), status_of(form)


@blueprint.route("/patients/<uuid:patient>/exams/<uuid:exam>/withdraw", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def withdraw_exam(patient: UUID, exam: UUID) -> ResponseReturnValue:
    """Mark an exam as entered in error, with a reason."""
    chart = open_chart(patient)
    row = find_exam(chart.scope, chart.header.id, exam)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.withdraw_exam, chart.scope, patient, exam, reason=form.reason.data or ""
    ):
        flash("Exam marked as entered in error.", "success")
        return redirect(url_for(".exams", patient=patient), code=303)
    entry = as_exam_entry(row)
    return chart.render("patients/withdraw_evidence.html", "exams", form=form, entry=entry), status_of(form)


@blueprint.route("/patients/<uuid:patient>/vaccinations/<uuid:vaccination>/correct", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def correct_vaccination(patient: UUID, vaccination: UUID) -> ResponseReturnValue:
    """Replace a dose by a corrected one, with a reason."""
    chart = open_chart(patient)
    row = find_vaccination(chart.scope, chart.header.id, vaccination)
    form = CorrectVaccinationForm(scope=chart.scope, data=vaccination_values(row))
    if form.validate_on_submit() and accepted(
        form,
        vaccinations.correct_vaccination,
        chart.scope,
        patient,
        vaccination,
        form.entry(),
        reason=form.reason.data or "",
    ):
        flash("Vaccination corrected.", "success")
        return redirect(url_for(".exams", patient=patient), code=303)
    entry = as_vaccination_entry(row)
    return chart.render("patients/correct_vaccination.html", "exams", form=form, entry=entry), status_of(form)


@blueprint.route("/patients/<uuid:patient>/vaccinations/<uuid:vaccination>/withdraw", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def withdraw_vaccination(patient: UUID, vaccination: UUID) -> ResponseReturnValue:
    """Mark a dose as entered in error, with a reason."""
    chart = open_chart(patient)
    row = find_vaccination(chart.scope, chart.header.id, vaccination)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, vaccinations.withdraw_vaccination, chart.scope, patient, vaccination, reason=form.reason.data or ""
    ):
        flash("Vaccination marked as entered in error.", "success")
        return redirect(url_for(".exams", patient=patient), code=303)
    entry = as_vaccination_entry(row)
    return chart.render("patients/withdraw_evidence.html", "exams", form=form, entry=entry), status_of(form)
