"""Pages of REMS forms: what is owed by when, the ledger of what was sent, recording and correcting a submission."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.course_forms.facts import FormFacts
from clinic_tracker.domain.course_forms.sheet import TITLES
from clinic_tracker.domain.course_forms.status_form import events_between, reporting_period
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.domain.vocabulary import FormKind
from clinic_tracker.queries.effects import effects_of
from clinic_tracker.queries.form_facts import form_facts
from clinic_tracker.queries.forms import FormRow, form_requirements, owed_forms, patient_form, patient_forms
from clinic_tracker.queries.patients import PatientHeader, patient_header
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import Treatment, treatment_of
from clinic_tracker.services import forms as service
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import uuid_in
from clinic_tracker.web.effects import EffectLine, effect_line
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.banner import banner_of
from clinic_tracker.web.rems import sheet_views
from clinic_tracker.web.rems.blueprint import blueprint
from clinic_tracker.web.rems.forms import ReasonForm, SubmissionForm
from clinic_tracker.web.rems.prefill import correction, course_days, new_submission, refuse, submission_of
from clinic_tracker.web.rems.presenters import form_title, ledger, scheduled_forms
from clinic_tracker.web.rems.sheet_presenters import form_groups, sheet_href

__all__ = ["blueprint", "sheet_views"]

KIND = f"any({','.join(FormKind)})"


@blueprint.route("/patients/<uuid:patient>/forms")
@requires(Permission.VIEW_PATIENTS)
def forms(patient: uuid.UUID) -> ResponseReturnValue:
    """What the REMS is owed for a patient, the whole schedule, and the ledger of what was sent."""
    scope = current_scope()
    header = patient_header(scope, patient)
    owed = owed_forms(scope, header.id, header.protocol_id)
    sent, facts = patient_forms(scope, header.id), form_facts(scope, header.id, header.protocol_id)
    return render_template(
        "rems/forms.html",
        banner=banner_of(scope, header),
        tab="forms",
        requirements=form_requirements(scope, header.protocol_id),
        schedule=scheduled_forms(owed, sent, scope.today),
        ledger=ledger(sent, owed),
        effects=submitted_effects(scope, header, sent),
        kinds=TITLES,
        groups=form_groups(scope, patient, facts, owed),
        may_submit=scope.may(Permission.SUBMIT_FORMS),
        pack_from=facts.enrollment.enrolled_on.isoformat() if facts.enrollment else None,
    )


@blueprint.route(f"/patients/<uuid:patient>/forms/new/<{KIND}:kind>", methods=["GET", "POST"])
@requires(Permission.SUBMIT_FORMS)
def submit_form(patient: uuid.UUID, kind: str) -> ResponseReturnValue:
    """Record that a form was sent to the REMS."""
    scope, kind_sent = current_scope(), FormKind(kind)
    header = patient_header(scope, patient)
    treatment = treatment_of(scope, header.id)
    facts = form_facts(scope, header.id, header.protocol_id)
    form = new_submission(scope, header, kind_sent, treatment, facts)
    if form.validate_on_submit():
        try:
            new = service.submit_form(scope, patient, submission_of(form, kind_sent), form_token=form.token.data)
        except RuleViolation as refused:
            refuse(form, refused)
        else:
            flash("Form recorded.", "success")
            return redirect(url_for("rems.forms", patient=patient, entered=new), 303)
    return submission_page(scope, header, form, kind_sent, treatment, facts)


@blueprint.route("/patients/<uuid:patient>/forms/<uuid:form>/correct", methods=["GET", "POST"])
@requires(Permission.SUBMIT_FORMS)
def correct_form(patient: uuid.UUID, form: uuid.UUID) -> ResponseReturnValue:
    """Correct a submission: everything of it is filled in, and it is replaced, not changed."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row, treatment = patient_form(scope, header.id, form), treatment_of(scope, header.id)
    facts = form_facts(scope, header.id, header.protocol_id)
    page, kind = correction(scope, row, treatment, facts), FormKind(row.kind)
    if page.validate_on_submit():
        changed, reason, token = submission_of(page, kind), page["reason"].data, page.token.data
        try:
            new = service.correct_form(scope, patient, form, changed, reason=reason, form_token=token)
        except RuleViolation as refused:
            refuse(page, refused)
        else:
            flash("Form corrected.", "success")
            return redirect(url_for("rems.forms", patient=patient, entered=new), 303)
    return submission_page(scope, header, page, kind, treatment, facts, row)


@blueprint.route("/patients/<uuid:patient>/forms/<uuid:form>/withdraw", methods=["GET", "POST"])
@requires(Permission.SUBMIT_FORMS)
def withdraw_form(patient: uuid.UUID, form: uuid.UUID) -> ResponseReturnValue:
    """Mark a submission as entered in error, with the reason."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_form(scope, header.id, form)
    page = ReasonForm(scope=scope)
    if page.validate_on_submit() and accepted(
        page, service.withdraw_form, scope, patient, form, reason=page.reason.data
    ):
        flash("Form marked as entered in error.", "success")
        return redirect(url_for("rems.forms", patient=patient), 303)
    banner, shown = banner_of(scope, header), ledger([row], [])[0]
    return render_template("rems/withdraw_form.html", banner=banner, tab="forms", form=page, sent=shown), status_of(
        page
    )


def submission_page(
    scope: Scope,
    header: PatientHeader,
    form: SubmissionForm,
    kind: FormKind,
    treatment: Treatment,
    facts: FormFacts,
    row: FormRow | None = None,
) -> ResponseReturnValue:
    """The page of a submission, with what the chart holds beside it; 400 where something is wrong."""
    course = form["course"].data if "course" in form else None
    wanted = [item for item in form_requirements(scope, header.protocol_id) if item.evidence == kind]
    owed = [item for item in owed_forms(scope, header.id, header.protocol_id) if item.requirement in wanted]
    page = render_template(
        "rems/submit_form.html" if row is None else "rems/correct_form.html",
        banner=banner_of(scope, header),
        tab="forms",
        form=form,
        title=TITLES[kind],
        kind=kind,
        requirement=wanted[0] if wanted else None,
        owed=[item for item in scheduled_forms(owed, [], scope.today) if item.form.is_owed],
        days=course_days(treatment, int(course) if course else None) if kind is FormKind.INFUSION_CHECKLIST else [],
        row=row,
        events=events_between(facts, *reporting_period(facts)) if kind is FormKind.PATIENT_STATUS_FORM else (),
        sheet_href=sheet_href(header.public_id, kind, form),
    )
    return page, status_of(form)


def submitted_effects(scope: Scope, header: PatientHeader, sent: list[FormRow]) -> list[EffectLine]:
    """What the submission named in the address did to the schedule, as it stands now."""
    entered = uuid_in("entered")
    row = next((row for row in sent if row.public_id == entered), None)
    if row is None:
        return []
    effects = effects_of(scope, header.id, header.protocol_id, EvidenceKind.FORM, {row.id: row.kind})
    return [effect_line(form_title(row.kind, row.course), effects.get(row.id))]
