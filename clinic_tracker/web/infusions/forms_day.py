"""Forms of the infusion day: start, parts, end, discharge, days after the fact, corrections."""

from datetime import datetime
from typing import Any

import wtforms

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import PremedicationKind, ReactionGrade
from clinic_tracker.services.infusion_parts import SteroidGiven, VitalsTaken
from clinic_tracker.services.infusions import InfusionFacts, PastDay
from clinic_tracker.web.forms import (
    CheckboxField,
    DateField,
    DecimalField,
    IdempotencyField,
    IntegerField,
    LocalDateTimeField,
    RadioField,
    StringField,
    SubForm,
    TextAreaField,
    VersionField,
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


class DrugFields:
    """Dose and lot, as on the vial."""

    dose_mg = DoseField("Dose", required=True)
    lot_number = StringField("Lot number", max_length=40, width=12)
    lot_expires_on = DateField("Lot expires on")
    diluted_at = LocalDateTimeField("Diluted at", not_future=True)


class StartForm(DrugFields, DeviationForm):
    """The start of an infusion, now."""

    infection_excluded = CheckboxField(
        "No sign of active infection today", hint="R-18: an active infection is a contraindication."
    )
    equipment_ready = CheckboxField("Equipment and staff for infusion reactions are ready", hint="R-04.")
    started_at = LocalDateTimeField("Started at", required=True, not_future=True)
    day_number = IntegerField("Day of the course", required=True, minimum=1, maximum=9, width=3)
    chair = StringField("Chair", max_length=20, width=5)
    nurse_name = StringField("Nurse", max_length=80, width=20)
    token = IdempotencyField()

    @property
    def facts(self) -> InfusionFacts:
        """What was stated."""
        return InfusionFacts(
            day_number=self.day_number.data,
            started_at=self.started_at.data,
            dose_mg=float(self.dose_mg.data),
            diluted_at=self.diluted_at.data,
            lot_number=self.lot_number.data,
            lot_expires_on=self.lot_expires_on.data,
            chair=self.chair.data,
            nurse_name=self.nurse_name.data,
        )


class CorrectForm(DrugFields, DeviationForm):
    """A corrected infusion: everything that was recorded about it but its parts."""

    day_number = IntegerField("Day of the course", required=True, minimum=1, maximum=9, width=3)
    started_at = LocalDateTimeField("Started at", required=True, not_future=True)
    ended_at = LocalDateTimeField("Ended at", not_future=True)
    discharged_at = LocalDateTimeField("Discharged at", not_future=True)
    stroke_advice_given = CheckboxField("Advice on stroke and arterial dissection given")
    late_reaction_advice_given = CheckboxField("Advice on late reactions given")
    chair = StringField("Chair", max_length=20, width=5)
    nurse_name = StringField("Nurse", max_length=80, width=20)
    note = TextAreaField("Note", max_length=2000)
    reason = TextAreaField("Reason of the correction", required="Give the reason of the correction", max_length=2000)

    @property
    def facts(self) -> InfusionFacts:
        """What was stated."""
        return InfusionFacts(
            day_number=self.day_number.data,
            started_at=self.started_at.data,
            ended_at=self.ended_at.data,
            discharged_at=self.discharged_at.data,
            dose_mg=float(self.dose_mg.data),
            diluted_at=self.diluted_at.data,
            lot_number=self.lot_number.data,
            lot_expires_on=self.lot_expires_on.data,
            stroke_advice_given=self.stroke_advice_given.data,
            late_reaction_advice_given=self.late_reaction_advice_given.data,
            chair=self.chair.data,
            nurse_name=self.nurse_name.data,
            note=self.note.data,
        )


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


class PastDayForm(DrugFields, SubForm):
    """One day after the fact; left out while its start is empty."""

    day_number = VersionField()
    dose_mg = DoseField("Dose")
    started_at = LocalDateTimeField("Started at", not_future=True)
    ended_at = LocalDateTimeField("Ended at", not_future=True)
    discharged_at = LocalDateTimeField("Discharged at", not_future=True)
    steroid_at = LocalDateTimeField("Corticosteroid given at", not_future=True, hint="Methylprednisolone 1,000 mg.")
    vitals_at = LocalDateTimeField("Vital signs before the start at", not_future=True)
    systolic = IntegerField("Systolic", minimum=40, maximum=300, unit="mmHg", width=4)
    diastolic = IntegerField("Diastolic", minimum=20, maximum=200, unit="mmHg", width=4)
    pulse = IntegerField("Pulse", minimum=20, maximum=250, unit="/min", width=4)
    stroke_advice_given = CheckboxField("Advice on stroke given")
    late_reaction_advice_given = CheckboxField("Advice on late reactions given")
    nurse_name = StringField("Nurse", max_length=80, width=20)

    @property
    def is_given(self) -> bool:
        """Whether this day is to be recorded: its time of start was typed."""
        return isinstance(self.started_at.data, datetime)

    def as_day(self) -> PastDay:
        """What was stated."""
        facts = InfusionFacts(
            day_number=self.day_number.data,
            started_at=self.started_at.data,
            ended_at=self.ended_at.data,
            discharged_at=self.discharged_at.data,
            dose_mg=float(self.dose_mg.data or 0),
            diluted_at=self.diluted_at.data,
            lot_number=self.lot_number.data,
            lot_expires_on=self.lot_expires_on.data,
            stroke_advice_given=self.stroke_advice_given.data,
            late_reaction_advice_given=self.late_reaction_advice_given.data,
            nurse_name=self.nurse_name.data,
        )
        return PastDay(facts=facts, steroid=self._steroid(), vitals=self._vitals())

    def _steroid(self) -> SteroidGiven | None:
        if self.steroid_at.data is None:
            return None
        return SteroidGiven(drug=STEROID, dose=STEROID_DOSE, given_at=self.steroid_at.data)

    def _vitals(self) -> VitalsTaken | None:
        if self.vitals_at.data is None:
            return None
        values = {name: self[name].data for name in ("systolic", "diastolic", "pulse")}
        return VitalsTaken(taken_at=self.vitals_at.data, **values)


class BackEntryForm(DeviationForm):
    """Days of a course after the fact, several at once."""

    days = wtforms.FieldList(wtforms.FormField(PastDayForm))
    token = IdempotencyField()

    @property
    def given_days(self) -> list[PastDay]:
        """The days whose start was typed."""
        return [entry.form.as_day() for entry in self.days if entry.form.is_given]

    def refuse(self, violation: RuleViolation) -> None:
        """Put what concerns one day at the field of that day; days left empty do not count."""
        day, field = self._field_of_day(violation.field or "")
        if field is not None:
            field.errors = [*field.errors, violation.message]
        elif day is not None:
            self.form_errors.append(f"Day {day}: {violation.message}")
        else:
            super().refuse(violation)

    def _field_of_day(self, name: str) -> tuple[int | None, wtforms.Field | None]:
        prefix, _, rest = name.partition("-")
        index, _, field = rest.partition("-")
        if prefix != "days" or not index.isdigit():
            return None, None
        form = [entry.form for entry in self.days if entry.form.is_given][int(index)]
        field = PAST_FIELDS.get(field, field)
        return form.day_number.data, form._fields.get(field)


# The rules speak of all premedication and vital signs; the page asks for one of each.
PAST_FIELDS = {"premedications": "steroid_at", "infused_on": "started_at"}
