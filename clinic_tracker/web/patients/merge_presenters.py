"""Two charts beside each other, field by field."""

from dataclasses import dataclass

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.queries.enrollments import EnrollmentRow
from clinic_tracker.queries.patients import PatientRecord
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.patients.banner import phase_text
from clinic_tracker.web.patients.presenters import SEX_WORDS, cervix_words

NOT_KNOWN = "Not known"


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field on both charts."""

    label: str
    kept: str
    other: str

    @property
    def differs(self) -> bool:
        """Whether the charts say different things."""
        return self.kept != self.other


def compared(
    scope: Scope, records: tuple[PatientRecord, PatientRecord], enrollments: tuple[list[EnrollmentRow], ...]
) -> list[ComparedField]:
    """The fields of both charts in the order of the page."""
    columns = [_fields(scope, record, rows) for record, rows in zip(records, enrollments, strict=True)]
    return [ComparedField(label, kept, columns[1][label]) for label, kept in columns[0].items()]


def _fields(scope: Scope, record: PatientRecord, enrollments: list[EnrollmentRow]) -> dict[str, str]:
    header = record.header
    current = next((row for row in enrollments if row.is_current), None)
    told = {
        "Family name": header.family_name,
        "Given names": header.given_name,
        "Date of birth": show_date(header.birth_date),
        "Sex at birth": SEX_WORDS[header.sex_at_birth],
        "Has a cervix": cervix_words(header.has_cervix),
        "MRN": header.mrn,
        "REMS patient ID": header.rems_patient_id,
        "Phone": header.phone,
        "E-mail": record.email,
        "Language": record.language,
        "Prescriber": header.prescriber_name,
        "Enrolled on": show_date(current.enrolled_on) if current is not None else "Not enrolled",
        "Treatment": phase_text(header, scope.today),
        "First infusion": show_date(header.first_infusion_on) if header.first_infusion_on else "None",
        "Last infusion": show_date(header.last_infusion_on) if header.last_infusion_on else "None",
    }
    return {label: value or NOT_KNOWN for label, value in told.items()}
