"""What the sheet to take home says of one infusion: whom to call, and when to come again."""

from datetime import date

from sqlalchemy import func, select

from clinic_tracker.domain.course_forms.take_home import TakeHomeFacts
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Clinic, Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Standing
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.models.treatment import Infusion, Prophylaxis, TreatmentCourse
from clinic_tracker.queries.infusion_day import DayRow
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

EMERGENCY = {"US": "911", "EU": "112"}
ANYWHERE = "the emergency number"


def take_home_facts(scope: Scope, patient_id: int, protocol_id: str, day: DayRow) -> TakeHomeFacts:
    """The facts of the sheet for one infusion; NotFound for one that was corrected or entered in error."""
    if not day.stands:
        raise NotFound("infusion")
    protocol = protocol_in_force(scope, protocol_id)
    row = db.session.execute(
        select(Clinic.name, Clinic.phone, Prescriber.name, TreatmentCourse.number, TreatmentCourse.planned_days)
        .select_from(Patient)
        .join(Clinic, Clinic.id == Patient.clinic_id)
        .join(TreatmentCourse, TreatmentCourse.id == day.course_id)
        .outerjoin(Prescriber, Prescriber.id == func.coalesce(TreatmentCourse.prescriber_id, Patient.prescriber_id))
        .where(Patient.id == patient_id, Patient.clinic_id == scope.clinic_id)
    ).one()
    labs = [rule.code for rule in protocol.requirements if rule.evidence_kind is EvidenceKind.LAB]
    return TakeHomeFacts(
        clinic=row[0],
        clinic_phone=row[1],
        prescriber=row[2],
        emergency_number=EMERGENCY.get(protocol.jurisdiction, ANYWHERE),
        course=row[3],
        day_number=day.day_number,
        planned_days=row[4],
        infused_on=day.infused_on,
        antiviral=_antiviral(scope, patient_id, day.infused_on),
        next_infusion_on=_next_infusion(scope, day),
        next_test_on=_next_test(scope, patient_id, labs),
    )


def _antiviral(scope: Scope, patient_id: int, on: date) -> str | None:
    """The antiviral that the patient takes on that day (R-60)."""
    return db.session.execute(
        select(Prophylaxis.drug)
        .where(
            Prophylaxis.clinic_id == scope.clinic_id,
            Prophylaxis.patient_id == patient_id,
            Prophylaxis.state == FactState.RECORDED.value,
            Prophylaxis.started_on <= on,
            Prophylaxis.stopped_on.is_(None) | (Prophylaxis.stopped_on >= on),
        )
        .order_by(Prophylaxis.started_on.desc(), Prophylaxis.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def _next_infusion(scope: Scope, day: DayRow) -> date | None:
    """The next day of the course that has a chair and was not given yet."""
    given = (
        select(Infusion.id)
        .where(
            Infusion.course_id == ChairBooking.course_id,
            Infusion.infused_on == ChairBooking.booked_on,
            Infusion.state == FactState.RECORDED.value,
        )
        .exists()
    )
    found: date | None = db.session.execute(
        select(func.min(ChairBooking.booked_on)).where(
            ChairBooking.clinic_id == scope.clinic_id,
            ChairBooking.course_id == day.course_id,
            ChairBooking.cancelled_at.is_(None),
            ChairBooking.booked_on > day.infused_on,
            ~given,
        )
    ).scalar_one()
    return found


def _next_test(scope: Scope, patient_id: int, labs: list[str]) -> date | None:
    """When blood and urine are due next; today for what is overdue."""
    due: date | None = db.session.execute(
        select(func.min(Standing.next_due_on)).where(
            Standing.clinic_id == scope.clinic_id,
            Standing.patient_id == patient_id,
            Standing.requirement.in_(labs),
        )
    ).scalar_one()
    return max(due, scope.today) if due is not None else None
