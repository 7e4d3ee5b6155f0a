"""Forms of what happens on an infusion day: pauses, end, discharge, vital signs, premedication, reactions."""

from typing import Any

from clinic_tracker.domain.drug_check import Product
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vitals import BY_NAME, Questioned, questions, to_celsius
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.services.drug_checks import Colleague
from clinic_tracker.services.infusion_parts import VitalsTaken
from clinic_tracker.web.forms import (
    CheckboxesField,
    CheckboxField,
    DateField,
    DecimalField,
    EmailField,
    Form,
    IdempotencyField,
    IntegerField,
    LocalDateTimeField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    enum_choices,
)
from clinic_tracker.web.infusions.forms import DISPOSITIONS, VIALS_HINT, DeviationForm

SELF, COLLEAGUE = "self", "colleague"
STEROID = "Methylprednisolone"
STEROID_DOSE = "1,000 mg"
PREMEDICATIONS: dict[str, str] = {
    PremedicationKind.STEROID: "Corticosteroid",
    PremedicationKind.ANTIHISTAMINE: "Antihistamine",
    PremedicationKind.ANTIPYRETIC: "Antipyretic",
    PremedicationKind.OTHER: "Other",
}


class DoseField(DecimalField):
    """A dose in mg, shown without superfluous zeros."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, unit="mg", places=2, width=4, **kwargs)

    @property
    def shown(self) -> str:
        """As typed, else 12."""
        return super().shown if self.raw_data or self.data is None else f"{self.data:g}"


class PauseForm(DeviationForm):
    """An interruption."""

    paused_at = LocalDateTimeField("Paused at", required=True, not_future=True)
    reason = StringField("Reason", max_length=500)
    token = IdempotencyField()


class ResumeForm(DeviationForm):
    """The end of an interruption."""

    resumed_at = LocalDateTimeField("Resumed at", required=True, not_future=True)


class EndForm(DeviationForm):
    """The end of an infusion."""

    ended_at = LocalDateTimeField("Ended at", required=True, not_future=True)
    dose_mg = DoseField("Dose given", required=True, hint="Less where the infusion was stopped early.")


class DischargeForm(DeviationForm):
    """The signature that ends the observation."""

    discharged_at = LocalDateTimeField("Discharged at", required=True, not_future=True)
    stroke_advice_given = CheckboxField(
        "Told to seek emergency care at once on signs of stroke or of a torn neck artery",
        hint="Due at every infusion (R-50). Reported cases came within three days.",
    )
    late_reaction_advice_given = CheckboxField(
        "Told that serious reactions can come after the observation", hint="Due at every infusion (R-49)."
    )


class TemperatureField(DecimalField):
    """A temperature in °C or °F, kept in °C: 98.6 can only be °F."""

    was_fahrenheit = False

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None:
            self.data, self.was_fahrenheit = to_celsius(self.data)


class VitalsForm(Form):
    """One set of vital signs, in the order in which a monitor is read."""

    taken_at = LocalDateTimeField("Taken at", required=True, not_future=True)
    systolic = IntegerField("Systolic", unit="mmHg", width=4)
    diastolic = IntegerField("Diastolic", unit="mmHg", width=4)
    pulse = IntegerField("Pulse", unit="/min", width=4)
    temperature = TemperatureField("Temperature", places=1, unit="°C or °F", width=5)
    respiratory_rate = IntegerField("Respiratory rate", unit="/min", width=4)
    oxygen_saturation = IntegerField("Oxygen saturation", unit="%", width=4)
    note = StringField("Note", max_length=500)
    confirmed = CheckboxesField("Is this right?")
    token = IdempotencyField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = [(one.key, one.answer) for one in questions(self.values)]
        self.confirmed.choices = asked
        # What was confirmed before another value was typed no longer counts.
        self.confirmed.data = [key for key in self.confirmed.data or () if key in dict(asked)]

    @property
    def values(self) -> dict[str, float | None]:
        """The numbers, by the names of the signs."""
        data = {name: self[name].data for name in BY_NAME}
        return {name: float(value) if value is not None else None for name, value in data.items()}

    def refuse(self, violation: RuleViolation) -> None:
        """Every value in question is marked."""
        if not isinstance(violation, Questioned):
            super().refuse(violation)
            return
        for one in violation.questions:
            field = self[one.sign.name]
            field.errors = [*field.errors, f"{one.words} Correct it, or confirm that it is right"]

    @property
    def asks(self) -> bool:
        """Whether the page asks about a value: the form was sent and something in it is unlikely."""
        return bool(self.confirmed.choices) and self.taken_at.raw_data is not None

    @property
    def vitals(self) -> VitalsTaken:
        """What was measured."""
        numbers = {name: self[name].data for name in BY_NAME if name != "temperature"}
        return VitalsTaken(
            taken_at=self.taken_at.data, temperature=self.values["temperature"], note=self.note.data, **numbers
        )


class DrugCheckForm(Form):
    """One person's check of patient, product, dose and expiry."""

    patient_confirmed = CheckboxField("Name and date of birth were asked for and agree with this page")
    dose_mg = DoseField("Dose", required=True)
    lot_number = StringField("Lot number on the vial", required=True, max_length=40, width=12)
    lot_expires_on = DateField("Expiry date on the vial", required=True)
    who = RadioField("Who checks", required=True)
    email = EmailField("E-mail address of the colleague", autocomplete="off")
    password = PasswordField("Password of the colleague", autocomplete="off")
    token = IdempotencyField()

    @property
    def product(self) -> Product:
        """What was read."""
        return Product(float(self.dose_mg.data), self.lot_number.data, self.lot_expires_on.data)

    @property
    def colleague(self) -> Colleague | None:
        """Another person at this screen, or None for the one who is signed in."""
        if self.who.data != COLLEAGUE:
            return None
        return Colleague(self.email.data or "", self.password.data or "")


class StopForm(EndForm):
    """The end of an infusion that was stopped, and with it of the course."""

    reason = TextAreaField("Why was it stopped?", required="Give the reason", max_length=2000)
    unused_vials = IntegerField("Unused vials", minimum=0, width=3, hint=VIALS_HINT)
    vials_disposition = SelectField("What became of them", choices=DISPOSITIONS)


class PremedicationForm(DeviationForm):
    """A drug given around the infusion."""

    kind = RadioField("Kind", required=True, choices=enum_choices(PremedicationKind, PREMEDICATIONS))
    drug = StringField("Drug", required=True, max_length=80)
    dose = StringField("Dose", max_length=80)
    given_at = LocalDateTimeField("Given at, or started", required=True, not_future=True)
    ended_at = LocalDateTimeField("Ended at", not_future=True, hint="For an infusion of the corticosteroid.")
    token = IdempotencyField()

    @property
    def values(self) -> dict[str, Any]:
        """What was given, by the names of the service."""
        names = ("drug", "dose", "given_at", "ended_at")
        stated = {name: self[name].data for name in names} | {"kind": PremedicationKind(self.kind.data)}
        return stated | {"given": self.reasons, "form_token": self.token.data}
