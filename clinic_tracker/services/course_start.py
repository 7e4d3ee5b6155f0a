"""Whether a course may start on its planned date, and the deviations that a plan needs a reason for."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select

from clinic_tracker.domain.eligibility import CourseStart, check_course_start
from clinic_tracker.domain.notes import Verdict, deviation
from clinic_tracker.domain.readiness import MINIMUM_AGE, PLAN_CODES
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Vaccination
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Deviation, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.queries.treatment import regimen_of
from clinic_tracker.services.deviations import Reasons, record_deviation, settle
from clinic_tracker.services.infusion_rules import recorded_days

START_FIELD = "planned_start_on"


def start_verdict(scope: Scope, patient: Patient, number: int, start_on: date | None) -> Verdict:
    """What the label says about starting this course on that date; its notes name the field of the plan.

    Where the protocol foresees so many courses at most (E-05), a further one is for a prescriber to decide.
    """
    if start_on is None:
        return Verdict()
    before = [day.on for day in recorded_days(scope, patient.id) if day.course < number]
    regimen = regimen_of(scope, patient.protocol_id)
    start = CourseStart(
        number=number,
        start_on=start_on,
        birth_date=patient.birth_date,
        previous_last_on=max(before, default=None),
        vzv_vaccine_on=_last_varicella(scope, patient.id, start_on),
    )
    protocol = protocol_in_force(scope, patient.protocol_id)
    gap, most = protocol.value("vaccine_gap_days"), protocol.dosing.maximum_courses
    notes = [*check_course_start(start, MINIMUM_AGE, regimen.course_min_gap_months, gap).notes]
    if most is not None and number > most:
        message = f"This is course {number}; at most {most} are foreseen."
        notes.append(deviation("too_many_courses", None, message, "E-05", by_prescriber=True))
    return Verdict(tuple(note._replace(field=START_FIELD) for note in notes))


def account_for_start(scope: Scope, patient: Patient, course: TreatmentCourse, given: Reasons) -> None:
    """Keep the deviations of the plan in line with its start; one with the same words was explained before."""
    verdict = start_verdict(scope, patient, course.number, course.planned_start_on)
    on_record = {row.message: row for row in plan_deviations(scope, course, PLAN_CODES)}
    fresh = Verdict(tuple(note for note in verdict.notes if note.message not in on_record))
    for note in settle(scope, fresh, given):
        record_deviation(scope, patient.id, note, given.words, scope.today, course_id=course.id)
    told = {note.message for note in verdict.deviations}
    for message, row in on_record.items():
        if message not in told:
            row.withdrawn_at = scope.now


def plan_deviations(scope: Scope, course: TreatmentCourse, codes: Collection[str]) -> list[Deviation]:
    """The departures of these codes that stand for a course as planned."""
    return list(
        db.session.execute(
            select(Deviation).where(
                Deviation.clinic_id == scope.clinic_id,
                Deviation.course_id == course.id,
                Deviation.infusion_id.is_(None),
                Deviation.code.in_(sorted(codes)),
                Deviation.withdrawn_at.is_(None),
            )
        ).scalars()
    )


def _last_varicella(scope: Scope, patient_id: int, by: date) -> date | None:
    return db.session.execute(
        select(func.max(Vaccination.given_on)).where(
            Vaccination.clinic_id == scope.clinic_id,
            Vaccination.patient_id == patient_id,
            Vaccination.state == FactState.RECORDED.value,
            Vaccination.is_varicella,
            Vaccination.given_on <= by,
        )
    ).scalar_one_or_none()
