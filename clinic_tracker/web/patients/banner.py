"""The banner of every page about one patient: who it is, where the treatment stands, what stands out."""

import uuid
from datetime import date, timedelta
from typing import TypedDict

from clinic_tracker.domain.calendar import whole_months_between
from clinic_tracker.domain.eligibility import age_on
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope

SEX_WORDS = {"female": "Female", "male": "Male", "unknown": None}
# A course that was interrupted is shown as open for so long after its last infusion (decision 16).
COURSE_OPEN_DAYS = timedelta(days=30)


class Alert(TypedDict):
    """A short sentence beside the name; tone is red, amber or grey."""

    text: str
    tone: str


class Banner(TypedDict):
    """What ``layouts/patient.html`` shows of a patient."""

    public_id: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    age: int
    sex: str | None
    mrn: str
    rems_patient_id: str | None
    prescriber: str | None
    phase: str | None
    alerts: list[Alert]
    merged_into: uuid.UUID | None


def banner_of(scope: Scope, header: PatientHeader) -> Banner:
    """The banner of a patient on the clinic's present day."""
    return Banner(
        public_id=header.public_id,
        family_name=header.family_name,
        given_name=header.given_name,
        birth_date=header.birth_date,
        age=age_on(header.birth_date, scope.today),
        sex=SEX_WORDS[header.sex_at_birth],
        mrn=header.mrn,
        rems_patient_id=header.rems_patient_id,
        prescriber=header.prescriber_name,
        phase=phase_text(header, scope.today),
        alerts=_alerts(header, scope.today),
        merged_into=header.merged_into,
    )


def phase_text(header: PatientHeader, today: date) -> str | None:
    """Where the treatment stands: "Course 2, month 14 of 48; monitoring ends 14-Jan-2030". None for a merged chart."""
    if header.merged_into is not None:
        return None
    last, ends = header.last_infusion_on, header.monitoring_ends_on
    if last is None or ends is None or header.given_course is None:
        return _waiting(header.planned_course or 1, header.planned_start_on)
    if header.monitoring_closed_on is not None:
        return f"Monitoring closed on {show_date(header.monitoring_closed_on)}"
    if today > ends:
        return f"Monitoring ended on {show_date(ends)}, not signed off"
    if _in_course(header, last, today):
        return f"Course {header.given_course}, {header.given_days} of {header.planned_days} days given"
    return _monitoring(header.given_course, last, ends, today) + _next_course(header)


def _waiting(course: int, start: date | None) -> str:
    planned = f", planned for {show_date(start)}" if start is not None else ""
    return f"Waiting for course {course}{planned}"


def _in_course(header: PatientHeader, last: date, today: date) -> bool:
    open_days = header.given_days is not None and header.planned_days is not None
    unfinished = open_days and (header.given_days or 0) < (header.planned_days or 0)
    return unfinished and header.discontinued_on is None and today <= last + COURSE_OPEN_DAYS


def _monitoring(course: int, last: date, ends: date, today: date) -> str:
    """The month that is under way: after 13 whole months it is month 14."""
    months = whole_months_between(last.toordinal(), ends.toordinal())
    month = min(max(whole_months_between(last.toordinal(), today.toordinal()), 0) + 1, months)
    return f"Course {course}, month {month} of {months}; monitoring ends {show_date(ends)}"


def _next_course(header: PatientHeader) -> str:
    if header.planned_course is None or header.planned_start_on is None:
        return ""
    return f"; course {header.planned_course} on {show_date(header.planned_start_on)}"


def _alerts(header: PatientHeader, today: date) -> list[Alert]:
    if header.merged_into is not None:
        return [Alert(text="Merged into another chart", tone="grey")]
    alerts = [Alert(text=line, tone="red") for line in (header.alerts or "").splitlines() if line.strip()]
    if header.prescriber_name is None:
        alerts.append(Alert(text="No prescriber", tone="amber"))
    elif not header.prescriber_active:
        alerts.append(Alert(text="Prescriber no longer active", tone="amber"))
    if header.enrolled_on is None:
        alerts.append(Alert(text="Not enrolled", tone="amber"))
    ends = header.monitoring_ends_on
    if ends is not None and today > ends and header.monitoring_closed_on is None:
        alerts.append(Alert(text="Monitoring to be signed off", tone="amber"))
    return alerts
