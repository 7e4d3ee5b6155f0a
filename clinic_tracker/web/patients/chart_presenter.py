"""The overview of a chart: what is owed and why, what was decided, and a summary of every other tab."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import url_for
from markupsafe import Markup

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import CourseState, StandingState
from clinic_tracker.queries.chart import Decision, decisions_of, standings_of
from clinic_tracker.queries.exams import exams_of
from clinic_tracker.queries.forms import FormRow, patient_forms
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_reports import course_starts, patient_reports, series
from clinic_tracker.queries.monitoring_case import MonitoringCase, load_case
from clinic_tracker.queries.outreach import Contact, patient_contacts
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tasks import TaskRow, patient_tasks
from clinic_tracker.queries.treatment import Treatment, treatment_of
from clinic_tracker.queries.worklist_items import OwedItem
from clinic_tracker.web.charts.trends import TrendChart
from clinic_tracker.web.filters import plural
from clinic_tracker.web.labs.presenters import ShownReport, shown_report
from clinic_tracker.web.labs.trends import trends_of
from clinic_tracker.web.patients.chart_checks import DataCheck, data_checks
from clinic_tracker.web.patients.chart_timeline import chart_timeline
from clinic_tracker.web.patients.decision_presenters import decision_words
from clinic_tracker.web.patients.explanations import Why, why_standing
from clinic_tracker.web.patients.prophylaxis_summary import ProphylaxisSummary, prophylaxis_summary
from clinic_tracker.web.requirement_words import full_title
from clinic_tracker.web.timeline import Timeline
from clinic_tracker.web.worklists.presenters import contact_words

SMALL_MULTIPLES = ("platelets", "creatinine", "tsh", "alt", "lymphocytes")
LATEST = 6
_OPEN = frozenset({StandingState.OVERDUE, StandingState.DUE})


@dataclass(frozen=True, slots=True)
class OwedLine:
    """One requirement as it stands, with its explanation."""

    requirement: str
    title: str
    state: StandingState
    days: int | None
    due_on: date | None
    last_done_on: date | None
    missed: int
    contact: Markup | None
    expected_on: date | None
    why: Why | None
    waive_href: str | None


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A course in one line."""

    number: int
    state: CourseState
    first_on: date | None
    last_on: date | None
    given: int
    planned_days: int
    planned_start_on: date | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The page."""

    owed: list[OwedLine]
    later: list[OwedLine]
    timeline: Timeline | None
    prophylaxis: ProphylaxisSummary | None
    trends: list[TrendChart]
    reports: list[ShownReport]
    tasks: list[TaskRow]
    courses: list[CourseLine]
    exams: list[tuple[str, date, str]]
    forms: list[FormRow]
    contacts: list[Contact]
    decisions: list[tuple[str, Decision]]
    checks: list[DataCheck]


def overview(scope: Scope, header: PatientHeader) -> Overview:
    """Everything that the overview of a chart shows, on the clinic's present day."""
    case = load_case(scope, header.id)
    items = standings_of(scope, header.id)
    lines = [_line(scope, header, case, item) for item in items]
    treatment = treatment_of(scope, header.id)
    catalog = lab_catalog(scope)
    points = series(scope, header.id, SMALL_MULTIPLES)
    reports = patient_reports(scope, header.id, limit=LATEST).rows
    return Overview(
        owed=[line for line in lines if line.state in _OPEN],
        later=[line for line in lines if line.state not in _OPEN],
        timeline=chart_timeline(case, header.public_id, scope.today),
        prophylaxis=prophylaxis_summary(case, treatment.prophylaxis, scope.today),
        trends=trends_of(catalog, header, points, course_starts(scope, header.id)),
        reports=[shown_report(catalog, row) for row in reports],
        tasks=patient_tasks(scope, header.id, only_open=True),
        courses=[_course(treatment, index) for index in range(len(treatment.courses))],
        exams=_latest_exams(scope, header.id),
        forms=[form for form in patient_forms(scope, header.id) if form.stands][:LATEST],
        contacts=[row for row in patient_contacts(scope, header.id, LATEST) if row.withdrawn_at is None][:3],
        decisions=[(decision_words(decision), decision) for decision in decisions_of(scope, header.id)],
        checks=data_checks(scope, header, treatment),
    )


def head_words(owed: Sequence[OwedLine]) -> str:
    """The state of the chart in a line."""
    late = sum(line.state is StandingState.OVERDUE for line in owed)
    due = len(owed) - late
    if not owed:
        return "Nothing is owed today"
    parts = [f"{plural(late, 'item')} overdue"] if late else []
    return ", ".join(parts + ([f"{plural(due, 'item')} due"] if due else []))


def _line(scope: Scope, header: PatientHeader, case: MonitoringCase, item: OwedItem) -> OwedLine:
    state, today = item.state(scope.today), scope.today
    days = None
    if state in _OPEN and item.next_due_on is not None:
        days = abs((today - item.next_due_on).days)
    mark = item.contact
    return OwedLine(
        requirement=item.requirement,
        title=full_title(item.requirement),
        state=state,
        days=days,
        due_on=item.next_due_on,
        last_done_on=item.last_done_on,
        missed=item.missed_in_a_row,
        contact=contact_words(mark, scope.time_zone) if mark else None,
        expected_on=mark.expected_on if mark else None,
        why=why_standing(case, item.requirement, today),
        waive_href=_waive_href(scope, header.public_id, item),
    )


def _waive_href(scope: Scope, patient: UUID, item: OwedItem) -> str | None:
    if item.next_due_on is None or not scope.may(Permission.DECIDE_MONITORING):
        return None
    return url_for("patients.waive", patient=patient, requirement=item.requirement)


def _course(treatment: Treatment, index: int) -> CourseLine:
    course = treatment.courses[index]
    given = treatment.given(course.id)
    return CourseLine(
        number=course.number,
        state=treatment.state(course),
        first_on=given[0].infused_on if given else None,
        last_on=given[-1].infused_on if given else None,
        given=len(given),
        planned_days=course.planned_days,
        planned_start_on=course.planned_start_on,
    )


def _latest_exams(scope: Scope, patient_id: int) -> list[tuple[str, date, str]]:
    """The latest of each kind of exam that stands."""
    latest: dict[str, tuple[str, date, str]] = {}
    for exam in exams_of(scope, patient_id):
        if exam.entry.stands:
            latest.setdefault(exam.kind, (exam.kind, exam.performed_on, exam.outcome))
    return list(latest.values())
