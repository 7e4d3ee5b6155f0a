"""What was given, how long patients were observed, what went wrong and what was decided: for an evidence pack."""

from collections import defaultdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.course_forms.blocks import listed
from clinic_tracker.domain.infusion_day import Pause, active_minutes
from clinic_tracker.domain.local_time import elapsed_minutes, local_date
from clinic_tracker.domain.obligation import Obligation as Occurrence
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.status import days_late, obligation_status
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission, MonitoringDecision, Waiver
from clinic_tracker.models.schedule import Obligation
from clinic_tracker.models.treatment import (
    Deviation,
    DrugCheck,
    Infusion,
    InfusionPause,
    InfusionReaction,
    TreatmentCourse,
    VitalSigns,
)
from clinic_tracker.queries.evidence.papers import state_columns
from clinic_tracker.queries.evidence.who import Who
from clinic_tracker.queries.scope import Scope

_RECORDED = FactState.RECORDED.value


def infusions(scope: Scope, who: Who) -> list[Line]:
    """The infusions of the period with their observation; corrected and withdrawn ones too."""
    table, recorder, discharger = Infusion, aliased(User), aliased(User)
    pauses = _pauses(scope)
    rows = db.session.execute(
        select(
            table.patient_id,
            table.id,
            TreatmentCourse.number,
            table.day_number,
            table.infused_on,
            table.dose_mg,
            table.lot_number,
            table.started_at,
            table.ended_at,
            table.discharged_at,
            table.observation_minutes,
            table.early_discharge_reason,
            discharger.name,
            table.stroke_advice_given,
            table.late_reaction_advice_given,
            table.infection_excluded,
            _count(DrugCheck, func.count(DrugCheck.checked_by_id.distinct())),
            _count(VitalSigns, func.count()),
            table.is_back_entry,
            *state_columns(table, recorder),
        )
        .join(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .outerjoin(recorder, recorder.id == table.recorded_by_id)
        .outerjoin(discharger, discharger.id == table.discharged_by_id)
        .where(table.clinic_id == scope.clinic_id, _within(table.infused_on, who), who.rows_of(table))
        .order_by(table.infused_on, table.id)
    )
    return who.lines((row[0], _infusion(tuple(row[2:]), pauses.get(row[1], []))) for row in rows)


def reactions(scope: Scope, who: Who) -> list[Line]:
    """The reactions to infusions of the period, with the day on which each was reported to the REMS."""
    table = InfusionReaction
    reported = (
        select(func.min(FormSubmission.submitted_on))
        .where(FormSubmission.reaction_id == table.id, FormSubmission.state == _RECORDED)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Infusion.patient_id,
            TreatmentCourse.number,
            Infusion.day_number,
            table.onset_at,
            table.grade,
            table.is_serious,
            table.ticked,
            table.signs,
            table.actions,
            table.drugs,
            table.action,
            table.ending,
            table.outcome,
            reported,
        )
        .join(Infusion, Infusion.id == table.infusion_id)
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(
            table.clinic_id == scope.clinic_id,
            table.withdrawn_at.is_(None),
            Infusion.state == _RECORDED,
            _within(Infusion.infused_on, who),
            who.rows_of(Infusion),
        )
        .order_by(table.onset_at, table.id)
    )
    return who.lines((row[0], _reaction(tuple(row[1:]))) for row in rows)


def deviations(scope: Scope, who: Who) -> list[Line]:
    """The departures of the period that stand."""
    table = Deviation
    rows = db.session.execute(
        select(
            table.patient_id,
            table.occurred_on,
            TreatmentCourse.number,
            Infusion.day_number,
            table.requirement,
            table.message,
            table.reason,
            table.recorded_at,
            User.name,
        )
        .outerjoin(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .outerjoin(Infusion, Infusion.id == table.infusion_id)
        .outerjoin(User, User.id == table.recorded_by_id)
        .where(
            table.clinic_id == scope.clinic_id,
            table.withdrawn_at.is_(None),
            _within(table.occurred_on, who),
            who.rows_of(table),
        )
        .order_by(table.occurred_on, table.id)
    )
    return who.lines((row[0], tuple(row[1:])) for row in rows)


def decisions(scope: Scope, who: Who) -> list[Line]:
    """Waivers, extensions and sign-offs that were recorded up to the end of the period, withdrawn ones too."""
    recorder = aliased(User)
    waived = db.session.execute(
        select(
            Waiver.patient_id, Waiver.requirement, Waiver.from_on, Waiver.to_on, Waiver.reason, Prescriber.name,
            *state_columns(Waiver, recorder),
        )
        .outerjoin(Prescriber, Prescriber.id == Waiver.prescriber_id)
        .outerjoin(recorder, recorder.id == Waiver.recorded_by_id)
        .where(Waiver.clinic_id == scope.clinic_id, who.rows_of(Waiver))
        .order_by(Waiver.from_on, Waiver.id)
    )  # fmt: skip
    ended = db.session.execute(
        select(
            MonitoringDecision.patient_id, MonitoringDecision.kind, TreatmentCourse.number,
            MonitoringDecision.decided_on, MonitoringDecision.extended_to, MonitoringDecision.reason, Prescriber.name,
            *state_columns(MonitoringDecision, recorder),
        )
        .outerjoin(TreatmentCourse, TreatmentCourse.id == MonitoringDecision.course_id)
        .outerjoin(Prescriber, Prescriber.id == MonitoringDecision.prescriber_id)
        .outerjoin(recorder, recorder.id == MonitoringDecision.recorded_by_id)
        .where(MonitoringDecision.clinic_id == scope.clinic_id, who.rows_of(MonitoringDecision))
        .order_by(MonitoringDecision.decided_on, MonitoringDecision.id)
    )  # fmt: skip
    found = [(row[0], ("waived", row[1], None, *row[2:])) for row in waived]
    found += [(row[0], (row[1], None, *row[2:])) for row in ended]
    return who.lines((key, cells) for key, cells in found if local_date(cells[-2], scope.time_zone) <= who.to_on)


def calendar(scope: Scope, who: Who) -> list[Line]:
    """Every obligation due in the period, with what today makes of it."""
    names = ("requirement", "anchor", "occurrence", "slot", "opens_on", "due_on", "closes_on", "done_on", "waived")
    rows = db.session.execute(
        select(Obligation.patient_id, *(getattr(Obligation, name) for name in names))
        .where(Obligation.clinic_id == scope.clinic_id, _within(Obligation.due_on, who), who.rows_of(Obligation))
        .order_by(Obligation.requirement, Obligation.due_on, Obligation.anchor, Obligation.occurrence)
    )
    today = scope.today.toordinal()
    return who.lines((row[0], _occurrence(tuple(row[1:]), today)) for row in rows)


def _within(column: Any, who: Who) -> Any:
    return column.between(who.from_on, who.to_on)


def _count(part: Any, what: Any) -> Any:
    """How many parts of an infusion stand."""
    counted = select(what).where(part.infusion_id == Infusion.id, part.withdrawn_at.is_(None))
    return counted.correlate(Infusion).scalar_subquery()


def _pauses(scope: Scope) -> dict[int, list[Pause]]:
    found: defaultdict[int, list[Pause]] = defaultdict(list)
    table = InfusionPause
    rows = db.session.execute(
        select(table.infusion_id, table.paused_at, table.resumed_at).where(
            table.clinic_id == scope.clinic_id, table.withdrawn_at.is_(None)
        )
    )
    for infusion, paused_at, resumed_at in rows:
        found[infusion].append(Pause(paused_at, resumed_at))
    return found


def _infusion(row: tuple[Any, ...], pauses: list[Pause]) -> tuple[Any, ...]:
    course, day, on, dose, lot, started, ended, left, required, *others = row
    ran = active_minutes(started, ended, pauses) if ended else None
    observed = elapsed_minutes(ended, left) if ended and left else None
    complete = observed >= required if observed is not None else None
    return (course, day, on, dose, lot, started, ended, ran, left, observed, required, complete, *others)


def _reaction(row: tuple[Any, ...]) -> tuple[Any, ...]:
    course, day, onset, grade, serious, ticked, signs, actions, drugs, action, ending, outcome, reported = row
    ended = listed([ending] if ending else [], outcome)
    return (course, day, onset, grade, serious, listed(ticked, signs), listed(actions, drugs, action), ended, reported)


def _occurrence(row: tuple[Any, ...], today: int) -> tuple[Any, ...]:
    requirement, _anchor, _occurrence, slot, *dates, _waived = row
    owed = Occurrence.from_dates(*row)
    return (requirement, slot, *dates, obligation_status(owed, today).value, days_late(owed, today))
