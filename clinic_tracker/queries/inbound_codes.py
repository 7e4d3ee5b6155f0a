"""What the local codes of a source mean here, and which results a code affects."""

import json
import uuid
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, select

from clinic_tracker.domain.lab_meaning import LocalCodes, Meaning
from clinic_tracker.domain.panels import spelling
from clinic_tracker.domain.vocabulary import InboundState, LocalCodeKind
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource, LocalCode
from clinic_tracker.queries.scope import Scope


class AffectedResult(NamedTuple):
    """A result that a mapping would change."""

    public_id: uuid.UUID
    state: InboundState
    received_at: datetime
    patient_id: int
    collected_on: date | None


class LocalCodeRow(NamedTuple):
    """A mapping in force, with its source and who made it."""

    public_id: uuid.UUID
    source: uuid.UUID
    source_name: str
    kind: str
    system: str
    code: str
    title: str
    target: str
    recorded_at: datetime
    recorded_by: str | None


def local_codes(scope: Scope, source_id: int) -> LocalCodes:
    """The codes and units of a source that a person has mapped."""
    rows = db.session.execute(
        select(LocalCode.kind, LocalCode.system, LocalCode.code, LocalCode.target).where(
            LocalCode.clinic_id == scope.clinic_id,
            LocalCode.source_id == source_id,
            LocalCode.withdrawn_at.is_(None),
        )
    )
    codes: dict[tuple[str, str], Meaning] = {}
    units: dict[str, str] = {}
    for kind, system, code, target in rows:
        if kind == LocalCodeKind.UNIT:
            units[spelling(code)] = target
        else:
            codes[system, code] = Meaning(LocalCodeKind(kind), target)
    return LocalCodes(codes, units)


def affected_by(scope: Scope, source: uuid.UUID, kind: LocalCodeKind, system: str, code: str) -> list[AffectedResult]:
    """The results on charts, or waiting to be understood, that hold a code (or a unit) of a source; newest first."""
    states = (InboundState.RECORDED, InboundState.NOT_UNDERSTOOD, InboundState.NOTED)
    statement = (
        select(
            InboundResult.public_id,
            InboundResult.state,
            InboundResult.received_at,
            InboundResult.patient_id,
            InboundResult.report,
        )
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .join(InboundSource, InboundSource.id == InboundMessage.source_id)
        .where(
            InboundResult.clinic_id == scope.clinic_id,
            InboundSource.public_id == source,
            InboundResult.state.in_([state.value for state in states]),
            InboundResult.patient_id.is_not(None),
        )
        .order_by(InboundResult.id.desc())
    )
    if kind is not LocalCodeKind.UNIT and code.isascii():  # only to read fewer rows: what counts is looked at below
        statement = statement.where(cast(InboundResult.report, Text).contains(json.dumps(code), autoescape=True))
    return [
        AffectedResult(public_id, InboundState(state), received_at, patient_id, _collected_on(report))
        for public_id, state, received_at, patient_id, report in db.session.execute(statement)
        if patient_id is not None and _holds(report.get("sent", {}), kind, system, code)
    ]


def current_codes(scope: Scope, source: uuid.UUID | None = None) -> list[LocalCodeRow]:
    """The mappings in force, of one source or of all, by source and code."""
    statement = (
        select(
            LocalCode.public_id,
            InboundSource.public_id,
            InboundSource.name,
            LocalCode.kind,
            LocalCode.system,
            LocalCode.code,
            LocalCode.title,
            LocalCode.target,
            LocalCode.recorded_at,
            User.name,
        )
        .join(InboundSource, InboundSource.id == LocalCode.source_id)
        .outerjoin(User, User.id == LocalCode.recorded_by_id)
        .where(LocalCode.clinic_id == scope.clinic_id, LocalCode.withdrawn_at.is_(None))
        .order_by(InboundSource.name, LocalCode.kind, LocalCode.code)
    )
    if source is not None:
        statement = statement.where(InboundSource.public_id == source)
    rows: Any = db.session.execute(statement)
    return [LocalCodeRow(*row) for row in rows]


def _holds(sent: dict[str, Any], kind: LocalCodeKind, system: str, code: str) -> bool:
    """Whether a report holds the code in that system, or the unit in whatever spelling."""
    lines = sent.get("values", [])
    if kind is LocalCodeKind.UNIT:
        wanted = spelling(code)
        return any(wanted in (spelling(line.get("unit", "")), spelling(line.get("unit_text", ""))) for line in lines)
    return any(coded[:2] == [code, system] for coded in _codes_of(sent))


def _codes_of(sent: dict[str, Any]) -> Iterator[list[str]]:
    yield from sent.get("codes", [])
    for line in sent.get("values", []):
        yield from line.get("codes", [])


def _collected_on(report: dict[str, Any]) -> date | None:
    text = report.get("sent", {}).get("collected_on")
    return date.fromisoformat(text) if text else None
