"""Forms of infusions as facts: start, days after the fact, corrections."""

from collections.abc import Iterable
from datetime import datetime

import wtforms

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.readiness import Answers
from clinic_tracker.services.infusion_parts import SteroidGiven, VitalsTaken
from clinic_tracker.services.infusions import InfusionFacts, PastDay
from clinic_tracker.web.forms import (
    CheckboxField,
    DateField,
    IdempotencyField,
    IntegerField,
    LocalDateTimeField,
    RadioField,
    StringField,
    SubForm,
    TextAreaField,
    VersionField,
)
from clinic_tracker.web.infusions.forms import DeviationForm
from clinic_tracker.web.infusions.forms_parts import STEROID, STEROID_DOSE, DoseField


class DrugFields:
    """Dose and lot, as on the vial."""

    dose_mg = DoseField("Dose", required=True)
    lot_number = StringField("Lot number", max_length=40, width=12)
    lot_expires_on = DateField("Lot expires on")
    diluted_at = LocalDateTimeField("Diluted at", not_future=True)


YES_NO = (("no", "No"), ("yes", "Yes"))


def _excluded(answer: str | None) -> bool | None:
    return {"no": True, "yes": False}.get(answer or "")


class StartForm(DrugFields, DeviationForm):
    """The start of an infusion, now."""

    infection = RadioField(
        "Any sign of an active infection today?",
        required="Answer whether there is any sign of an active infection",
        choices=YES_NO,
        hint="An active infection is a contraindication (R-18).",
    )
    contraindication = RadioField(
        "Any other contraindication?", required="Answer whether there is any other contraindication", choices=YES_NO
    )
    pregnancy = RadioField(
        "Pregnant, or possibly pregnant?", required="Answer whether pregnancy is possible", choices=YES_NO, hint="R-34."
    )
    equipment_ready = CheckboxField(
        "Equipment and trained staff for infusion reactions are at hand", hint="Attested each day (R-04)."
    )
    started_at = LocalDateTimeField("Started at", required=True, not_future=True)
    day_number = IntegerField("Day of the course", required=True, minimum=1, maximum=9, width=3)
    chair = StringField("Chair", max_length=20, width=5)
    nurse_name = StringField("Nurse", max_length=80, width=20)
    token = IdempotencyField()

    def ask(self, contraindications: Iterable[tuple[str, bool]], *, pregnancy: bool) -> None:
        """Name the protocol's contraindications; leave the question of pregnancy out where it does not apply."""
        names = [f"{title} (unconfirmed)" if unconfirmed else title for title, unconfirmed in contraindications]
        self.contraindication.description = f"{'; '.join(names)} (R-18)."
        if not pregnancy:
            del self.pregnancy

    @property
    def confirmed(self) -> Answers:
        """What was answered: a yes excludes nothing."""
        pregnancy = self.pregnancy.data if "pregnancy" in self else ""
        return Answers(
            infection_excluded=_excluded(self.infection.data),
            contraindications_excluded=_excluded(self.contraindication.data),
            pregnancy_excluded=_excluded(pregnancy),
            equipment_ready=self.equipment_ready.data,
        )

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
    version = VersionField()

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
