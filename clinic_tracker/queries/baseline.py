"""What is on file before a course: the baseline set, the enrollment and the first day, as of a date."""

from datetime import date, datetime

from sqlalchemy import func, select

from clinic_tracker.domain.baseline import Baseline, BaselineFacts, BaselineSettings, baseline
from clinic_tracker.domain.readiness import first_days
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.readiness_rows import enrollments, exams_done, lab_draws, vaccine_doses
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

RECORDED = FactState.RECORDED.value


def course_baseline(
    scope: Scope, patient_id: int, protocol_id: str, course_number: int, start_on: date, as_of: date | None = None
) -> Baseline:
    """The baseline set of a course that starts on a date, judged on ``as_of`` (today by default)."""
    facts = BaselineFacts(
        course_number=course_number,
        start_on=start_on,
        as_of=as_of or scope.today,
        labs=lab_draws(scope, [patient_id])[patient_id],
        exams=exams_done(scope, [patient_id])[patient_id],
        vaccines=vaccine_doses(scope, [patient_id])[patient_id],
        first_started_at=_first_start(scope, patient_id, course_number),
    )
    return baseline(facts, baseline_settings(scope, protocol_id))


def baseline_settings(scope: Scope, protocol_id: str, on: date | None = None) -> BaselineSettings:
    """The checks and windows of the patient's protocol, with the clinic's settings in force on a date (today)."""
    return BaselineSettings.from_protocol(protocol_in_force(scope, protocol_id, on))


def course_start(scope: Scope, course_id: int, excluding: int | None = None) -> date | None:
    """The first infusion date of a course, or None; without the infusion that is being corrected."""
    return db.session.execute(
        select(func.min(Infusion.infused_on)).where(
            Infusion.course_id == course_id,
            Infusion.clinic_id == scope.clinic_id,
            Infusion.state == RECORDED,
            Infusion.id != (excluding or 0),
        )
    ).scalar_one_or_none()


def start_to_authorize(scope: Scope, course_id: int, resume_days: int, authorized_on: date) -> date | None:
    """The first day that an authorization of a date is for: as planned, or as given; the day itself where the course
    has days left and goes on after a long gap, which needs a new authorization (decision 16).
    """
    planned_days, planned_start_on = db.session.execute(
        select(TreatmentCourse.planned_days, TreatmentCourse.planned_start_on).where(
            TreatmentCourse.id == course_id, TreatmentCourse.clinic_id == scope.clinic_id
        )
    ).one()
    statement = select(Infusion.infused_on).where(
        Infusion.course_id == course_id, Infusion.clinic_id == scope.clinic_id, Infusion.state == RECORDED
    )
    given = list(db.session.execute(statement.order_by(Infusion.infused_on)).scalars())
    if not given:
        return planned_start_on
    is_open = len(given) < planned_days and authorized_on > given[-1]
    firsts = first_days([*given, authorized_on] if is_open else given, resume_days)
    return next((day for day in firsts if day >= authorized_on), firsts[-1])


def enrolled_on(scope: Scope, patient_id: int, on: date) -> date | None:
    """The date of the enrollment that holds on a day; failing that of a later one; None if there is neither."""
    spans = enrollments(scope, [patient_id])[patient_id]
    holding = next((span.from_on for span in spans if span.covers(on)), None)
    return holding or next((span.from_on for span in spans if span.from_on and span.from_on > on), None)


def _first_start(scope: Scope, patient_id: int, course_number: int) -> datetime | None:
    return db.session.execute(
        select(func.min(Infusion.started_at))
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.patient_id == patient_id,
            Infusion.state == RECORDED,
            TreatmentCourse.number == course_number,
        )
    ).scalar_one_or_none()
