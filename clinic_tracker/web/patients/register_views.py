"""Register a patient, look at and edit who a patient is, and change the prescriber."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.duplicates import Person
from clinic_tracker.domain.errors import RuleViolation, StaleVersion
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.duplicates import similar_charts
from clinic_tracker.queries.enrollments import enrollments_of
from clinic_tracker.queries.inbound import ResultRow
from clinic_tracker.queries.patients import chart_with_number, patient_record
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.services.patients import change_prescriber, edit_patient, register_patient
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.forms import ConfirmPatientForm, PatientForm, PrescriberForm, values_of
from clinic_tracker.web.patients.from_result import address_of, begun_with, put_on_chart, result_of_request
from clinic_tracker.web.patients.pages import OpenChart, chart_url, open_chart, prescriber_options, with_present
from clinic_tracker.web.patients.presenters import cervix_words, differing

NUMBERS = {"mrn_taken": "mrn", "rems_patient_id_taken": "rems_patient_id"}


@blueprint.route("/patients/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_PATIENTS)
def register() -> ResponseReturnValue:
    """The form, then the answers to check beside similar charts, then the new chart."""
    scope = current_scope()
    row = result_of_request(scope)
    form = ConfirmPatientForm(scope=scope, data=begun_with(row))
    form.prescriber.choices = prescriber_options(scope, "Not decided yet")
    step = request.form.get("step", "")
    if step == "change" or not form.validate_on_submit():
        return _register_page(scope, form, row, checked=step != "change")
    if step != "confirm":
        return _check_page(scope, form, row)
    try:
        patient = register_patient(
            scope, form.details(), different_person=form.different_person.data, form_token=form.token.data
        )
    except RuleViolation as violation:
        form.refuse(violation)
        on_check = violation.code == "possible_duplicate"
        return _check_page(scope, form, row) if on_check else _register_page(scope, form, row, taken=violation.code)
    flash("Patient registered. Enroll the patient now, or later from the chart.", "success")
    put_on_chart(scope, row, patient)
    return redirect(url_for(".enroll", patient=patient), code=303)


@blueprint.get("/patients/<uuid:patient>/details")
@requires(Permission.VIEW_PATIENTS)
def details(patient: UUID) -> ResponseReturnValue:
    """Who the patient is, how to reach them, and the enrollments."""
    scope = current_scope()
    record = patient_record(scope, patient)
    chart = OpenChart(scope, record.header)
    return chart.render(
        "patients/details.html",
        "details",
        record=record,
        cervix=cervix_words(record.header.has_cervix),
        enrollments=enrollments_of(scope, record.header.id),
        protocol=protocol_in_force(scope, record.header.protocol_id).title,
        may_edit=scope.may(Permission.MANAGE_PATIENTS),
        may_decide=scope.may(Permission.DECIDE_MONITORING),
    )


@blueprint.route("/patients/<uuid:patient>/edit", methods=["GET", "POST"])
@requires(Permission.MANAGE_PATIENTS)
def edit(patient: UUID) -> ResponseReturnValue:
    """Change who the patient is. Whoever comes second sees both versions."""
    scope = current_scope()
    record = patient_record(scope, patient)
    form = PatientForm(scope=scope, data=values_of(record))
    form.prescriber.choices = with_present(
        prescriber_options(scope, "None"), record.prescriber, record.header.prescriber_name
    )
    taken = None
    if form.validate_on_submit():
        try:
            edit_patient(scope, patient, form.details(), form.version.data)
        except StaleVersion as stale:
            return _conflict_page(scope, patient, form, stale)
        except RuleViolation as violation:
            form.refuse(violation)
            taken = _taken_chart(scope, form, violation.code)
        else:
            flash("Patient details saved.", "success")
            return redirect(url_for(".details", patient=patient), code=303)
    chart = OpenChart(scope, record.header)
    return chart.render("patients/edit.html", "details", form=form, taken=taken), status_of(form)


@blueprint.route("/patients/<uuid:patient>/prescriber", methods=["GET", "POST"])
@requires(Permission.MANAGE_PATIENTS)
def prescriber(patient: UUID) -> ResponseReturnValue:
    """Make another prescriber responsible."""
    chart = open_chart(patient)
    form = PrescriberForm(scope=chart.scope, data={"version": chart.header.version})
    form.prescriber.choices = prescriber_options(chart.scope)
    if form.validate_on_submit() and accepted(
        form,
        change_prescriber,
        chart.scope,
        patient,
        UUID(form.prescriber.data),
        reason=form.reason.data,
        version=form.version.data,
    ):
        flash("Prescriber changed.", "success")
        return redirect(url_for(".details", patient=patient), code=303)
    return chart.render("patients/prescriber.html", "details", form=form), status_of(form)


def _register_page(
    scope: Scope, form: ConfirmPatientForm, row: ResultRow | None, *, checked: bool = True, taken: str = ""
) -> ResponseReturnValue:
    address = address_of("patients.register", row)
    values = {"form": form, "taken": _taken_chart(scope, form, taken), "result": row, "form_action": address}
    page = render_template("patients/register.html", **values)
    return page, status_of(form) if checked else 200


def _check_page(scope: Scope, form: ConfirmPatientForm, row: ResultRow | None) -> ResponseReturnValue:
    """The answers, beside the charts of people much alike. A number that is taken leads back to the form."""
    given = form.details()
    for column in ("mrn", "rems_patient_id"):
        number = getattr(given, column)
        if number and chart_with_number(scope, number) is not None:
            form[column].errors = [f"Another chart of this clinic already has this {form[column].label.text}."]
            return _register_page(scope, form, row, taken=f"{column}_taken")
    person = Person(None, given.family_name, given.given_name, given.birth_date, given.rems_patient_id)
    similar = similar_charts(scope, person)
    shown_patients([match.chart.id for match in similar])
    answered = {"csrf_token", "step", "different_person"}
    sent = [(name, value) for name, value in request.form.items(multi=True) if name not in answered]
    names = dict(prescriber_options(scope))
    page = render_template(
        "patients/check.html",
        form=form,
        details=given,
        similar=similar,
        sent=sent,
        form_action=address_of("patients.register", row),
        prescriber=names.get(form.prescriber.data or "") if form.prescriber.data else None,
        cervix=cervix_words(given.has_cervix),
        chart_url=chart_url,
    )
    return page, status_of(form)


def _taken_chart(scope: Scope, form: PatientForm, code: str) -> str | None:
    """The address of the chart that has the number that was refused."""
    if code not in NUMBERS:
        return None
    found = chart_with_number(scope, form[NUMBERS[code]].data or "")
    return chart_url(found.public_id) if found is not None else None


def _conflict_page(scope: Scope, patient: UUID, form: PatientForm, stale: StaleVersion) -> ResponseReturnValue:
    """Both versions side by side, and the form again with what was typed, ready to be saved over the other."""
    record = patient_record(scope, patient)
    form.version.data = record.header.version
    names = {str(choice.value): str(choice.label) for choice in form.prescriber.choices}
    rows = differing(record, form.details(), names)
    chart = OpenChart(scope, record.header)
    return chart.render("patients/edit_conflict.html", "details", form=form, rows=rows, stale=stale), 409
