"""What was done about findings, by report or exam; and what of a report still waits for somebody to say it."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.lab_findings import told_once
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.reviewing import Acknowledgement
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said was done about the finding of a rule."""

    id: int
    public_id: uuid.UUID
    subject_id: int
    rule: str
    action: str
    words: str | None
    recorded_at: datetime
    recorded_by_id: int | None
    recorded_by: str | None


def acknowledgements_of(scope: Scope, reports: Collection[int]) -> dict[int, list[Said]]:
    """The acknowledgements that stand, by the key of their report, in the order in which they were given."""
    return _said(scope, Acknowledgement.lab_report_id, reports)


def exam_acknowledgements(scope: Scope, exams: Collection[int]) -> dict[int, list[Said]]:
    """The same by the key of their exam."""
    return _said(scope, Acknowledgement.exam_id, exams)


def unanswered(
    _scope: Scope, findings: Sequence[Mapping[str, Any]], said: Sequence[Said]
) -> dict[str, list[Mapping[str, Any]]]:
    """The findings of a report about which nobody has said what was done, by rule, in the order in which they stand."""
    done = {item.rule for item in said}
    waiting: dict[str, list[Mapping[str, Any]]] = {}
    for finding in told_once(findings):
        if finding["rule"] not in done:
            waiting.setdefault(str(finding["rule"]), []).append(finding)
    return waiting


def _said(scope: Scope, subject: Any, keys: Collection[int]) -> dict[int, list[Said]]:
    found: defaultdict[int, list[Said]] = defaultdict(list)
    rows = db.session.execute(
        select(
            Acknowledgement.id,
            Acknowledgement.public_id,
            subject,
            Acknowledgement.rule,
            Acknowledgement.action,
            Acknowledgement.words,
            Acknowledgement.recorded_at,
            Acknowledgement.recorded_by_id,
            User.name,
        )
        .outerjoin(User, User.id == Acknowledgement.recorded_by_id)
        .where(
            Acknowledgement.clinic_id == scope.clinic_id,
            subject.in_(keys),
            Acknowledgement.state == FactState.RECORDED.value,
        )
        .order_by(Acknowledgement.id)
    )
    for row in rows:
        found[row[2]].append(Said(*row))
    return found
