"""Between the form of a submission and what the service takes: filled in as far as the chart knows."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from flask import request

from clinic_tracker.domain.course_forms.facts import FormFacts, ReactionFacts
from clinic_tracker.domain.course_forms.status_form import events_between, reporting_period
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import local_date, show_date
from clinic_tracker.domain.reactions import told as told_signs
from clinic_tracker.domain.vocabulary import FormKind, FormMethod
from clinic_tracker.queries.forms import FormRow, OwedForm, owed_forms
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import Treatment
from clinic_tracker.queries.treatment_rows import CourseRow
from clinic_tracker.services.forms import COURSE_FORMS, Submission
from clinic_tracker.web.addresses import uuid_in
from clinic_tracker.web.forms import SelectField, as_choices
from clinic_tracker.web.rems.forms import ANSWER, SubmissionForm, submission_form_class

MOST_EVENT, MOST_CHOICE = 300, 60
SIGNED_BY_PRESCRIBER = frozenset(
    {
        FormKind.PATIENT_STATUS_FORM,
        FormKind.PATIENT_ENROLLMENT_FORM,
        FormKind.PATIENT_AUTHORIZATION_FORM,
        FormKind.PRESCRIPTION_ORDERING_FORM,
    }
)


@dataclass(frozen=True, slots=True)
class CourseDay:
    """One infusion day as the checklist reports it."""

    day_number: int
    on: date
    dose_mg: float | None
    lot_number: str | None
    minutes_observed: int | None
    late_or_missing: str | None


def new_submission(
    scope: Scope, header: PatientHeader, kind: FormKind, treatment: Treatment, facts: FormFacts
) -> SubmissionForm:
    """The form for a kind with what the chart knows; what was sent stays as typed."""
    form = submission_form_class(kind)(scope=scope)
    _set_courses(form, kind, treatment)
    _set_reactions(form, facts)
    if request.method == "POST":
        return form
    form.submitted_on.process(None, scope.today)
    form.completed_on.process(None, scope.today)
    form.method.data = FormMethod.WEB.value
    form.signed_by.data = header.prescriber_name if kind in SIGNED_BY_PRESCRIBER else scope.actor_name
    owed = [row for row in owed_forms(scope, header.id, header.protocol_id) if row.requirement.evidence == kind]
    if kind is FormKind.PATIENT_STATUS_FORM:
        _fill_status_form(form, facts)
    elif kind is FormKind.ADVERSE_EVENT_FORM:
        _fill_report(form, facts)
    elif kind in COURSE_FORMS:
        _fill_course(form, kind, treatment, owed, facts)
    return form


def correction(scope: Scope, row: FormRow, treatment: Treatment, facts: FormFacts) -> SubmissionForm:
    """The form that corrects a submission, with everything of it filled in."""
    kind = FormKind(row.kind)
    form = submission_form_class(kind, correcting=True)(scope=scope)
    _set_courses(form, kind, treatment)
    _set_reactions(form, facts)
    if request.method == "POST":
        return form
    form.submitted_on.process(None, row.submitted_on)
    form.completed_on.process(None, row.completed_on)
    form.method.data, form.confirmation.data = row.method, row.confirmation
    form.signed_by.data, form.note.data = row.signed_by, row.note
    if "course" in form:
        form["course"].data = str(row.course) if row.course else None
    if "reaction" in form:
        form["reaction"].data = str(row.reaction) if row.reaction else None
    for name, value in row.answers.items():
        if (field := f"{ANSWER}{name}") in form:
            _set(form, field, value)
    return form


def submission_of(form: SubmissionForm, kind: FormKind) -> Submission:
    """What the form says, for the service to judge."""
    course = form["course"].data if "course" in form else None
    reaction = form["reaction"].data if "reaction" in form else None
    return Submission(
        kind=kind,
        submitted_on=form.submitted_on.data,
        method=FormMethod(form.method.data),
        completed_on=form.completed_on.data,
        course=int(course) if course else None,
        confirmation=form.confirmation.data,
        signed_by=form.signed_by.data,
        note=form.note.data,
        answers={
            field.name.removeprefix(ANSWER): _plain(field.data)
            for field in form
            if field.name.startswith(ANSWER) and field.data not in (None, [])
        },
        reaction=uuid.UUID(reaction) if reaction else None,
    )


def course_days(treatment: Treatment, number: int | None) -> list[CourseDay]:
    """The infusion days of a course as the chart holds them, to copy onto the official checklist."""
    course = next((row for row in treatment.courses if row.number == number), None)
    if course is None:
        return []
    days = []
    for row in treatment.given(course.id):
        observed = None
        if row.ended_at is not None and row.discharged_at is not None:
            observed = int((row.discharged_at - row.ended_at).total_seconds() // 60)
        short = observed is not None and observed < row.observation_minutes
        gap = "shorter than required" if short else "discharge not recorded" if observed is None else None
        days.append(CourseDay(row.day_number, row.infused_on, row.dose_mg, row.lot_number, observed, gap))
    return days


def refuse(form: SubmissionForm, violation: RuleViolation) -> None:
    """Show a refused rule at its field; the questions of a form carry a prefix."""
    name = f"{ANSWER}{violation.field}"
    known = violation.field is not None and name in form
    form.refuse(RuleViolation(violation.code, name, violation.message) if known else violation)


def _fill_status_form(form: SubmissionForm, facts: FormFacts) -> None:
    """The reporting period, and what of the questions the chart can answer: a reaction that it holds."""
    start, end = reporting_period(facts)
    form[f"{ANSWER}period_from"].process(None, start)
    form[f"{ANSWER}period_to"].process(None, end)
    told = events_between(facts, start, end)
    form[f"{ANSWER}infusion_reaction"].data = "yes" if any("reaction" in event.what for event in told) else "no"


def _fill_report(form: SubmissionForm, facts: FormFacts) -> None:
    """The reaction in the address: its signs and onset."""
    wanted = uuid_in("reaction")
    found = facts.reaction(wanted) if wanted else None
    if found is None:
        return
    _course, day, row = found
    form["reaction"].data = str(row.public_id)
    form[f"{ANSWER}event"].data = told_signs(row.ticked, row.signs)[:MOST_EVENT]
    form[f"{ANSWER}onset_on"].process(None, local_date(row.onset_at, day.time_zone))


def _set_reactions(form: SubmissionForm, facts: FormFacts) -> None:
    if "reaction" not in form:
        return
    known = [
        (str(row.public_id), _reaction_words(course.number, day.day_number, row))
        for course in facts.courses
        for day, row in course.reactions
    ]
    cast("SelectField", form["reaction"]).choices = as_choices([("", "Another event"), *known])


def _reaction_words(course: int, day: int, row: ReactionFacts) -> str:
    serious = ", serious" if row.is_serious else ""
    return f"Course {course}, day {day}{serious}: {told_signs(row.ticked, row.signs)[:MOST_CHOICE]}"


def _fill_course(
    form: SubmissionForm, kind: FormKind, treatment: Treatment, owed: list[OwedForm], facts: FormFacts
) -> None:
    course = _likely_course(kind, treatment, owed)
    if course is None:
        return
    form["course"].data = str(course.number)
    told = facts.course(course.number)
    if kind is FormKind.INFUSION_CHECKLIST and told is not None:
        given = len(told.days)
        unused = told.unused_vials if told.unused_vials is not None else max(course.planned_days - given, 0)
        form[f"{ANSWER}days_given"].data = given or None
        form[f"{ANSWER}as_planned"].data = "yes" if given == course.planned_days else "no"
        form[f"{ANSWER}reactions"].data = "yes" if told.reactions else "no"
        form[f"{ANSWER}unused_vials"].data = unused


def _likely_course(kind: FormKind, treatment: Treatment, owed: list[OwedForm]) -> CourseRow | None:
    """The course asked for in the address, the first one that owes the form, else the newest."""
    numbers = {str(course.number): course for course in treatment.courses}
    if asked := numbers.get(request.args.get("course", "")):
        return asked
    if kind is FormKind.INFUSION_CHECKLIST:
        waiting = [numbers[str(row.course)] for row in owed if row.done_on is None and str(row.course) in numbers]
        if waiting:
            return waiting[0]
    return treatment.courses[-1] if treatment.courses else None


def _set_courses(form: SubmissionForm, kind: FormKind, treatment: Treatment) -> None:
    if kind in COURSE_FORMS:
        courses = [(row.number, _told(treatment, row)) for row in treatment.courses]
        cast("SelectField", form["course"]).choices = as_choices([("", "Choose"), *courses])


def _told(treatment: Treatment, course: CourseRow) -> str:
    given = treatment.given(course.id)
    if not given:
        start = f", planned for {show_date(course.planned_start_on)}" if course.planned_start_on else ""
        return f"Course {course.number}: no infusion yet{start}"
    first, last = given[0].infused_on, given[-1].infused_on
    return (
        f"Course {course.number}: {len(given)} of {course.planned_days} days, {show_date(first)} to {show_date(last)}"
    )


def _set(form: SubmissionForm, name: str, value: Any) -> None:
    field = form[name]
    if getattr(field, "kind", "") == "date":
        field.process(None, date.fromisoformat(value))
    else:
        field.data = value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
