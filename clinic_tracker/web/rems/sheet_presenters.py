"""Data sheets on the page: which one the address means, where what is missing is filled in, how far each form is."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for

from clinic_tracker.domain.course_forms.adverse_event import adverse_event_sheet, report_by
from clinic_tracker.domain.course_forms.authorization import authorization_sheet
from clinic_tracker.domain.course_forms.checklist import checklist_sheet
from clinic_tracker.domain.course_forms.enrollment import enrollment_sheet
from clinic_tracker.domain.course_forms.facts import CourseFacts, FormFacts
from clinic_tracker.domain.course_forms.sheet import TITLES, Link, Missing, Place, Sheet, SheetState
from clinic_tracker.domain.course_forms.status_form import status_sheet
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.local_time import local_date, show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FormKind
from clinic_tracker.queries.forms import OwedForm
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.addresses import uuid_in
from clinic_tracker.web.filters import plural
from clinic_tracker.web.rems.forms import SubmissionForm

SHEET_KINDS = tuple(kind for kind in FormKind if kind is not FormKind.PRESCRIPTION_ORDERING_FORM)
MOST_COURSES = 99

_PLACES: dict[Place, tuple[str, Permission, str]] = {
    Place.PATIENT: ("patients.edit", Permission.MANAGE_PATIENTS, ""),
    Place.PRESCRIBER: ("admin.prescriber", Permission.MANAGE_CLINIC, "prescriber"),
    Place.FACILITY: ("admin.clinic", Permission.MANAGE_CLINIC, ""),
    Place.ENROLLMENT: ("patients.details", Permission.VIEW_PATIENTS, ""),
    Place.COURSE: ("infusions.courses", Permission.VIEW_PATIENTS, ""),
    Place.AUTHORIZATION: ("infusions.authorize", Permission.AUTHORIZE_COURSES, "course"),
    Place.VERIFICATION: ("infusions.verify_authorization", Permission.RECORD_TREATMENT, "authorization"),
    Place.INFUSION: ("infusions.day", Permission.VIEW_PATIENTS, "infusion"),
    Place.RESULTS: ("labs.enter", Permission.RECORD_EVIDENCE, ""),
    Place.EXAMS: ("patients.record_exams", Permission.RECORD_EVIDENCE, ""),
}
_OF_THE_CLINIC = frozenset({Place.PRESCRIBER, Place.FACILITY})


@dataclass(frozen=True, slots=True)
class MissingLine:
    """Something missing, with the page that fills it in where the person may."""

    words: str
    href: str | None


@dataclass(frozen=True, slots=True)
class CourseForm:
    """One form in the list of forms of a course."""

    title: str
    state: str
    words: str
    href: str | None
    record_href: str | None
    due: str = ""


@dataclass(frozen=True, slots=True)
class FormGroup:
    """The forms of the patient, or of one course."""

    title: str
    forms: tuple[CourseForm, ...]


def asked_sheet(facts: FormFacts, kind: FormKind) -> Sheet:
    """The sheet that the address asks for; NotFound for a course, reaction or submission that is not there."""
    match kind:
        case FormKind.PATIENT_ENROLLMENT_FORM:
            return enrollment_sheet(facts)
        case FormKind.PATIENT_STATUS_FORM:
            return _status(facts)
        case FormKind.ADVERSE_EVENT_FORM:
            reaction = uuid_in("reaction")
            found = facts.reaction(reaction) if reaction else None
            if found is None:
                raise NotFound("reaction")
            return adverse_event_sheet(facts, *found)
        case FormKind.PATIENT_AUTHORIZATION_FORM:
            return authorization_sheet(facts, _course(facts))
        case FormKind.INFUSION_CHECKLIST:
            return checklist_sheet(facts, _course(facts))
        case _:
            raise NotFound("sheet")


def missing_lines(scope: Scope, patient: uuid.UUID, missing: Iterable[Missing]) -> list[MissingLine]:
    """What is missing, in words, each with its link."""
    return [MissingLine(f"{item.section}: {item.label}", place_href(scope, patient, item.link)) for item in missing]


def place_href(scope: Scope, patient: uuid.UUID, link: Link | None) -> str | None:
    """Where something is filled in; None where this person may not."""
    if link is None or link.place not in _PLACES:
        return None
    endpoint, permission, parameter = _PLACES[link.place]
    if not scope.may(permission):
        return None
    values: dict[str, Any] = {} if link.place in _OF_THE_CLINIC else {"patient": patient}
    if parameter:
        values[parameter] = link.ref or patient
    return url_for(endpoint, **values)


def form_groups(scope: Scope, patient: uuid.UUID, facts: FormFacts, owed: Sequence[OwedForm]) -> list[FormGroup]:
    """Every form with how far it is: those of the patient first, then course by course, newest first."""
    groups = [
        FormGroup(
            "Patient", (_form(scope, patient, enrollment_sheet(facts)), _next_status(scope, patient, facts, owed))
        )
    ]
    for course in reversed(facts.courses):
        forms = (
            _form(scope, patient, authorization_sheet(facts, course), course=course.number),
            _prescription(scope, patient, facts, course),
            _form(
                scope, patient, checklist_sheet(facts, course), course=course.number,
                due=_due(owed, FormKind.INFUSION_CHECKLIST, course.number),
            ),
            *_reports(scope, patient, facts, course),
        )  # fmt: skip
        groups.append(FormGroup(f"Course {course.number}", forms))
    return groups


def sheet_href(patient: uuid.UUID, kind: FormKind, form: SubmissionForm) -> str | None:
    """The data sheet of the form that is about to be recorded; None where there is none."""
    about = {name: form[name].data for name in ("course", "reaction") if name in form and form[name].data}
    if kind not in SHEET_KINDS or (kind is FormKind.ADVERSE_EVENT_FORM and "reaction" not in about):
        return None
    return url_for("rems.sheet", patient=patient, kind=kind.value, **about)


def _reports(scope: Scope, patient: uuid.UUID, facts: FormFacts, course: CourseFacts) -> Iterable[CourseForm]:
    """The reports of the serious reactions of a course (R-80)."""
    for day, row in course.reactions:
        if row.is_serious:
            on = show_date(local_date(row.onset_at, day.time_zone))
            made = adverse_event_sheet(facts, course, day, row)
            yield _form(
                scope, patient, made, title=f"Report of the serious reaction of {on}", due=report_by(facts, day, row),
                reaction=row.public_id,
            )  # fmt: skip


def _next_status(scope: Scope, patient: uuid.UUID, facts: FormFacts, owed: Sequence[OwedForm]) -> CourseForm:
    """The next status form; before its window opens there is nothing to send."""
    made = _form(
        scope, patient, status_sheet(facts), title="Patient Status Form, the next one",
        due=_due(owed, FormKind.PATIENT_STATUS_FORM),
    )  # fmt: skip
    ahead = [row for row in owed if row.requirement.evidence == FormKind.PATIENT_STATUS_FORM and row.done_on is None]
    if any(row.is_owed for row in ahead) or not ahead:
        return made
    opens_on = min(row.opens_on for row in ahead)
    return replace(made, state=SheetState.NOT_STARTED.value, words=f"Can be sent from {show_date(opens_on)}")


def _due(owed: Sequence[OwedForm], kind: FormKind, course: int | None = None) -> str:
    """When the next form of a kind is due; nothing where none is open."""
    due = [
        row.due_on
        for row in owed
        if row.requirement.evidence == kind and row.done_on is None and course in (None, row.course)
    ]
    return show_date(min(due)) if due else ""


def record_href(scope: Scope, patient: uuid.UUID, kind: FormKind, **about: Any) -> str | None:
    """Where it is recorded that a form was sent, filled in for this course or reaction."""
    if not scope.may(Permission.SUBMIT_FORMS):
        return None
    return url_for("rems.submit_form", patient=patient, kind=kind.value, **about)


def _form(
    scope: Scope, patient: uuid.UUID, sheet: Sheet, *, title: str = "", due: str = "", **about: Any
) -> CourseForm:
    href = url_for("rems.sheet", patient=patient, kind=sheet.kind.value, **about)
    record = record_href(scope, patient, sheet.kind, **about) if sheet.started else None
    due = due if sheet.state is not SheetState.SENT else ""
    return CourseForm(title or TITLES[sheet.kind], sheet.state.value, state_words(sheet), href, record, due)


def _prescription(scope: Scope, patient: uuid.UUID, facts: FormFacts, course: CourseFacts) -> CourseForm:
    """The prescription form is sent to a pharmacy; only that it was sent is kept here (R-15)."""
    sent = facts.sent(FormKind.PRESCRIPTION_ORDERING_FORM, course.number)
    state = SheetState.SENT if sent else SheetState.NOT_STARTED
    told = f"Sent on {show_date(sent[0].submitted_on)}" if sent else "Not recorded as sent"
    record = record_href(scope, patient, FormKind.PRESCRIPTION_ORDERING_FORM, course=course.number)
    return CourseForm("Prescription Ordering Form", state.value, told, None, record)


def state_words(sheet: Sheet) -> str:
    """How far a form is, in words."""
    match sheet.state:
        case SheetState.SENT:
            return f"Sent on {sheet.sent[0].submitted_on}"
        case SheetState.NOT_STARTED:
            return "Not started"
        case SheetState.MISSING:
            return f"{plural(len(sheet.missing), 'thing')} missing"
        case SheetState.READY:
            return "Ready to send"


def _status(facts: FormFacts) -> Sheet:
    wanted = uuid_in("sent")
    if wanted is None:
        return status_sheet(facts)
    sent = facts.sent(FormKind.PATIENT_STATUS_FORM)
    answered = next((row for row in sent if row.public_id == wanted), None)
    if answered is None:
        raise NotFound("form_submission")
    return status_sheet(facts, answered)


def _course(facts: FormFacts) -> CourseFacts:
    """The course in the address, else the newest one."""
    asked = request.args.get("course", "")
    if not asked and facts.courses:
        return facts.courses[-1]
    number = int(asked) if asked.isdecimal() and len(asked) <= len(str(MOST_COURSES)) else 0
    found = facts.course(number)
    if found is None:
        raise NotFound("course")
    return found
