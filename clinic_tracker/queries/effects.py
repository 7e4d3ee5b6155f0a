"""What a fact did to the schedule: the obligation that it satisfied, or when the next window opens."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.requirement import EvidenceKind, Requirement
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Obligation, PatientSchedule, Standing
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force


@dataclass(frozen=True, slots=True)
class Effect:
    """What one fact did. ``due_on`` is the date of the obligation that it satisfied, None if it satisfied none."""

    requirement: Requirement
    due_on: date | None
    days_late: int
    next_opens_on: date | None
    next_due_on: date | None
    is_monitored: bool  # whether anything of the requirement was ever owed (not before the first infusion)


class Done(NamedTuple):
    """When an obligation was due and done."""

    due_on: date
    done_on: date | None


class Owed(NamedTuple):
    """When what is owed next opens and is due."""

    opens_on: date | None
    next_due_on: date | None


class AntiviralStop(NamedTuple):
    """The CD4 count that allows the stop, the floor by time, and the earliest stop (None while a count is missing)."""

    cd4_minimum: int
    minimum_until: date
    earliest_stop_on: date | None


def effects_of(
    scope: Scope, patient_id: int, protocol_id: str, kind: EvidenceKind, facts: Mapping[int, str]
) -> dict[int, Effect]:
    """The effect of each fact (key to evidence code, such as a panel), as the schedule stands now.

    Facts that no requirement of the protocol asks for are left out.
    """
    wanted = {
        requirement.evidence: requirement
        for requirement in protocol_in_force(scope, protocol_id).requirements
        if requirement.evidence_kind is kind and requirement.evidence in facts.values()
    }
    codes = [requirement.code for requirement in wanted.values()]
    done, owed = _done(scope, patient_id, codes, facts), _owed(scope, patient_id, codes)
    return {
        fact: _effect(wanted[evidence], done.get((wanted[evidence].code, fact)), owed.get(wanted[evidence].code))
        for fact, evidence in facts.items()
        if evidence in wanted
    }


def antiviral_of(scope: Scope, patient_id: int, protocol_id: str) -> AntiviralStop | None:
    """When the antiviral of the latest course may stop (R-61); None before any infusion or where CD4 plays no part."""
    minimum = protocol_in_force(scope, protocol_id).antiviral.cd4_minimum
    row = db.session.execute(
        select(PatientSchedule.prophylaxis_minimum_until, PatientSchedule.prophylaxis_earliest_stop_on).where(
            PatientSchedule.clinic_id == scope.clinic_id, PatientSchedule.patient_id == patient_id
        )
    ).one_or_none()
    if row is None or row[0] is None or minimum is None:
        return None
    return AntiviralStop(minimum, row[0], row[1])


def _effect(requirement: Requirement, done: Done | None, owed: Owed | None) -> Effect:
    return Effect(
        requirement=requirement,
        due_on=done.due_on if done else None,
        days_late=max((done.done_on - done.due_on).days, 0) if done and done.done_on else 0,
        next_opens_on=owed.opens_on if owed else None,
        next_due_on=owed.next_due_on if owed else None,
        is_monitored=owed is not None,
    )


def _done(
    scope: Scope, patient_id: int, codes: Collection[str], facts: Collection[int]
) -> dict[tuple[str, int | None], Done]:
    """The obligations that these facts satisfied, by requirement and fact."""
    rows = db.session.execute(
        select(Obligation.requirement, Obligation.evidence_id, Obligation.due_on, Obligation.done_on).where(
            Obligation.clinic_id == scope.clinic_id,
            Obligation.patient_id == patient_id,
            Obligation.requirement.in_(codes),
            Obligation.evidence_id.in_(facts),
        )
    )
    return {(row.requirement, row.evidence_id): Done(row.due_on, row.done_on) for row in rows}


def _owed(scope: Scope, patient_id: int, codes: Collection[str]) -> dict[str, Owed]:
    """What is owed next of each requirement."""
    rows = db.session.execute(
        select(Standing.requirement, Standing.opens_on, Standing.next_due_on).where(
            Standing.clinic_id == scope.clinic_id,
            Standing.patient_id == patient_id,
            Standing.requirement.in_(codes),
        )
    )
    return {row.requirement: Owed(row.opens_on, row.next_due_on) for row in rows}
