"""Forms of what happens on an infusion day: pauses, end, discharge, vital signs, premedication, reactions."""

from typing import Any

from clinic_tracker.domain.vocabulary import PremedicationKind, ReactionGrade
from clinic_tracker.services.infusion_parts import VitalsTaken
from clinic_tracker.web.forms import (
    CheckboxField,
    DecimalField,
    IdempotencyField,
    IntegerField,
    LocalDateTimeField,
    RadioField,
    StringField,
    TextAreaField,
    enum_choices,
)
from clinic_tracker.web.infusions.forms import DeviationForm

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


class VitalsForm(DeviationForm):
    """One set of vital signs."""

    taken_at = LocalDateTimeField("Taken at", required=True, not_future=True)
    systolic = IntegerField("Systolic pressure", minimum=40, maximum=300, unit="mmHg", width=4)
    diastolic = IntegerField("Diastolic pressure", minimum=20, maximum=200, unit="mmHg", width=4)
    pulse = IntegerField("Pulse", minimum=20, maximum=250, unit="per minute", width=4)
    temperature = DecimalField("Temperature", minimum=30, maximum=43, places=1, unit="°C", width=4)
    respiratory_rate = IntegerField("Respiratory rate", minimum=4, maximum=70, unit="per minute", width=4)
    oxygen_saturation = IntegerField("Oxygen saturation", minimum=40, maximum=100, unit="%", width=4)
    note = StringField("Note", max_length=500)
    token = IdempotencyField()

    @property
    def vitals(self) -> VitalsTaken:
        """What was measured."""
        temperature = self.temperature.data
        return VitalsTaken(
            taken_at=self.taken_at.data,
            systolic=self.systolic.data,
            diastolic=self.diastolic.data,
            pulse=self.pulse.data,
            temperature=float(temperature) if temperature is not None else None,
            respiratory_rate=self.respiratory_rate.data,
            oxygen_saturation=self.oxygen_saturation.data,
            note=self.note.data,
        )


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


class ReactionForm(DeviationForm):
    """A reaction during or after the infusion."""

    onset_at = LocalDateTimeField("Onset", required=True, not_future=True)
    signs = TextAreaField("Signs", required=True, max_length=2000)
    grade = RadioField("Severity", required=True, choices=enum_choices(ReactionGrade))
    is_serious = CheckboxField("Serious (report to the REMS and to FDA)")
    action = TextAreaField("What was done", max_length=2000)
    outcome = StringField("Outcome", max_length=500)
    token = IdempotencyField()

    @property
    def values(self) -> dict[str, Any]:
        """What was seen and done, by the names of the service."""
        names = ("onset_at", "signs", "is_serious", "action", "outcome")
        return {name: self[name].data for name in names} | {"grade": ReactionGrade(self.grade.data)}
