"""Fields and blocks that several sheets share (data dictionary 2.1)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from clinic_tracker.domain.course_forms.facts import (
    FacilityFacts,
    PatientFacts,
    PrescriberFacts,
    SubmissionFacts,
)
from clinic_tracker.domain.course_forms.sheet import Field, Link, Need, Place, Section, Sent
from clinic_tracker.domain.local_time import local_date, show_date, show_time
from clinic_tracker.domain.reactions import words_of

METHODS = {"web": "REMS website", "fax": "Fax", "phone": "Phone", "mail": "Mail"}


def required(label: str, text: str | None, link: Link | None, *, unconfirmed: bool = False) -> Field:
    """A field that the chart should know."""
    return Field(label, text or "", Need.REQUIRED, link, unconfirmed)


def optional(label: str, text: str | None, *, unconfirmed: bool = False) -> Field:
    """A field that may be empty."""
    return Field(label, text or "", Need.OPTIONAL, None, unconfirmed)


def by_hand(*labels: str) -> tuple[Field, ...]:
    """Fields that the tracker does not keep; all of them were recalled, not seen on a form."""
    return tuple(Field(label, "", Need.BY_HAND, None, unconfirmed=True) for label in labels)


def asked(label: str, text: str | None, *, unconfirmed: bool = False) -> Field:
    """A question that only a person can answer."""
    return Field(label, text or "", Need.ASKED, Link(Place.SENDING), unconfirmed)


def day_text(day: date | None) -> str:
    """07-Mar-2026, or nothing."""
    return show_date(day) if day is not None else ""


def moment(instant: datetime | None, zone: str) -> str:
    """07-Mar-2026 2:05 pm EST, or nothing."""
    return f"{show_date(local_date(instant, zone))} {show_time(instant, zone)}" if instant is not None else ""


def yes(*, known: bool | None) -> str:
    """Yes, No, or nothing where it is not known."""
    return "" if known is None else "Yes" if known else "No"


def words(code: object) -> str:
    """not_recovered as "not recovered"."""
    return str(code).replace("_", " ")


def listed(codes: Iterable[Any], *others: str | None) -> str:
    """Codes in words and texts, in one line."""
    return "; ".join([*words_of(codes), *(text for text in others if text)])


def patient_block(patient: PatientFacts) -> Section:
    """Who it is about (2.1)."""
    here = Link(Place.PATIENT)
    female = patient.sex_at_birth == "female" if patient.sex_at_birth != "unknown" else None
    cervix = female if patient.has_cervix is None else patient.has_cervix
    return Section(
        "Patient",
        (
            required("REMS patient id", patient.rems_patient_id, here, unconfirmed=True),
            required("Last name", patient.family_name, here, unconfirmed=True),
            required("First name", patient.given_name, here, unconfirmed=True),
            *by_hand("Middle name"),
            required("Date of birth", day_text(patient.birth_date), here),
            required("Sex recorded at birth", patient.sex_at_birth.capitalize(), here),
            optional("Has a cervix", yes(known=cervix)),
            *by_hand("Address"),
            required("Phone", patient.phone, here, unconfirmed=True),
            optional("E-mail", patient.email, unconfirmed=True),
            optional("Preferred language", patient.language, unconfirmed=True),
            required("MRN", patient.mrn, here),
        ),
    )


def prescriber_block(prescriber: PrescriberFacts | None, facility: FacilityFacts) -> Section:
    """Who prescribes (2.1)."""
    here = Link(Place.PRESCRIBER, prescriber.public_id) if prescriber else Link(Place.PATIENT)
    return Section(
        "Prescriber",
        (
            required("REMS prescriber id", prescriber and prescriber.rems_prescriber_id, here, unconfirmed=True),
            required("Prescriber", prescriber and prescriber.name, here, unconfirmed=True),
            required("NPI", prescriber and prescriber.npi, here, unconfirmed=True),
            *by_hand("Credentials", "Specialty"),
            optional("Practice", facility.name, unconfirmed=True),
            optional("Practice phone", facility.phone, unconfirmed=True),
            *by_hand("Practice address", "Practice fax", "Practice e-mail", "Office contact"),
        ),
    )


def facility_block(facility: FacilityFacts) -> Section:
    """Where it is given, with the authorized representative (2.1)."""
    here = Link(Place.FACILITY)
    return Section(
        "Healthcare facility",
        (
            required("REMS facility id", facility.rems_facility_id, here, unconfirmed=True),
            required("Facility", facility.name, here, unconfirmed=True),
            *by_hand("Type of facility", "Facility address", "Facility fax"),
            optional("Facility phone", facility.phone, unconfirmed=True),
            required("Certified on", day_text(facility.certified_on), here),
            required("Authorized representative", facility.representative, here),
            required("Representative trained on", day_text(facility.representative_trained_on), here),
            *by_hand("Representative's title, credentials, phone and e-mail"),
        ),
    )


def signature(who: str, signed_on: date | None = None, link: Link | None = None) -> tuple[Field, ...]:
    """A name, and the day of the signature where the chart keeps one; the signature itself is on the form."""
    dated = (
        required(f"{who} signed on", day_text(signed_on), link)
        if link is not None
        else Field(f"{who}: date", "", Need.BY_HAND)
    )
    return (Field(f"{who}: name and signature", "", Need.BY_HAND), dated)


def sent_rows(rows: Iterable[SubmissionFacts]) -> tuple[Sent, ...]:
    """The submissions as a sheet tells of them."""
    return tuple(
        Sent(
            submitted_on=show_date(row.submitted_on),
            method=METHODS.get(row.method or "", "not known how"),
            confirmation=row.confirmation or "",
            signed_by=row.signed_by or "",
            recorded_by=row.recorded_by or "the system",
        )
        for row in rows
    )
