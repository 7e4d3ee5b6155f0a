"""What was recorded or withdrawn since an instant, and which of it explains that an obligation came out otherwise."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from clinic_tracker.domain.vocabulary import FactState, MonitoringDecisionKind
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport, MonitoringDecision, Waiver
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.knowledge import Knowledge

RECORDED, CORRECTED, WITHDRAWN = "recorded", "corrected", "withdrawn"


class Change(NamedTuple):
    """A fact that counts now and did not then, or the other way round."""

    fact: str  # result, exam, form, waiver, infusion, decision
    about: str  # its panel, kind or requirement
    ref: int
    on: date  # the day that it tells of
    until: date
    change: str
    at: datetime  # when it was recorded or withdrawn


class Differing(NamedTuple):
    """An obligation that came out otherwise: whose evidence did it, now and then."""

    requirement: str
    evidence: str
    due: date
    refs: tuple[int | None, int | None]


_Decision = MonitoringDecision
# For each kind of fact: its name, table, what it is about, the day it tells of, and the last day if it is a span.
_FACTS: tuple[tuple[str, Any, Any, Any, Any], ...] = (
    ("result", LabReport, LabReport.panel, LabReport.collected_on, LabReport.collected_on),
    ("exam", Exam, Exam.kind, Exam.performed_on, Exam.performed_on),
    ("form", FormSubmission, FormSubmission.kind, FormSubmission.submitted_on, FormSubmission.submitted_on),
    ("waiver", Waiver, Waiver.requirement, Waiver.from_on, Waiver.to_on),
    ("infusion", Infusion, Infusion.day_number, Infusion.infused_on, Infusion.infused_on),
    (
        "decision",
        MonitoringDecision,
        MonitoringDecision.kind,
        MonitoringDecision.decided_on,
        MonitoringDecision.decided_on,
    ),
)
_EVIDENCE = frozenset({"result", "exam", "form"})
_WHENEVER = frozenset({MonitoringDecisionKind.EXTENDED.value})  # moves the end of monitoring on every day


def changes_since(known: Knowledge, then: Knowledge, patients: Collection[int], as_of: date) -> dict[int, list[Change]]:
    """What counts on days up to ``as_of``, and counts otherwise as known now than then, by patient."""
    found: defaultdict[int, list[Change]] = defaultdict(list)
    charts = then.charts(patients)
    for name, table, about, on, until in _FACTS:
        rows = db.session.execute(
            select(table.patient_id, table.id, about, on, until, table.state, table.recorded_at, table.withdrawn_at)
            .where(
                table.clinic_id == then.scope.clinic_id,
                table.patient_id.in_(charts),
                or_(table.recorded_at > then.at, table.withdrawn_at > then.at),
            )
            .order_by(table.id)
        )
        for patient, key, what, first, last, state, recorded_at, withdrawn_at in rows:
            counts, counted = (_stood(side, recorded_at, withdrawn_at) for side in (known, then))
            if counts == counted or (first > as_of and what not in _WHENEVER and name != "waiver"):
                continue
            ended = CORRECTED if state == FactState.CORRECTED.value else WITHDRAWN
            told = (RECORDED, recorded_at) if counts else (ended, withdrawn_at)
            found[patient].append(Change(name, str(what), key, first, last, *told))
    return found


def _stood(known: Knowledge, recorded_at: datetime, withdrawn_at: datetime | None) -> bool:
    """The same as ``Knowledge.stood`` of one row."""
    if known.at is None:
        return withdrawn_at is None
    return recorded_at <= known.at and (withdrawn_at is None or withdrawn_at > known.at)


def cause_of(one: Differing, changes: Iterable[Change]) -> Change | None:
    """The change that made it: its own evidence, then other evidence of its kind, waivers, infusions, decisions."""
    return min(
        (change for change in changes if _concerns(one, change)), key=lambda change: _rank(one, change), default=None
    )


def _concerns(one: Differing, change: Change) -> bool:
    if change.fact in _EVIDENCE:
        return change.about == one.evidence
    return change.fact != "waiver" or change.about == one.requirement


def _rank(one: Differing, change: Change) -> tuple[int, int, int]:
    """The least explains best: nearest to the due date of those that are alike."""
    if change.fact in _EVIDENCE:
        place = 0 if change.ref in one.refs else 3
    elif change.fact == "waiver":
        place = 1 if change.on <= one.due <= change.until else 6
    else:
        place = 4 if change.fact == "infusion" else 5
    return place, abs((change.on - one.due).days), change.ref
