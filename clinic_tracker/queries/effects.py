"""What a fact did to the schedule: the obligation that it satisfied, or when the next window opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.requirement import EvidenceKind, Requirement
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Obligation, Standing
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
    done = {
        (row.requirement, row.evidence_id): row
        for row in db.session.execute(
            select(Obligation.requirement, Obligation.evidence_id, Obligation.due_on, Obligation.done_on).where(
                Obligation.clinic_id == scope.clinic_id,
                Obligation.patient_id == patient_id,
                Obligation.requirement.in_(codes),
                Obligation.evidence_id.in_(facts),
            )
        )
    }
    owed = {
        row.requirement: row
        for row in db.session.execute(
            select(Standing.requirement, Standing.opens_on, Standing.next_due_on).where(
                Standing.clinic_id == scope.clinic_id,
                Standing.patient_id == patient_id,
                Standing.requirement.in_(codes),
            )
        )
    }
    found: dict[int, Effect] = {}
    for fact, evidence in facts.items():
        if requirement := wanted.get(evidence):
            did, next_one = done.get((requirement.code, fact)), owed.get(requirement.code)
            found[fact] = Effect(
                requirement=requirement,
                due_on=did.due_on if did else None,
                days_late=max((did.done_on - did.due_on).days, 0) if did and did.done_on else 0,
                next_opens_on=next_one.opens_on if next_one else None,
                next_due_on=next_one.next_due_on if next_one else None,
                is_monitored=next_one is not None,
            )
    return found
