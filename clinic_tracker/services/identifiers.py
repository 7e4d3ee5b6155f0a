"""Numbers that laboratories give patients, learned from a match that a person confirmed."""

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.messages import Identity
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import PatientIdentifier
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import withdraw

_PERSONAL = frozenset({"SS", "DL", "PPN", "AN", "VN"})  # numbers of other things, or not to be kept here
TAKEN = "That number belongs to another patient of the clinic. Undo the match that taught it first."


def learn_identifiers(scope: Scope, patient_id: int, identity: Identity) -> int:
    """Remember the numbers of an identity for a patient; how many are new. Every number must name who gave it.

    RuleViolation ``identifier_taken`` for one that another patient has. Runs inside the unit of work.
    """
    known = _known(scope, identity)
    added = 0
    for identifier in dict.fromkeys(identity.identifiers):
        if not identifier.value or not identifier.system or identifier.kind.upper() in _PERSONAL:
            continue
        there = known.get((identifier.system, identifier.value))
        if there is not None and there.patient_id != patient_id:
            raise RuleViolation("identifier_taken", "learn", TAKEN)
        if there is not None:
            continue
        row = PatientIdentifier(
            clinic_id=scope.clinic_id,
            patient_id=patient_id,
            system=identifier.system,
            value=identifier.value,
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
        )
        db.session.add(row)
        audit.record(scope, AuditAction.IDENTIFIER_LEARNED, row)
        known[identifier.system, identifier.value] = row
        added += 1
    return added


def forget_identifiers(scope: Scope, patient_id: int, identity: Identity, reason: str) -> int:
    """Mark what was learned of these numbers for a patient as entered in error; how many. Inside the unit of work."""
    rows = [row for row in _known(scope, identity).values() if row.patient_id == patient_id]
    for row in rows:
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        audit.record(scope, AuditAction.IDENTIFIER_WITHDRAWN, row, before=before, reason=reason)
    return len(rows)


def _known(scope: Scope, identity: Identity) -> dict[tuple[str, str], PatientIdentifier]:
    rows = db.session.execute(
        select(PatientIdentifier).where(
            PatientIdentifier.clinic_id == scope.clinic_id,
            PatientIdentifier.state == FactState.RECORDED.value,
            PatientIdentifier.value.in_([one.value for one in identity.identifiers]),
        )
    ).scalars()
    wanted = {(one.system, one.value) for one in identity.identifiers}
    return {(row.system, row.value): row for row in rows if (row.system, row.value) in wanted}
