"""Data to check on a chart: what is missing or does not fit, each with where to put it right."""

from collections.abc import Iterator
from dataclasses import dataclass

from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.panels import Level
from clinic_tracker.domain.screening import exam_title
from clinic_tracker.domain.vocabulary import CourseState
from clinic_tracker.queries.exams import exams_of
from clinic_tracker.queries.lab_reports import patient_reports
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import Treatment
from clinic_tracker.web.navigation import link_to

RECENT_REPORTS = 20


@dataclass(frozen=True, slots=True)
class DataCheck:
    """Something to look at, and where."""

    text: str
    href: str | None


def data_checks(scope: Scope, header: PatientHeader, treatment: Treatment) -> list[DataCheck]:
    """What a careful reader would ask about this chart today."""
    return [
        *_identity(header),
        *_treatment(scope, header, treatment),
        *_reports(scope, header),
        *_exams(scope, header),
        *_ending(scope, header),
    ]


def _identity(header: PatientHeader) -> Iterator[DataCheck]:
    details = link_to("patients.details", patient=header.public_id)
    if header.prescriber_id is None or not header.prescriber_active:
        words = (
            "No prescriber answers for this patient."
            if header.prescriber_id is None
            else "The prescriber is no longer active."
        )
        yield DataCheck(words, link_to("patients.prescriber", patient=header.public_id) or details)
    if header.rems_patient_id is None:
        yield DataCheck("The REMS patient ID is not known.", details)
    if header.phone is None:
        yield DataCheck("No phone number is on file.", details)


def _treatment(scope: Scope, header: PatientHeader, treatment: Treatment) -> Iterator[DataCheck]:
    courses = link_to("infusions.courses", patient=header.public_id)
    for row in treatment.infusions:
        if row.stands and row.discharged_at is None and row.infused_on < scope.today and row.recorded_via == "screen":
            yield DataCheck(f"The infusion of {show_date(row.infused_on)} was never signed out.", courses)
    for course in treatment.courses:
        planned = course.planned_start_on
        if treatment.state(course) is CourseState.PLANNED and planned is not None and planned < scope.today:
            yield DataCheck(
                f"Course {course.number} was planned for {show_date(planned)} and has no infusion.", courses
            )


def _reports(scope: Scope, header: PatientHeader) -> Iterator[DataCheck]:
    """Recent reports that count for nothing, and red ones that nobody has reviewed."""
    for row in patient_reports(scope, header.id, limit=RECENT_REPORTS).rows:
        href = link_to("labs.result", patient=header.public_id, report=row.public_id)
        on = show_date(row.collected_on)
        if row.reviewed_at is None and row.worst_level == "red":
            yield DataCheck(f"A red result of {on} was not reviewed.", href)
        if row.panel != "other" and not row.is_complete:
            yield DataCheck(f"The report of {on} counts for nothing: {row.missing or 'it is incomplete'}.", href)
        elif row.panel != "other" and row.result_status not in VALID_STATUSES:
            yield DataCheck(f"The report of {on} is {row.result_status}, not final.", href)


def _exams(scope: Scope, header: PatientHeader) -> Iterator[DataCheck]:
    """Red exams that nobody has reviewed."""
    for row in exams_of(scope, header.id):
        if row.stands and row.worst_level == Level.RED and row.reviewed_at is None:
            href = link_to("labs.exam", patient=header.public_id, exam=row.public_id)
            yield DataCheck(f"{exam_title(row.kind)} of {show_date(row.performed_on)}: red, and not reviewed.", href)


def _ending(scope: Scope, header: PatientHeader) -> Iterator[DataCheck]:
    ends = header.monitoring_ends_on
    if ends is not None and ends < scope.today and header.monitoring_closed_on is None:
        href = link_to("patients.close", patient=header.public_id)
        yield DataCheck(f"Monitoring ended on {show_date(ends)} and was not signed off.", href)
