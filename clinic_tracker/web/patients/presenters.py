"""Rows of the patients' pages in words."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from clinic_tracker.domain.calendar import whole_months_between
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.vocabulary import ObligationStatus, Sex
from clinic_tracker.queries.duplicates import Chart
from clinic_tracker.queries.patient_lists import Group, ListedPatient
from clinic_tracker.queries.patients import PatientRecord
from clinic_tracker.services.patients import PatientDetails
from clinic_tracker.web.patients.pages import chart_url

GROUP_WORDS = {
    Group.WAITING: "Waiting for course 1",
    Group.MONITORED: "In monitoring",
    Group.ENDED_OPEN: "Monitoring ended, not signed off",
    Group.CLOSED: "Monitoring closed",
    Group.NOT_ENROLLED: "Not enrolled",
    Group.NO_PRESCRIBER: "No prescriber, or an inactive one",
}
SOON = timedelta(days=7)
SEX_WORDS = {Sex.FEMALE.value: "Female", Sex.MALE.value: "Male", Sex.UNKNOWN.value: "Not known"}
TABLE_WORDS = {
    "enrollment": ("enrollment", "enrollments"),
    "treatment_course": ("course", "courses"),
    "course_authorization": ("authorization", "authorizations"),
    "infusion": ("infusion", "infusions"),
    "deviation": ("deviation", "deviations"),
    "prophylaxis": ("prophylaxis entry", "prophylaxis entries"),
    "lab_report": ("laboratory report", "laboratory reports"),
    "exam": ("exam or screening", "exams and screenings"),
    "vaccination": ("vaccination", "vaccinations"),
    "form_submission": ("form", "forms"),
    "waiver": ("waiver", "waivers"),
    "monitoring_decision": ("monitoring decision", "monitoring decisions"),
    "outreach": ("contact", "contacts"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A patient of the list."""

    id: int
    href: str
    patient: ListedPatient
    phase: str
    owed_status: str | None
    owed_days: int | None
    warnings: tuple[str, ...]
    merged_into: uuid.UUID | None


def listed(patient: ListedPatient, today: date) -> Row:
    """A row of the list, on a day."""
    status, days = _owed(patient.earliest_due_on, today)
    warnings = []
    if patient.prescriber_name is None:
        warnings.append("No prescriber")
    elif not patient.prescriber_active:
        warnings.append("Prescriber inactive")
    if patient.enrolled_on is None:
        warnings.append("Not enrolled")
    return Row(
        id=patient.id,
        href=chart_url(patient.merged_into or patient.public_id),
        patient=patient,
        phase=_phase(patient, today),
        owed_status=status,
        owed_days=days,
        warnings=tuple(warnings),
        merged_into=patient.merged_into,
    )


def as_chart(row: ListedPatient) -> Chart:
    """The identity of a listed patient."""
    return Chart(row.id, row.public_id, row.family_name, row.given_name, row.birth_date, row.mrn, row.rems_patient_id)


def moved_words(counts: dict[str, int]) -> list[str]:
    """What a chart holds, as in "3 infusions"."""
    return [f"{counts[table]} {words[counts[table] != 1]}" for table, words in TABLE_WORDS.items() if table in counts]


def differing(record: PatientRecord, details: PatientDetails, names: dict[str, str]) -> list[dict[str, str]]:
    """What is on the chart now beside what was typed, where the two differ. ``names`` are those of prescribers."""
    header = record.header
    pairs = (
        ("Family name", header.family_name, details.family_name),
        ("Given names", header.given_name, details.given_name),
        ("Date of birth", show_date(header.birth_date), show_date(details.birth_date)),
        ("Sex at birth", SEX_WORDS[header.sex_at_birth], SEX_WORDS[details.sex_at_birth]),
        ("Has a cervix", cervix_words(header.has_cervix), cervix_words(details.has_cervix)),
        ("MRN", header.mrn, details.mrn),
        ("REMS patient ID", header.rems_patient_id, details.rems_patient_id),
        ("Prescriber", header.prescriber_name, names.get(str(details.prescriber))),
        ("Phone", header.phone, details.phone),
        ("E-mail", record.email, details.email),
        ("Language", record.language, details.language),
        ("Note for contacts", record.contact_note, details.contact_note),
        ("Alerts", header.alerts, details.alerts),
    )
    return [
        {"label": label, "theirs": theirs or "—", "yours": yours or "—"}
        for label, theirs, yours in pairs
        if (theirs or "") != (yours or "")
    ]


def cervix_words(value: bool | None) -> str:  # noqa: FBT001 - a value of three states, not a switch
    """The answer in words."""
    return "As usual for the sex at birth" if value is None else ("Yes" if value else "No")


def _owed(due_on: date | None, today: date) -> tuple[str | None, int | None]:
    if due_on is None:
        return None, None
    if due_on < today:
        return ObligationStatus.OVERDUE.value, (today - due_on).days
    soon = due_on - today <= SOON
    return (ObligationStatus.DUE.value, (due_on - today).days) if soon else (None, None)


def _phase(patient: ListedPatient, today: date) -> str:
    last, ends, course = patient.last_infusion_on, patient.monitoring_ends_on, patient.given_course
    if last is None or ends is None or course is None:
        return "Waiting for course 1"
    if patient.monitoring_closed_on is not None:
        return f"Closed on {show_date(patient.monitoring_closed_on)}"
    if today > ends:
        return f"Ended on {show_date(ends)}, not signed off"
    months = whole_months_between(last.toordinal(), ends.toordinal())
    month = min(max(whole_months_between(last.toordinal(), today.toordinal()), 0) + 1, months)
    return f"Course {course}, month {month} of {months}"
