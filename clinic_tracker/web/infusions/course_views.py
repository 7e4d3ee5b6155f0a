"""Courses: the tab, planning, moving, ending early, reopening."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.adverse_events import serious_reactions
from clinic_tracker.queries.follow_ups import owed_of, patient_calls
from clinic_tracker.queries.prophylaxis import cd4_counts, prophylaxis_rule
from clinic_tracker.queries.treatment import find_course, regimen_of, treatment_of
from clinic_tracker.services import courses as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.booking_presenters import booked_lines
from clinic_tracker.web.infusions.course_presenters import course_cards, other_deviations, prophylaxis_card
from clinic_tracker.web.infusions.forms import CourseForm, DiscontinueForm, ReasonForm
from clinic_tracker.web.infusions.readiness_presenters import lapsing_words, preview_of_plan
from clinic_tracker.web.patients.pages import open_chart, prescriber_options, with_present
from clinic_tracker.web.worklists.call_words import call_line

TAB = "courses"


@blueprint.get("/patients/<uuid:patient>/courses")
@requires(Permission.VIEW_PATIENTS)
def courses(patient: UUID) -> ResponseReturnValue:
    """Courses, infusions, authorizations, prophylaxis and deviations of one patient, corrections shown."""
    chart = open_chart(patient)
    scope, header = chart.scope, chart.header
    treatment = treatment_of(scope, header.id)
    rule = prophylaxis_rule(scope, header.id, header.protocol_id)
    return chart.render(
        "infusions/courses.html",
        TAB,
        cards=course_cards(treatment, regimen_of(scope, header.protocol_id)),
        prophylaxis=prophylaxis_card(treatment, rule, cd4_counts(scope, header.id), scope.today),
        deviations=other_deviations(treatment),
        booked=booked_lines(scope, header.id),
        calls=[call_line(row, scope) for row in owed_of(scope, patient_calls(scope, header.id))],
        serious=serious_reactions(scope, patient_id=header.id),
    )


@blueprint.route("/patients/<uuid:patient>/courses/new", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def plan_course(patient: UUID) -> ResponseReturnValue:
    """Plan the next course."""
    chart = open_chart(patient)
    form = CourseForm(scope=chart.scope)
    form.prescriber.choices = prescriber_options(chart.scope)
    form.preselect(chart.scope, chart.header.prescriber_id)
    if form.validate_on_submit() and accepted(
        form, services.plan_course, chart.scope, patient, form.plan, given=form.reasons, form_token=form.token.data
    ):
        flash("Course planned.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/plan_course.html", TAB, form=form), status_of(form)


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/edit", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def edit_course(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Move or reassign a course; what lapses by the move is said."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    present = row.prescriber_public_id
    form = CourseForm(scope=chart.scope, data=row._asdict() | {"prescriber": str(present) if present else None})
    form.prescriber.choices = with_present(prescriber_options(chart.scope), present, row.prescriber_name)
    preview = None
    if form.validate_on_submit():
        preview = preview_of_plan(chart, row, form.planned_start_on.data)
        reasons = {"version": form.version.data, "given": form.reasons}
        saves = "preview" not in request.form
        if saves and accepted(form, services.edit_course, chart.scope, patient, course, form.plan, **reasons):
            flash("Course changed.", "success")
            if lapsing := lapsing_words(preview):
                flash(lapsing, "warning")
            return redirect(url_for(".courses", patient=patient), code=303)
    page = {"form": form, "course": row, "preview": preview}
    return chart.render("infusions/edit_course.html", TAB, **page), status_of(form)


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/discontinue", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def discontinue_course(patient: UUID, course: UUID) -> ResponseReturnValue:
    """End a course before all its days were given."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    form = DiscontinueForm(scope=chart.scope, data={"discontinued_on": chart.scope.today, "version": row.version})
    if form.validate_on_submit() and accepted(
        form,
        services.discontinue_course,
        chart.scope,
        patient,
        course,
        discontinued_on=form.discontinued_on.data,
        reason=form.reason.data,
        unused_vials=form.unused_vials.data,
        vials_disposition=form.vials_disposition.data,
        version=form.version.data,
    ):
        flash("Course ended.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/discontinue_course.html", TAB, form=form, course=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/reopen", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def reopen_course(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Take back an early end."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.reopen_course, chart.scope, patient, course, reason=form.reason.data
    ):
        flash("Course reopened.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/reopen_course.html", TAB, form=form, course=row), status_of(form)
