"""Infusion days of the demonstration, past ones and those of this very hour."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clinic_tracker.domain.vocabulary import PremedicationKind, ReactionEnding, ReactionGrade
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import (
    Deviation,
    EarlyPart,
    Infusion,
    InfusionPause,
    InfusionReaction,
    Premedication,
    TreatmentCourse,
    VitalSigns,
)

if TYPE_CHECKING:
    from clinic_tracker.services.demo.chart import Chart

STEROID_DAYS = 3
OBSERVATION = 120
EARLY_DAY, EARLY_AMONG = 2, 7  # of every so many courses, somebody leaves too early on this day
LENGTH = timedelta(minutes=245)
_STARTED_AGO = {
    "infusing": timedelta(minutes=95),
    "observing": LENGTH + timedelta(minutes=71),
    "discharged": LENGTH + timedelta(minutes=150),
}


def started(chart: "Chart", state: str) -> datetime:
    """When the infusion of this hour began."""
    return chart.scope.now.replace(second=0, microsecond=0) - _STARTED_AGO[state]


class InfusionDays:
    """Adds the infusions of one course with their premedication, vital signs, pauses and reactions."""

    def __init__(self, chart: "Chart", course: TreatmentCourse) -> None:
        self.chart = chart
        self.course = course
        self.lot = f"A{chart.random.randint(10000, 99999)}"

    def past(self, day_number: int, on: date) -> None:
        """An infusion from start to discharge."""
        random = self.chart.random
        start = self.chart.at(on, 9, random.randint(0, 40))
        end = start + timedelta(minutes=random.randint(235, 265))
        discharge = end + timedelta(minutes=random.randint(121, 150))
        left_early = day_number == EARLY_DAY and int(self.lot[1:]) % EARLY_AMONG == 0
        if left_early:
            discharge = end + timedelta(minutes=95)
        infusion = self._infusion(day_number, on, start, end, discharge)
        if left_early:
            self._left_early(infusion)
        for minutes in (-10, 60, 180, 300):
            self._vitals(infusion, start + timedelta(minutes=minutes))
        if random.random() < 0.12:  # noqa: PLR2004
            self._paused_reaction(infusion, start)

    def now(self, state: str) -> None:
        """Day 2, on its way at this moment: infusing, observing or discharged."""
        moment = self.chart.scope.now.replace(second=0, microsecond=0)
        start = started(self.chart, state)
        end = start + LENGTH if state != "infusing" else None
        discharge = moment - timedelta(minutes=22) if state == "discharged" else None
        infusion = self._infusion(2, start.astimezone(self.chart.zone).date(), start, end, discharge)
        infusion.chair = {"infusing": "4", "observing": "2", "discharged": "1"}[state]
        minutes = -12
        while start + timedelta(minutes=minutes) <= (discharge or moment) - timedelta(minutes=8):
            self._vitals(infusion, start + timedelta(minutes=minutes))
            minutes += 30
        if state == "observing":
            self._serious_reaction(infusion, start + timedelta(minutes=150))

    def _infusion(
        self, day_number: int, on: date, start: datetime, end: datetime | None, discharge: datetime | None
    ) -> Infusion:
        infusion: Infusion = self.chart.fact(
            Infusion,
            on,
            course_id=self.course.id,
            day_number=day_number,
            infused_on=on,
            dose_mg=12.0,
            lot_number=self.lot,
            lot_expires_on=on + timedelta(days=400),
            diluted_at=start - timedelta(minutes=35),
            started_at=start,
            ended_at=end,
            observation_minutes=OBSERVATION,
            infection_excluded=True,
            contraindications_excluded=True,
            pregnancy_excluded=True if self.chart.patient.sex_at_birth == "female" else None,
            equipment_ready=True,
            discharged_at=discharge,
            discharged_by_id=self.chart.cast.staff if discharge else None,
            stroke_advice_given=discharge is not None,
            late_reaction_advice_given=discharge is not None,
            nurse_name="Robin Lee, RN" if self.chart.scope.protocol_id == "lemtrada-us" else "Niamh Byrne, RN",
            chair=str(self.chart.random.randint(1, 6)),
        )
        db.session.flush()
        if day_number <= STEROID_DAYS:
            self._premedication(infusion, PremedicationKind.STEROID, "Methylprednisolone", "1,000 mg", before=70)
        self._premedication(infusion, PremedicationKind.ANTIHISTAMINE, "Diphenhydramine", "50 mg", before=40)
        return infusion

    def _premedication(self, infusion: Infusion, kind: PremedicationKind, drug: str, dose: str, *, before: int) -> None:
        at = infusion.started_at - timedelta(minutes=before)
        self._part(Premedication, infusion, at, kind=kind.value, drug=drug, dose=dose, given_at=at)

    def _part(self, model: Any, infusion: Infusion, at: datetime, **values: Any) -> None:
        if issubclass(model, EarlyPart):
            values |= {"course_id": self.course.id, "for_on": infusion.infused_on}
        db.session.add(
            model(
                clinic_id=self.chart.scope.clinic_id,
                infusion_id=infusion.id,
                recorded_by_id=self.chart.cast.staff,
                recorded_at=at,
                **values,
            )
        )

    def _vitals(self, infusion: Infusion, at: datetime) -> None:
        random = self.chart.random
        self._part(
            VitalSigns,
            infusion,
            at,
            taken_at=at,
            systolic=random.randint(108, 138),
            diastolic=random.randint(64, 86),
            pulse=random.randint(66, 98),
            temperature=round(random.uniform(36.3, 37.4), 1),
            respiratory_rate=random.randint(13, 18),
            oxygen_saturation=random.randint(96, 99),
        )

    def _left_early(self, infusion: Infusion) -> None:
        """A discharge after 95 minutes, with the departure that it is (R-48)."""
        infusion.early_discharge_reason = "Last bus home; felt well, called in the evening"
        db.session.add(
            Deviation(
                clinic_id=infusion.clinic_id,
                patient_id=infusion.patient_id,
                course_id=self.course.id,
                infusion_id=infusion.id,
                code="early_discharge",
                requirement="R-48",
                message=f"Observed for 95 minutes; {OBSERVATION} are required.",
                reason=infusion.early_discharge_reason,
                occurred_on=infusion.infused_on,
                recorded_by_id=self.chart.cast.staff,
                recorded_at=infusion.recorded_at,
            )
        )

    def _paused_reaction(self, infusion: Infusion, start: datetime) -> None:
        onset = start + timedelta(minutes=80)
        self._part(
            InfusionReaction,
            infusion,
            onset,
            onset_at=onset,
            ticked=["rash", "headache"],
            signs="",
            grade=ReactionGrade.MILD.value,
            actions=["paused", "drugs"],
            drugs="Diphenhydramine 25 mg",
            ending=ReactionEnding.RECOVERED.value,
            resolved_at=onset + timedelta(minutes=35),
            outcome="Infusion completed",
        )
        self._part(
            InfusionPause,
            infusion,
            onset,
            paused_at=onset,
            resumed_at=onset + timedelta(minutes=20),
            reason="Rash",
        )

    def _serious_reaction(self, infusion: Infusion, onset: datetime) -> None:
        """One whose report has not been sent yet."""
        self._part(
            InfusionReaction,
            infusion,
            onset,
            onset_at=onset,
            ticked=["urticaria", "hypotension"],
            signs="Forearms and trunk",
            grade=ReactionGrade.SEVERE.value,
            is_serious=True,
            seriousness=["medically_important"],
            actions=["drugs"],
            drugs="Diphenhydramine 50 mg, methylprednisolone 125 mg",
            ending=ReactionEnding.RECOVERED.value,
            resolved_at=onset + timedelta(minutes=40),
        )
