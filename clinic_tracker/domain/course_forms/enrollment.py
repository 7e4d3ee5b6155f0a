"""The data for the Patient Enrollment Form (data dictionary 2.5; R-11, R-12)."""

from clinic_tracker.domain.course_forms.blocks import (
    by_hand,
    day_text,
    optional,
    patient_block,
    prescriber_block,
    required,
    sent_rows,
    signature,
    yes,
)
from clinic_tracker.domain.course_forms.facts import EnrollmentFacts, FormFacts
from clinic_tracker.domain.course_forms.sheet import Field, Link, Need, Place, Section, Sheet
from clinic_tracker.domain.vocabulary import FormKind

KIND = FormKind.PATIENT_ENROLLMENT_FORM


def enrollment_sheet(facts: FormFacts) -> Sheet:
    """What the clinic knows for the enrollment of a patient."""
    enrollment = facts.enrollment
    prescriber = enrollment.prescriber if enrollment else facts.prescriber
    return Sheet(
        KIND,
        "",
        (
            patient_block(facts.patient),
            Section("Caregiver and insurance", by_hand("Caregiver or second contact", "Insurance (optional)")),
            prescriber_block(prescriber, facts.facility),
            _acknowledgments(enrollment),
            _signatures(enrollment),
        ),
        started=enrollment is not None,
        sent=sent_rows(facts.sent(KIND)),
    )


def _acknowledgments(row: EnrollmentFacts | None) -> Section:
    here = Link(Place.ENROLLMENT)
    on_form = tuple(
        Field(label, "", Need.BY_HAND, None, unconfirmed)
        for label, unconfirmed in (
            ("Patient agrees to monthly blood and urine tests and a yearly skin exam", False),
            ("Patient will tell the prescriber of symptoms and of a change of prescriber", True),
            ("Patient's permission to share health information", True),
        )
    )
    return Section(
        "Acknowledgments of the patient",
        (
            required("Patient Guide received and read", day_text(row and row.guide_given_on), here),
            required("Patient Safety Information Card received", day_text(row and row.card_given_on), here),
            required(
                "Risks explained: autoimmunity, infusion reactions, stroke, malignancies",
                day_text(row and row.counseled_on),
                here,
            ),
            *on_form,
        ),
    )


def _signatures(row: EnrollmentFacts | None) -> Section:
    here = Link(Place.ENROLLMENT)
    return Section(
        "Signatures",
        (
            required("Enrolled on", day_text(row and row.enrolled_on), here),
            *signature("Patient or representative", row and row.patient_signed_on, here),
            *signature("Prescriber", row and row.prescriber_signed_on, here),
            required("Copy given to the patient", yes(known=row.copy_given or None) if row else "", here),
            optional("REMS reference", row and row.rems_reference, unconfirmed=True),
        ),
    )
