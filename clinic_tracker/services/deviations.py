"""Departures from the protocol: recorded with a reason, a prescriber's one where the rule asks for it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.notes import Note, Severity, Verdict
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness import PLAN_CODES, is_of_course, is_of_resumption
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a rule is departed from: the words, and the prescriber who decided it where staff write it down."""

    reason: str | None = None
    decided_by: str | None = None

    @property
    def words(self) -> str:
        """The reason as it is kept."""
        reason = (self.reason or "").strip()
        decided_by = (self.decided_by or "").strip()
        return f"{reason} (decided by {decided_by})" if decided_by else reason


class ReasonNeeded(RuleViolation):
    """The entry may be recorded, but only with a reason. ``notes`` are all the departures, to be shown together."""

    def __init__(self, code: str, field: str, message: str, notes: tuple[Note, ...]) -> None:
        super().__init__(code, field, message)
        self.notes = notes


def settle(scope: Scope, verdict: Verdict, given: Reasons) -> tuple[Note, ...]:
    """The deviations of a verdict, once they are accounted for.

    RuleViolation of the first refusal; ReasonNeeded when a reason is missing, or when a prescriber must decide and
    neither is one at the keyboard (AUTHORIZE_COURSES) nor is the deciding prescriber named.
    """
    verdict.raise_if_refused()
    if not verdict.needs_reason:
        return ()
    notes = verdict.deviations
    told = " ".join(note.message for note in notes)
    if not (given.reason or "").strip():
        raise ReasonNeeded("reason_required", "deviation_reason", f"{told} To record it, give the reason.", notes)
    if (
        verdict.needs_prescriber
        and not scope.may(Permission.AUTHORIZE_COURSES)
        and not (given.decided_by or "").strip()
    ):
        message = f"{told} A prescriber must decide this: give the name of the prescriber who did."
        raise ReasonNeeded("prescriber_required", "decided_by", message, notes)
    return notes


def record_deviation(
    scope: Scope,
    patient_id: int,
    note: Note,
    reason: str,
    occurred_on: date,
    *,
    course_id: int | None = None,
    infusion_id: int | None = None,
) -> Deviation:
    """Keep one departure with its reason, inside the unit of work of what departed."""
    row = Deviation(
        clinic_id=scope.clinic_id,
        patient_id=patient_id,
        course_id=course_id,
        infusion_id=infusion_id,
        code=note.code,
        requirement=note.requirement,
        message=note.message,
        reason=reason,
        occurred_on=occurred_on,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
    )
    db.session.add(row)
    audit.record(scope, AuditAction.DEVIATION_RECORDED, row, reason=reason)
    return row


def as_deviation(_scope: Scope, note: Note) -> Note:
    """A refusal turned into a departure, for what has happened already and must be written down."""
    return note._replace(severity=Severity.DEVIATION)


def deviations_of_infusion(scope: Scope, infusion_id: int) -> list[Deviation]:
    """The departures on record for one infusion, in order."""
    return list(
        db.session.execute(
            select(Deviation)
            .where(
                Deviation.clinic_id == scope.clinic_id,
                Deviation.infusion_id == infusion_id,
                Deviation.withdrawn_at.is_(None),
            )
            .order_by(Deviation.id)
        ).scalars()
    )


def explained_for_course(scope: Scope, course: TreatmentCourse, on: date, verdict: Verdict) -> set[str]:
    """The codes that need no reason again on a day of the course, because one was given for the course.

    When the course goes on after a long gap its tests and papers are needed anew: what was explained before it does
    not hold. What was explained for the plan does not hold for a day before it.
    """
    found = db.session.execute(
        select(Deviation.code, Deviation.infusion_id, Deviation.occurred_on).where(
            Deviation.clinic_id == scope.clinic_id,
            Deviation.course_id == course.id,
            Deviation.withdrawn_at.is_(None),
        )
    )
    is_early = course.planned_start_on is not None and on < course.planned_start_on
    is_resumed = any(note.code == "resumed_late" for note in verdict.notes)
    last_on = _last_before(scope, course, on) if is_resumed else None
    return {
        code
        for code, infusion_id, occurred_on in found
        if is_of_course(code)
        and not (is_early and infusion_id is None and code in PLAN_CODES)
        and not (last_on is not None and occurred_on <= last_on and is_of_resumption(code))
    }


def _last_before(scope: Scope, course: TreatmentCourse, on: date) -> date | None:
    return db.session.execute(
        select(func.max(Infusion.infused_on)).where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.course_id == course.id,
            Infusion.infused_on < on,
            Infusion.state == FactState.RECORDED.value,
        )
    ).scalar_one()
