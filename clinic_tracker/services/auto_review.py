"""Normal results that close by themselves, where the clinic has written down when; a sample of them is looked at."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.auto_review import Printed, all_within_range, is_in_sample
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_entry import comparator_of
from clinic_tracker.domain.other_lines import is_remarkable
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState, InboundState, Panel, ResultStatus
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.reviewing import AutoReview
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.clinics import lock_clinic
from clinic_tracker.services.facts import LONGEST_REASON
from clinic_tracker.services.unit_of_work import unit_of_work

AT_ONCE = 400
MOST_PERCENT = 100
SHORTEST_CRITERIA = 20
_SAY_NOTHING_NEW = (InboundState.DUPLICATE.value, InboundState.SUPERSEDED.value)


def begin_auto_review(scope: Scope, *, criteria: str | None, sample_percent: int | None) -> None:
    """Let normal results close by themselves from now on, by criteria that the clinic has written down.

    Earlier criteria end now. RuleViolation for criteria that say nothing, or a sample that is not 1 to 100 percent.
    """
    scope.require(Permission.ARRANGE_REVIEW)
    words = (criteria or "").strip()
    if not SHORTEST_CRITERIA <= len(words) <= LONGEST_REASON:
        message = f"Write down the criteria, in {SHORTEST_CRITERIA} to {LONGEST_REASON} characters."
        raise RuleViolation("criteria", "criteria", message)
    if sample_percent is None or not 1 <= sample_percent <= MOST_PERCENT:
        raise RuleViolation("sample", "sample_percent", "The sample must be between 1 and 100 percent.")
    with unit_of_work(scope):
        lock_clinic(scope)
        before = _in_force(scope)
        if before is not None and (before.criteria, before.sample_percent) == (words, sample_percent):
            return
        _end(scope, before)
        row = AutoReview(
            clinic_id=scope.clinic_id,
            criteria=words,
            sample_percent=sample_percent,
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
        )
        db.session.add(row)
        audit.record(scope, AuditAction.AUTO_REVIEW_BEGUN, row)


def end_auto_review(scope: Scope) -> None:
    """From now on every result waits for a person; RuleViolation where it is so already."""
    scope.require(Permission.ARRANGE_REVIEW)
    with unit_of_work(scope):
        lock_clinic(scope)
        row = _in_force(scope)
        if row is None:
            raise RuleViolation("not_in_force", None, "No criteria are in force: every result waits for review.")
        _end(scope, row)


def close_normal_ones(scope: Scope, patient_ids: Sequence[int]) -> None:
    """Close the reports of these patients that were recorded now and are final, complete and normal, by the criteria.

    Some of them, always the same ones, stay in the queue for a look. Runs inside the unit of work that records.
    """
    criteria = _in_force(scope)
    new = [report for report in _recorded_now(scope, patient_ids) if _may_close(report)] if criteria else []
    if criteria is None or not new:
        return
    keys = [report.id for report in new]
    printed, in_doubt = _printed(scope, keys), _came_with_doubt(scope, keys)
    for report in new:
        if report.id in in_doubt or not all_within_range(printed[report.id]):
            continue
        before = audit.snapshot(report)
        if is_in_sample(report.public_id, criteria.sample_percent):
            report.in_sample = True
            audit.record(scope, AuditAction.LAB_REPORT_SAMPLED, report, before=before)
        else:
            report.auto_reviewed, report.reviewed_at = True, scope.now
            audit.record(scope, AuditAction.LAB_REPORT_CLOSED, report, before=before, reason=criteria.criteria)


def _recorded_now(scope: Scope, patient_ids: Sequence[int]) -> Iterator[LabReport]:
    """The reports that were recorded in this very act and that nobody has looked at."""
    for start in range(0, len(patient_ids), AT_ONCE):
        yield from db.session.execute(
            select(LabReport)
            .where(
                LabReport.clinic_id == scope.clinic_id,
                LabReport.patient_id.in_(patient_ids[start : start + AT_ONCE]),
                LabReport.recorded_at == scope.now,
                LabReport.state == FactState.RECORDED.value,
                LabReport.reviewed_at.is_(None),
            )
            .order_by(LabReport.collected_on, LabReport.id)
            .execution_options(populate_existing=True)
        ).scalars()


def _may_close(report: LabReport) -> bool:
    """Whether nothing is to be said against it but its values."""
    return (
        not report.in_sample
        and report.is_complete
        and report.panel != Panel.OTHER.value
        and report.result_status == ResultStatus.FINAL.value
        and not report.findings
        and not report.note
    )


def _printed(scope: Scope, reports: Sequence[int]) -> dict[int, list[Printed]]:
    found: defaultdict[int, list[Printed]] = defaultdict(list)
    for start in range(0, len(reports), AT_ONCE):
        rows = db.session.execute(
            select(
                LabValue.lab_report_id, LabValue.number, LabValue.text, LabValue.low, LabValue.high, LabValue.flag
            ).where(LabValue.clinic_id == scope.clinic_id, LabValue.lab_report_id.in_(reports[start : start + AT_ONCE]))
        )
        for report, number, text, low, high, flag in rows:
            found[report].append(Printed(number, comparator_of(text), low, high, flag))
    return found


def _came_with_doubt(scope: Scope, reports: Sequence[int]) -> set[int]:
    """Those that came with something that is not understood, or with a flag at any line, be it followed here or not."""
    found: set[int] = set()
    for start in range(0, len(reports), AT_ONCE):
        rows = db.session.execute(
            select(LabReport.id, InboundMessage.source_id, InboundResult.state, InboundResult.report)
            .join(InboundResult, InboundResult.id == LabReport.inbound_result_id)
            .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
            .where(LabReport.clinic_id == scope.clinic_id, LabReport.id.in_(reports[start : start + AT_ONCE]))
        ).all()
        parts = _parts(scope, {(row.source_id, key) for row in rows for key in row.report.get("with", ())})
        for report, source, state, packed in rows:
            others = [part for key in packed.get("with", ()) for part in parts[source, key]]
            told = [(state, packed["sent"]), *others]
            if any(of_part != InboundState.RECORDED or _is_flagged(sent) for of_part, sent in told):
                found.add(report)
    return found


def _parts(scope: Scope, wanted: set[tuple[int, str]]) -> Mapping[tuple[int, str], list[tuple[str, dict[str, Any]]]]:
    """The parts of panels that came as several reports: what became of each, and what it said, in its versions."""
    found: defaultdict[tuple[int, str], list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    if not wanted:
        return found
    rows = db.session.execute(
        select(InboundMessage.source_id, InboundResult.external_id, InboundResult.state, InboundResult.report)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(
            InboundResult.clinic_id == scope.clinic_id,
            InboundMessage.source_id.in_(sorted({source for source, _ in wanted})),
            InboundResult.external_id.in_(sorted({key for _, key in wanted})),
            InboundResult.state.not_in(_SAY_NOTHING_NEW),
        )
    )
    for source, key, state, packed in rows:
        found[source, str(key)].append((state, packed["sent"]))
    return found


def _is_flagged(sent: Mapping[str, Any]) -> bool:
    return any(is_remarkable(str(line.get("flag", ""))) for line in sent.get("values", ()))


def _in_force(scope: Scope) -> AutoReview | None:
    return db.session.execute(
        select(AutoReview)
        .where(AutoReview.clinic_id == scope.clinic_id, AutoReview.ended_at.is_(None))
        .order_by(AutoReview.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def _end(scope: Scope, row: AutoReview | None) -> None:
    if row is None:
        return
    before = audit.snapshot(row)
    row.ended_at, row.ended_by_id = scope.now, scope.user_id
    audit.record(scope, AuditAction.AUTO_REVIEW_ENDED, row, before=before)
