"""The courses of an imported history, with their infusions; departures from the protocol become deviations."""

from sqlalchemy import select

from clinic_tracker.domain.dosing import Regimen, planned_days
from clinic_tracker.domain.history_json import GivenInfusion
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import TreatmentCourse
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.services.history_chart import ImportChart
from clinic_tracker.services.history_days import DayImport


class CourseImport:
    """Adds the courses of one history that the chart does not hold yet."""

    def __init__(self, chart: ImportChart) -> None:
        self.chart = chart
        self.scope = chart.scope
        self.patient = chart.patient
        self.imported = chart.imported

    def record(self) -> dict[int, TreatmentCourse]:
        """Record the courses with their infusions; every course by its number."""
        courses = {
            course.number: course
            for course in db.session.execute(
                select(TreatmentCourse).where(TreatmentCourse.patient_id == self.patient.id)
            ).scalars()
        }
        regimen = self._regimen()
        for fact in sorted(self.imported.history.courses, key=lambda course: course.number):
            if fact.number not in courses:
                days = planned_days(fact.number, regimen)
                courses[fact.number] = self._course(fact.number, days, self.imported.infusions[fact.number])
        DayImport(self.chart, courses, regimen).record()
        return courses

    def _regimen(self) -> Regimen:
        protocol = protocol_in_force(self.scope, self.imported.history.protocol)
        return Regimen.from_settings({name: setting.value for name, setting in protocol.settings.items()})

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
