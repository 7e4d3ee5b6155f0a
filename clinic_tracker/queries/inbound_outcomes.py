"""What became of a message, in the words of the answer to its sender; from the log, so that it can be said again."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from clinic_tracker.domain.messages import Outcome, Problem, Reason
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundResult
from clinic_tracker.queries.scope import Scope

_UNMATCHED = Problem("", "The patient is not known for certain: a person will decide.")
_NOT_UNDERSTOOD = "A code, a unit or a value is not known here: a person will look at it."


def told(_scope: Scope, state: str, problems: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """The remarks of one report. Values and names of the patient are not among them."""
    found: list[Problem] = []
    if state == InboundState.UNMATCHED:
        found.append(_UNMATCHED)
    for problem in problems:
        kind = problem.get("kind", "")
        if kind in ("refused", "unreadable", "field"):
            reason = Reason(problem.get("reason", Reason.INVALID))
            found.append(Problem(problem.get("where", ""), problem.get("message", ""), reason))
        elif state == InboundState.NOT_UNDERSTOOD:
            code = problem.get("code") or "no code"
            found.append(Problem("", f"{_NOT_UNDERSTOOD} ({code}: {kind})", Reason.UNSUPPORTED))
    return tuple(found)


def outcomes(scope: Scope, message_id: int) -> list[Outcome]:
    """The outcome of each part of a message, in the order of the file."""
    rows = db.session.execute(
        select(InboundResult.state, InboundResult.problems, InboundResult.report)
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.message_id == message_id)
        .order_by(InboundResult.position)
    )
    parts: dict[int, Outcome] = {}
    for state, problems, report in rows:
        part, entries = report.get("part", 0), tuple(report.get("entries", ()))
        before = parts.get(part, Outcome(part, taken=False, entries=entries))
        taken = before.taken or state != InboundState.REFUSED
        parts[part] = Outcome(part, taken, (*before.problems, *told(scope, state, problems)), entries)
    return list(parts.values())


def counts(scope: Scope, message_id: int) -> Counter[str]:
    """How many reports of a message became what."""
    rows = db.session.execute(
        select(InboundResult.state, func.count())
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.message_id == message_id)
        .group_by(InboundResult.state)
    )
    return Counter({str(state): int(number) for state, number in rows})


def counts_by_message(scope: Scope, message_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """The same for several messages, as it is now: what waited may be on a chart since."""
    rows = db.session.execute(
        select(InboundResult.message_id, InboundResult.state, func.count())
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.message_id.in_(message_ids))
        .group_by(InboundResult.message_id, InboundResult.state)
    )
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for message_id, state, number in rows:
        found[message_id][state] = number
    return found


def waiting_of(scope: Scope, message_id: int, state: InboundState) -> list[uuid.UUID]:
    """The results of a message that are in a state."""
    statement = select(InboundResult.public_id).where(
        InboundResult.clinic_id == scope.clinic_id,
        InboundResult.message_id == message_id,
        InboundResult.state == state.value,
    )
    return list(db.session.execute(statement.order_by(InboundResult.position)).scalars())


def patients_of(scope: Scope, message_id: int, *, reports: int | None = None) -> list[int]:
    """The charts that a message, or so many of its first reports, are on."""
    statement = select(InboundResult.patient_id).where(
        InboundResult.clinic_id == scope.clinic_id,
        InboundResult.message_id == message_id,
        InboundResult.patient_id.is_not(None),
    )
    if reports is not None:
        statement = statement.where(InboundResult.position < reports)
    return [patient for patient in db.session.execute(statement.distinct()).scalars() if patient is not None]
