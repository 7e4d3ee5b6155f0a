"""Entering, correcting and withdrawing results."""

import uuid
from datetime import date

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_prefill import laboratories, patient_by_mrn
from clinic_tracker.queries.lab_reports import patient_report
from clinic_tracker.queries.patients import PatientHeader, patient_header
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.lab_reports import correct_report, record_reports, withdraw_report
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.labs.blueprint import blueprint
from clinic_tracker.web.labs.effects import entered_effects
from clinic_tracker.web.labs.forms import ChartNumberForm, ReasonForm, SheetForm
from clinic_tracker.web.labs.grid import correction_sheet, fill_ranges, grid_of, new_sheet, refuse_all, sheet_of
from clinic_tracker.web.labs.presenters import shown_report
from clinic_tracker.web.patients.banner import banner_of

LAST_SHEET = "last_sheet"  # the session keeps the laboratory and the date of the last sheet, and no patient


@blueprint.route("/patients/<uuid:patient>/results/new", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def enter(patient: uuid.UUID) -> ResponseReturnValue:
    """Enter a sheet of results: the date once, then a grid of panels; one report for each panel filled in."""
    scope = current_scope()
    header = patient_header(scope, patient)
    form = new_sheet(scope, header, **(last_sheet() if in_a_row() else {}))
    if request.form.get("action") == "ranges":
        fill_ranges(scope, form, header)
    elif form.validate_on_submit():
        try:
            recorded = record_reports(scope, patient, sheet_of(scope, form), form_token=form.token.data)
        except RuleViolation as refused:
            refuse_all(form, refused)
        else:
            return redirect(after_entry(form, patient, recorded), 303)
    return sheet_page(scope, header, form, "labs/enter.html", in_a_row=in_a_row())


@blueprint.route("/results/enter", methods=["GET", "POST"])
@blueprint.route("/results/enter/after/<uuid:patient>", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def enter_many(patient: uuid.UUID | None = None) -> ResponseReturnValue:
    """Paper of several patients in a row: choose a chart by its number, enter, and come back here for the next."""
    scope = current_scope()
    form = ChartNumberForm(scope=scope)
    if form.validate_on_submit():
        found = patient_by_mrn(scope, form.mrn.data or "")
        if found is not None:
            return redirect(url_for("labs.enter", patient=found, row="1"), 303)
        form.mrn.errors = ["No chart of this clinic has that number. Check it against the paper"]
    header = patient_header(scope, patient) if patient is not None else None
    effects = entered_effects(scope, header) if header is not None else []
    page = render_template("labs/enter_many.html", form=form, before=header, effects=effects)
    return page, status_of(form)


@blueprint.route("/patients/<uuid:patient>/results/<uuid:report>/correct", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def correct(patient: uuid.UUID, report: uuid.UUID) -> ResponseReturnValue:
    """Correct a report: everything of it is filled in, and it is replaced, not changed."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_report(scope, header.id, report)
    panels = (Panel(row.panel),)
    form = correction_sheet(scope, row)
    if form.validate_on_submit():
        sheet, reason, token = sheet_of(scope, form, panels), form["reason"].data, form.token.data
        try:
            new = correct_report(scope, patient, report, sheet, reason=reason, form_token=token)
        except RuleViolation as refused:
            refuse_all(form, refused)
        else:
            flash("Result corrected. It waits for review.", "success")
            return redirect(url_for("labs.patient_results", patient=patient, entered=new), 303)
    shown = shown_report(lab_catalog(scope), row)
    return sheet_page(scope, header, form, "labs/correct.html", panels, report=shown)


@blueprint.route("/patients/<uuid:patient>/results/<uuid:report>/withdraw", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def withdraw(patient: uuid.UUID, report: uuid.UUID) -> ResponseReturnValue:
    """Mark a report as entered in error, with the reason."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_report(scope, header.id, report)
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(form, withdraw_report, scope, patient, report, reason=form.reason.data):
        flash("Result marked as entered in error.", "success")
        return redirect(url_for("labs.patient_results", patient=patient), 303)
    shown, banner = shown_report(lab_catalog(scope), row), banner_of(scope, header)
    page = render_template("labs/withdraw.html", banner=banner, tab="results", form=form, report=shown)
    return page, status_of(form)


def sheet_page(
    scope: Scope,
    header: PatientHeader,
    form: SheetForm,
    template: str,
    panels: tuple[Panel, ...] | None = None,
    **more: object,
) -> ResponseReturnValue:
    """The page with the grid, 400 where something is wrong."""
    page = render_template(
        template,
        banner=banner_of(scope, header),
        tab="results",
        form=form,
        grid=grid_of(scope, form, panels) if panels else grid_of(scope, form),
        laboratories=laboratories(scope),
        **more,
    )
    return page, status_of(form)


def in_a_row() -> bool:
    """Whether the sheet is one of many, to return to the choice of the next chart."""
    return request.args.get("row") == "1"


def last_sheet() -> dict[str, object]:
    """The date and laboratory of the sheet before, for the next one of the pile."""
    kept = session.get(LAST_SHEET, {})
    on = kept.get("collected_on")
    return {"laboratory": kept.get("laboratory"), "collected_on": date.fromisoformat(on) if on else None}


def after_entry(form: SheetForm, patient: uuid.UUID, recorded: list[uuid.UUID]) -> str:
    """Where a recorded sheet leads: to the patient's results, or to the choice of the next chart."""
    if not in_a_row():
        return url_for("labs.patient_results", patient=patient, entered=recorded)
    session[LAST_SHEET] = {"collected_on": form.collected_on.data.isoformat(), "laboratory": form.laboratory.data}
    return url_for("labs.enter_many", patient=patient, entered=recorded)
