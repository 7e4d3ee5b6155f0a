"""The courses and infusions of an imported history; departures from the protocol become deviations."""

from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.dosing import InfusionDay, Regimen, planned_days
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.imported_history import GivenInfusion
from clinic_tracker.domain.infusion_day import InfusionContext, InfusionEntry, check_infusion
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, InfusionPause, TreatmentCourse
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.services.deviations import record_deviation
from clinic_tracker.services.history_chart import NOT_STATED, ImportChart


class CourseImport:
    """Adds the courses of one history that the chart does not hold yet."""

    def __init__(self, chart: ImportChart) -> None:
        self.chart = chart
        self.scope = chart.scope
        self.patient = chart.patient
        self.imported = chart.imported

    def record(self) -> dict[int, TreatmentCourse]:
        """Record the courses with their infusions; every course by its number."""
        on_file = {
            course.number: course
            for course in db.session.execute(
                select(TreatmentCourse).where(TreatmentCourse.patient_id == self.patient.id)
            ).scalars()
        }
        regimen = Regimen.from_settings(
            {
                name: setting.value
                for name, setting in protocol_in_force(self.scope, self.imported.history.protocol).settings.items()
            }
        )
        given: list[InfusionDay] = []
        for fact in sorted(self.imported.history.courses, key=lambda course: course.number):
            infusions = self.imported.infusions[fact.number]
            course = on_file.get(fact.number)
            if course is None:
                course = on_file[fact.number] = self._course(fact.number, planned_days(fact.number, regimen), infusions)
            for day, infusion in enumerate(infusions, start=1):
                self._infusion(course, day, infusion, given, regimen)
                given.append(InfusionDay(fact.number, day, infusion.on))
        return on_file

    def _course(self, number: int, days: int, infusions: tuple[GivenInfusion, ...]) -> TreatmentCourse:
        course = TreatmentCourse(
            clinic_id=self.scope.clinic_id,
            patient_id=self.patient.id,
            number=number,
            planned_days=days,
            planned_start_on=infusions[0].on if infusions else None,
            planned_by_id=self.scope.user_id,
            planned_at=self.scope.now,
        )
        db.session.add(course)
        db.session.flush()
        self.chart.added += 1
        return course

    def _infusion(
        self, course: TreatmentCourse, day: int, given: GivenInfusion, before: list[InfusionDay], regimen: Regimen
    ) -> None:
        on_file = (
            None
            if self.chart.is_new
            else db.session.execute(
                select(Infusion).where(
                    Infusion.patient_id == self.patient.id,
                    Infusion.infused_on == given.on,
                    Infusion.state == FactState.RECORDED.value,
                )
            ).scalar_one_or_none()
        )
        if on_file is not None:
            if on_file.course_id != course.id or on_file.started_at != given.started_at:
                raise RuleViolation("infusion", "courses", f"The chart has another infusion on {given.on.isoformat()}.")
            return
        infusion = Infusion(
            **self.chart.fact(
                course_id=course.id,
                day_number=day,
                infused_on=given.on,
                time_zone=self.imported.time_zone if self.imported.time_zone != self.scope.time_zone else None,
                started_at=given.started_at,
                ended_at=given.ended_at,
                observation_minutes=regimen.observation_min,
                is_back_entry=True,
            )
        )
        db.session.add(infusion)
        db.session.flush()
        self.chart.added += 1
        self.chart.insert(InfusionPause, [self._pause(infusion, pause) for pause in given.pauses])
        self._deviations(course, infusion, before, regimen)

    def _pause(self, infusion: Infusion, pause: tuple[Any, Any]) -> dict[str, Any]:
        return {
            "clinic_id": self.scope.clinic_id,
            "infusion_id": infusion.id,
            "paused_at": pause[0],
            "resumed_at": pause[1],
            "recorded_by_id": self.scope.user_id,
            "recorded_at": self.scope.now,
        }

    def _deviations(
        self, course: TreatmentCourse, infusion: Infusion, before: list[InfusionDay], regimen: Regimen
    ) -> None:
        """Record as deviations what the rules would have questioned; history is never refused."""
        entry = InfusionEntry(
            course=course.number,
            day_number=infusion.day_number,
            infused_on=infusion.infused_on,
            dose_mg=regimen.dose_mg,
            started_at=infusion.started_at,
            ended_at=infusion.ended_at,
        )
        context = InfusionContext(
            recorded=tuple(before),
            enrolled_on=None,
            now=self.scope.now,
            zone_name=self.scope.time_zone,
            imported=True,
        )
        for note in check_infusion(entry, context, regimen).deviations:
            record_deviation(
                self.scope,
                self.patient.id,
                note,
                NOT_STATED,
                infusion.infused_on,
                course_id=course.id,
                infusion_id=infusion.id,
            )
