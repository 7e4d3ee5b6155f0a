"""Forms of the administrator."""

from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from clinic_tracker.domain.permissions import ROLE_TITLES
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import Setting
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.administration import MemberRow, PrescriberRow
from clinic_tracker.web.forms import (
    CheckboxField,
    DateField,
    EmailField,
    Form,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    VersionField,
)

_ROLES = [
    (
        Role.STAFF.value,
        ROLE_TITLES[Role.STAFF],
        "Infusion nurses and coordinators: patients, infusions, results, calls",
    ),
    (Role.NEUROLOGIST.value, ROLE_TITLES[Role.NEUROLOGIST], "All of that, and authorize, review, waive, sign off"),
    (Role.ADMINISTRATOR.value, ROLE_TITLES[Role.ADMINISTRATOR], "People, prescribers, settings, reports, audit trail"),
    (Role.AUDITOR.value, ROLE_TITLES[Role.AUDITOR], "Sees charts, reports and the audit trail; changes nothing"),
]


class InviteForm(Form):
    """A person and their role."""

    email = EmailField("E-mail address", required="Enter the e-mail address.", hint="They sign in with it.")
    name = StringField("Name", required="Enter the name.", hint="As others will see it, with the title: Ana Lee, RN.")
    role = RadioField("Role", required="Choose a role.", choices=_ROLES)


class RoleForm(Form):
    """Another role."""

    role = RadioField("Role", required="Choose a role.", choices=_ROLES)


class ReasonForm(Form):
    """Why something is taken back."""

    reason = TextAreaField("Reason", required="Enter the reason.")


class PrescriberForm(Form):
    """A prescriber and the certification in the REMS."""

    name = StringField(
        "Name", required="Enter the prescriber's name.", hint="As it is written on orders: Dr. Maya Lindqvist."
    )
    npi = StringField("NPI", hint="10 digits.", width=10)
    rems_prescriber_id = StringField("REMS prescriber number", width=10)
    certified_on = DateField(
        "Date of certification", not_future=True, hint="When the Prescriber Enrollment Form took effect (R-01)."
    )
    certification_ends_on = DateField(
        "Certification ends on", hint="Leave empty: no interval of re-certification is known (R-02)."
    )
    user = SelectField("Signs in as", choices=[], hint="Ties “my patients” to the account.")

    def offer(self, people: list[MemberRow]) -> None:
        """The accounts to choose from."""
        self.user.choices = [
            ("", "Does not sign in"),
            *(
                (str(person.public_id), f"{person.name} ({person.email})")
                for person in people
                if person.ended_on is None
            ),
        ]

    @property
    def answers(self) -> dict[str, Any]:
        """What was filled in; of the account its key. Only after ``validate``."""
        return {**super().answers, "user": UUID(self.user.data) if self.user.data else None}


class EditPrescriberForm(PrescriberForm):
    """The same for a prescriber on record, who may have left."""

    version = VersionField()
    is_active = CheckboxField("Practices here", default=True)

    @staticmethod
    def values_of(row: PrescriberRow) -> dict[str, object]:
        """The form's fields from a prescriber."""
        return {
            "version": row.version,
            "name": row.name,
            "npi": row.npi,
            "rems_prescriber_id": row.rems_prescriber_id,
            "certified_on": row.certified_on,
            "certification_ends_on": row.certification_ends_on,
            "user": str(row.user) if row.user else "",
            "is_active": row.is_active,
        }


class CertificationForm(Form):
    """A certification of the healthcare facility."""

    certified_on = DateField("Date of certification", required=True, not_future=True)
    ends_on = DateField("Ends on", hint="24 months later by default: unconfirmed (R-06), check with the REMS.")
    representative_name = StringField(
        "Authorized representative", required="Enter the name of the authorized representative."
    )
    representative_trained_on = DateField("Representative completed the training on", not_future=True)
    note = TextAreaField("Note")


class ClinicForm(Form):
    """The particulars of the clinic."""

    version = VersionField()
    name = StringField("Name", required="Enter the name of the clinic.")
    rems_facility_id = StringField("REMS facility number", width=10)
    phone = StringField("Phone", width=10, hint="Printed for patients.")
    time_zone = SelectField(
        "Time zone", required="Choose a time zone.", choices=[], hint="Decides which day it is here."
    )
    protocol_id = SelectField(
        "Protocol for new patients",
        required="Choose a protocol.",
        choices=[],
        hint="Patients in monitoring keep theirs.",
    )

    def offer(self, protocols: dict[str, Protocol]) -> None:
        """The zones and the protocols to choose from."""
        self.time_zone.choices = [
            (zone, zone.replace("_", " ")) for zone in sorted(available_timezones()) if "/" in zone
        ]
        self.protocol_id.choices = [(key, protocol.title) for key, protocol in sorted(protocols.items())]


class SettingForm(Form):
    """The clinic's own value of a setting."""

    value = IntegerField("Value", required="Enter the value.", width=4)
    effective_from = DateField("In force from", required=True, not_future=True, hint="Today, or earlier.")
    reason = TextAreaField("Reason", required="Enter the reason.", hint="Who confirmed it, and where it is written.")

    def describe(self, setting: Setting) -> None:
        """Name the value and its unit."""
        self.value.label.text = setting.title
        self.value.description = f"{setting.unit}, from {setting.minimum} to {setting.maximum}"
