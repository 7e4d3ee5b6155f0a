"""What a laboratory's own codes and units mean here: mapped once by a person, withdrawn with what followed from it."""

import uuid
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import ExamKind, LocalCodeKind, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundSource, LocalCode
from clinic_tracker.queries.inbound_codes import affected_by
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.inbound_refile import understand_again
from clinic_tracker.services.unit_of_work import unit_of_work

LONGEST = 200


class Mapped(NamedTuple):
    """A code that was mapped or withdrawn, and how many results were read anew and changed."""

    public_id: uuid.UUID
    changed: int


def map_code(
    scope: Scope, source: uuid.UUID, kind: LocalCodeKind, system: str, code: str, title: str, target: str
) -> Mapped:
    """Say what a code (or, for the kind unit, a unit) of a source means; results that wait for it are read anew.

    ``target`` is the analyte, panel, exam or unit of the catalog; empty for a code to be ignored. What was mapped
    before for the same code is withdrawn. RuleViolation for a target that there is not.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    _check(scope, kind, code, target)
    with unit_of_work(scope):
        row_id = db.session.execute(
            select(InboundSource.id).where(
                InboundSource.public_id == source, InboundSource.clinic_id == scope.clinic_id
            )
        ).scalar_one_or_none()
        if row_id is None:
            raise NotFound("source")
        for old in _current(scope, row_id, kind, system, code):
            _withdraw(scope, old)
        row = LocalCode(
            clinic_id=scope.clinic_id,
            source_id=row_id,
            kind=kind.value,
            system=system,
            code=code,
            title=title[:LONGEST],
            target=target,
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
        )
        db.session.add(row)
        audit.record(scope, AuditAction.LOCAL_CODE_MAPPED, row)
    return Mapped(row.public_id, _read_anew(scope, source, kind, system, code))


def withdraw_code(scope: Scope, local_code: uuid.UUID) -> Mapped:
    """Take back what a code was said to mean; results that were understood by it are read anew without it."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        found = db.session.execute(
            select(LocalCode, InboundSource.public_id)
            .join(InboundSource, InboundSource.id == LocalCode.source_id)
            .where(LocalCode.public_id == local_code, LocalCode.clinic_id == scope.clinic_id)
        ).one_or_none()
        if found is None:
            raise NotFound("local code")
        row, source = found
        if row.withdrawn_at is not None:
            raise RuleViolation("already_changed", None, "This mapping was withdrawn before.")
        _withdraw(scope, row)
    return Mapped(row.public_id, _read_anew(scope, source, LocalCodeKind(row.kind), row.system, row.code))


def _read_anew(scope: Scope, source: uuid.UUID, kind: LocalCodeKind, system: str, code: str) -> int:
    affected = affected_by(scope, source, kind, system, code)
    return understand_again(scope, [one.public_id for one in affected]) if affected else 0


def _current(scope: Scope, source_id: int, kind: LocalCodeKind, system: str, code: str) -> list[LocalCode]:
    """What stands for this code, whatever it is said to be; a unit and a code may be spelled alike."""
    of_units = LocalCode.kind == LocalCodeKind.UNIT.value
    return list(
        db.session.execute(
            select(LocalCode).where(
                LocalCode.clinic_id == scope.clinic_id,
                LocalCode.source_id == source_id,
                LocalCode.system == system,
                LocalCode.code == code,
                LocalCode.withdrawn_at.is_(None),
                of_units if kind is LocalCodeKind.UNIT else ~of_units,
            )
        ).scalars()
    )


def _withdraw(scope: Scope, row: LocalCode) -> None:
    before = audit.snapshot(row)
    row.withdrawn_by_id, row.withdrawn_at = scope.user_id, scope.now
    audit.record(scope, AuditAction.LOCAL_CODE_WITHDRAWN, row, before=before)


def _check(scope: Scope, kind: LocalCodeKind, code: str, target: str) -> None:
    catalog = lab_catalog(scope)
    known = {
        LocalCodeKind.ANALYTE: set(catalog.analytes),
        LocalCodeKind.PANEL: {panel.value for panel in Panel},
        LocalCodeKind.EXAM: {exam.value for exam in ExamKind},
        LocalCodeKind.UNIT: set(catalog.units),
        LocalCodeKind.IGNORED: {""},
    }
    if not code.strip():
        raise RuleViolation("code", "code", "Enter the code of the laboratory.")
    if target not in known[kind]:
        raise RuleViolation("target", "target", "Choose what the code means from the list.")
