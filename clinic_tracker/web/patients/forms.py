"""The forms of a patient's details, enrollment and reasons."""

import uuid
from dataclasses import replace
from typing import Any

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.notes import Note
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.queries.patients import PatientRecord
from clinic_tracker.services.deviations import ReasonNeeded
from clinic_tracker.services.enrollment import EnrollmentDetails
from clinic_tracker.services.patients import PatientDetails
from clinic_tracker.web.forms import (
    CheckboxField,
    DateField,
    EmailField,
    Form,
    IdempotencyField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    VersionField,
)

TODAY = "Type a date such as 22-Nov-2026, or “today”"
SEXES = [(Sex.FEMALE.value, "Female"), (Sex.MALE.value, "Male"), (Sex.UNKNOWN.value, "Not known")]
CERVIX = [
    ("", "As usual for the sex at birth", "Female: yes. Male or not known: no."),
    ("yes", "Yes", "HPV screening is asked for every year."),
    ("no", "No", "For example after a hysterectomy. No HPV screening is asked for."),
]
END_REASONS = [
    ("Transferred to another clinic", "Transferred to another clinic"),
    ("Transferred to another prescriber", "Transferred to another prescriber"),
    ("Moved away", "Moved away"),
    ("Withdrew from the program", "Withdrew from the program"),
    ("Lost to follow-up", "Lost to follow-up"),
    ("Died", "Died"),
    ("Other", "Other"),
]


class PatientForm(Form):
    """Who a patient is."""

    family_name = StringField("Family name", required=True)
    given_name = StringField("Given names", required=True)
    birth_date = DateField("Date of birth", parts=True, required=True, not_future=True)
    sex_at_birth = RadioField("Sex at birth", choices=SEXES, required=True)
    has_cervix = RadioField(
        "Has a cervix", choices=CERVIX, hint="Decides whether a yearly HPV screen belongs to the schedule."
    )
    mrn = StringField("MRN", required="Enter the MRN", width=10, hint="The number of the chart in this clinic")
    rems_patient_id = StringField("REMS patient ID", width=10, hint="From the REMS enrollment; may be added later")
    prescriber = SelectField("Prescriber")
    phone = StringField("Phone", width=20, max_length=60)
    email = EmailField("E-mail")
    language = StringField("Language", width=20, max_length=60, hint="The one to call in")
    contact_note = TextAreaField("Note for contacts", hint="For example: call after 4 pm", max_length=500)
    alerts = TextAreaField("Alerts", hint="Short, one a line. Shown in red on every page of the chart.", max_length=500)
    version = VersionField()
    token = IdempotencyField()

    def details(self) -> PatientDetails:
        """What was typed, as the service takes it; only after ``validate``."""
        cervix = {"yes": True, "no": False}.get(self.has_cervix.data or "")
        return PatientDetails(
            mrn=self.mrn.data or "",
            family_name=self.family_name.data or "",
            given_name=self.given_name.data or "",
            birth_date=self.birth_date.data,
            sex_at_birth=Sex(self.sex_at_birth.data),
            rems_patient_id=self.rems_patient_id.data,
            has_cervix=cervix,
            prescriber=chosen(self.prescriber.data),
            phone=self.phone.data,
            email=self.email.data,
            language=self.language.data,
            contact_note=self.contact_note.data,
            alerts=self.alerts.data,
        )


class ConfirmPatientForm(PatientForm):
    """The same with the answer to the similar charts."""

    different_person = CheckboxField("None of these is the patient: this is a different person")


def values_of(record: PatientRecord) -> dict[str, Any]:
    """The values with which the form of an existing chart opens."""
    header = record.header
    return {
        "family_name": header.family_name,
        "given_name": header.given_name,
        "birth_date": header.birth_date,
        "sex_at_birth": header.sex_at_birth,
        "has_cervix": {True: "yes", False: "no"}.get(header.has_cervix, "") if header.has_cervix is not None else "",
        "mrn": header.mrn,
        "rems_patient_id": header.rems_patient_id,
        "prescriber": str(record.prescriber or ""),
        "phone": header.phone,
        "email": record.email,
        "language": record.language,
        "contact_note": record.contact_note,
        "alerts": header.alerts,
        "version": header.version,
    }


class PrescriberForm(Form):
    """Another prescriber for a patient."""

    prescriber = SelectField("New prescriber", required=True)
    reason = StringField("Reason", hint="Kept in the audit trail", max_length=500)
    version = VersionField()


class DepartureForm(Form):
    """A form whose facts may depart from the program: then it lists how, and asks why."""

    notes: tuple[Note, ...] = ()

    def refuse(self, violation: RuleViolation) -> None:
        """What is merely missing a reason is kept, to be listed beside the field of the reason."""
        if not isinstance(violation, ReasonNeeded):
            super().refuse(violation)
            return
        self.notes = violation.notes
        reason = self["deviation_reason"]
        reason.required = True  # type: ignore[attr-defined]
        reason.errors = ["Give the reason, or change what departs from the rules"]


class EnrollmentForm(DepartureForm):
    """The enrollment form of the REMS, as signed."""

    prescriber = SelectField("Prescriber", required=True)
    enrolled_on = DateField("Enrolled on", required="Enter the date of enrollment", not_future=True, hint=TODAY)
    rems_patient_id = StringField("REMS patient ID", width=10)
    rems_reference = StringField("REMS reference", width=20, hint="Confirmation number of the enrollment, if any")
    counseled_on = DateField("Counseled on", not_future=True, hint="With the patient guide, before the first dose")
    guide_given_on = DateField("Guide given on", not_future=True)
    card_given_on = DateField("Safety card given on", not_future=True)
    patient_signed_on = DateField("Signed by the patient on", not_future=True)
    prescriber_signed_on = DateField("Signed by the prescriber on", not_future=True)
    copy_given = CheckboxField("A completed copy was given to the patient")
    deviation_reason = TextAreaField("Reason", hint="Kept on the chart and in the reports", max_length=2000)
    token = IdempotencyField()

    def details(self) -> EnrollmentDetails:
        """What was typed, as the service takes it; only after ``validate``."""
        return EnrollmentDetails(
            prescriber=uuid.UUID(self.prescriber.data),
            enrolled_on=self.enrolled_on.data,
            counseled_on=self.counseled_on.data,
            guide_given_on=self.guide_given_on.data,
            card_given_on=self.card_given_on.data,
            patient_signed_on=self.patient_signed_on.data,
            prescriber_signed_on=self.prescriber_signed_on.data,
            copy_given=self.copy_given.data,
            rems_reference=self.rems_reference.data,
            rems_patient_id=self.rems_patient_id.data,
        )


class CorrectEnrollmentForm(EnrollmentForm):
    """A correction: the reason is required, and an end may be taken back by emptying its date."""

    reason = TextAreaField("Reason for the correction", required="Give the reason for the correction", max_length=2000)
    ended_on = DateField("Ended on", not_future=True, hint="Leave empty if the patient is still enrolled")
    end_reason = StringField("Reason of the end", max_length=500)

    def details(self) -> EnrollmentDetails:
        """What was typed, with the end."""
        return replace(super().details(), ended_on=self.ended_on.data, end_reason=self.end_reason.data)


class EndEnrollmentForm(Form):
    """The end of an enrollment."""

    ended_on = DateField("Ended on", required="Enter the date of the end", not_future=True, hint=TODAY)
    why = RadioField("Reason", choices=END_REASONS, required="Choose the reason")
    note = TextAreaField("Note", max_length=1000, hint="Where to, who was told; needed for “Other”")

    @property
    def reason(self) -> str:
        """The reason in words."""
        return f"{self.why.data}: {self.note.data}" if self.note.data else str(self.why.data or "")

    def validate(self, extra_validators: Any = None) -> bool:
        """“Other” says nothing without a note."""
        good: bool = super().validate(extra_validators)
        if self.why.data == "Other" and not self.note.data:
            self.note.errors = [*self.note.errors, "Say in the note what the reason is"]
            return False
        return good


class ReasonForm(Form):
    """Nothing but a reason."""

    reason = TextAreaField("Reason", required="Give the reason", max_length=2000)


class CompareForm(Form):
    """Two charts to compare, by their numbers."""

    keep = StringField("MRN of the chart to keep", required="Enter the MRN of the chart to keep", width=10)
    other = StringField("MRN of the other chart", required="Enter the MRN of the other chart", width=10)


def chosen(value: str | None) -> uuid.UUID | None:
    """The prescriber of a list, or None where none was chosen."""
    return uuid.UUID(value) if value else None
