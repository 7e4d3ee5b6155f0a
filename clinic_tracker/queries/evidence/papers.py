"""Who was certified, enrolled and authorized, and what was sent: the papers of an evidence pack."""

from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Clinic, FacilityCertification, Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.schedule import Obligation, PatientSchedule
from clinic_tracker.models.treatment import Authorization, Infusion, TreatmentCourse
from clinic_tracker.queries.evidence.who import Who
from clinic_tracker.queries.scope import Scope

RECORDED = FactState.RECORDED.value


def state_columns(table: Any, recorder: Any) -> tuple[Any, ...]:
    """How an entry stands and who made it, for the end of a line; join the recorder by ``recorded_by_id``."""
    return (table.state, table.withdrawn_reason, table.recorded_at, recorder.name)


def facility(scope: Scope) -> list[Line]:
    """Every certification of the facility, withdrawn ones too."""
    table = FacilityCertification
    rows = db.session.execute(
        select(
            Clinic.name,
            Clinic.rems_facility_id,
            table.certified_on,
            table.ends_on,
            table.representative_name,
            table.representative_trained_on,
            table.recorded_at,
            table.withdrawn_at,
        )
        .join(Clinic, Clinic.id == table.clinic_id)
        .where(table.clinic_id == scope.clinic_id)
        .order_by(table.certified_on, table.id)
    )
    return [Line(tuple(row)) for row in rows]


def prescribers(scope: Scope) -> list[Line]:
    """The prescribers of the clinic with their certification, those who left too."""
    table = Prescriber
    rows = db.session.execute(
        select(
            table.name,
            table.npi,
            table.rems_prescriber_id,
            table.certified_on,
            table.certification_ends_on,
            table.is_active,
        )
        .where(table.clinic_id == scope.clinic_id)
        .order_by(table.id)
    )
    return [Line(tuple(row)) for row in rows]


def patients(scope: Scope, who: Who) -> list[Line]:
    """Each patient of the pack with the heads of the schedule."""
    heads = PatientSchedule
    rows = db.session.execute(
        select(
            Patient.id,
            Patient.sex_at_birth,
            Prescriber.name,
            Patient.protocol_id,
            heads.first_infusion_on,
            heads.last_infusion_on,
            heads.monitoring_ends_on,
            heads.monitoring_closed_on,
            heads.protocol_version,
        )
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(heads, heads.patient_id == Patient.id)
        .where(Patient.clinic_id == scope.clinic_id)
    )
    return who.lines((row[0], (row[1], row[2], f"{row[3]} {row[8]}" if row[8] else row[3], *row[4:8])) for row in rows)


def enrollments(scope: Scope, who: Who) -> list[Line]:
    """The enrollments up to the end of the period."""
    table, recorder = Enrollment, aliased(User)
    rows = db.session.execute(
        select(
            table.patient_id,
            table.enrolled_on,
            Prescriber.name,
            table.counseled_on,
            table.guide_given_on,
            table.card_given_on,
            table.patient_signed_on,
            table.prescriber_signed_on,
            table.copy_given,
            table.rems_reference,
            table.ended_on,
            table.end_reason,
            *state_columns(table, recorder),
        )
        .join(Prescriber, Prescriber.id == table.prescriber_id)
        .outerjoin(recorder, recorder.id == table.recorded_by_id)
        .where(table.clinic_id == scope.clinic_id, table.enrolled_on <= who.to_on, who.rows_of(table))
        .order_by(table.enrolled_on, table.id)
    )
    return who.lines((row[0], tuple(row[1:])) for row in rows)


def authorizations(scope: Scope, who: Who) -> list[Line]:
    """The authorizations up to the end of the period, each with the day on which its course began."""
    table, recorder, verifier = Authorization, aliased(User), aliased(User)
    began = (
        select(func.min(Infusion.infused_on))
        .where(Infusion.course_id == table.course_id, Infusion.state == RECORDED)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            table.patient_id,
            TreatmentCourse.number,
            table.authorized_on,
            Prescriber.name,
            table.expires_on,
            began,
            table.verified_on,
            table.verified_method,
            verifier.name,
            table.rems_reference,
            table.override_reason,
            *state_columns(table, recorder),
        )
        .join(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .join(Prescriber, Prescriber.id == table.prescriber_id)
        .outerjoin(recorder, recorder.id == table.recorded_by_id)
        .outerjoin(verifier, verifier.id == table.verified_by_id)
        .where(table.clinic_id == scope.clinic_id, table.authorized_on <= who.to_on, who.rows_of(table))
        .order_by(TreatmentCourse.number, table.authorized_on, table.id)
    )
    return who.lines((row[0], tuple(row[1:])) for row in rows)


def baseline(scope: Scope, who: Who) -> list[Line]:
    """The items of the baseline set as each authorization that stands kept them."""
    table = Authorization
    rows = db.session.execute(
        select(table.patient_id, TreatmentCourse.number, table.baseline)
        .join(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .where(
            table.clinic_id == scope.clinic_id,
            table.state == RECORDED,
            table.authorized_on <= who.to_on,
            who.rows_of(table),
        )
        .order_by(TreatmentCourse.number, table.id)
    )
    return who.lines(
        (patient, (course, item.get("title"), item.get("state"), _day(item.get("collected_on")), item.get("words")))
        for patient, course, items in rows
        for item in items
    )


def forms(scope: Scope, who: Who) -> list[Line]:
    """The forms sent in the period, with what they fulfill; those entered in error too."""
    table, recorder = FormSubmission, aliased(User)
    fulfilled = _fulfilled(scope, who)
    rows = db.session.execute(
        select(
            table.id,
            table.patient_id,
            table.kind,
            TreatmentCourse.number,
            table.submitted_on,
            table.method,
            table.confirmation,
            table.signed_by,
            *state_columns(table, recorder),
        )
        .outerjoin(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .outerjoin(recorder, recorder.id == table.recorded_by_id)
        .where(
            table.clinic_id == scope.clinic_id,
            table.submitted_on.between(who.from_on, who.to_on),
            who.rows_of(table),
        )
        .order_by(table.submitted_on, table.id)
    )
    return who.lines((row[1], _sent(tuple(row[2:]), fulfilled.get((row[1], row[2], row[0])))) for row in rows)


def _fulfilled(scope: Scope, who: Who) -> dict[tuple[int, str, int], tuple[str, date]]:
    """By patient, form and submission, the obligation that it did: slot and due date."""
    rows = db.session.execute(
        select(
            Obligation.patient_id, Obligation.requirement, Obligation.evidence_id, Obligation.slot, Obligation.due_on
        ).where(
            Obligation.clinic_id == scope.clinic_id,
            Obligation.evidence_id.is_not(None),
            Obligation.requirement.in_(["patient_status_form", "infusion_checklist"]),
            who.rows_of(Obligation),
        )
    )
    return {(patient, requirement, key or 0): (slot, due_on) for patient, requirement, key, slot, due_on in rows}


def _sent(row: tuple[Any, ...], fulfilled: tuple[str, date] | None) -> tuple[Any, ...]:
    kind, course, submitted_on, *others = row
    slot, due_on = fulfilled or (None, None)
    late = max(0, (submitted_on - due_on).days) if due_on else None
    return (kind, course, slot, due_on, submitted_on, late, *others)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
