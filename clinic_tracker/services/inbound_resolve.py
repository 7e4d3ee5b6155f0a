"""What a person decides about results: whose they are, that they are nobody's, that a match was wrong."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.lab_merging import version
from clinic_tracker.domain.matching import How
from clinic_tracker.domain.message_json import unpack_identity, unpack_report
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState, InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import check_reason
from clinic_tracker.services.identifiers import forget_identifiers, learn_identifiers
from clinic_tracker.services.inbound_chart import APPLIED
from clinic_tracker.services.inbound_chunk import of_source
from clinic_tracker.services.inbound_confirmed import affirmed_elsewhere
from clinic_tracker.services.inbound_corrections import withdraw_all
from clinic_tracker.services.inbound_refile import Refiling, put_back
from clinic_tracker.services.inbound_undo import came_with_message, displaced, let_go, take_back_orders
from clinic_tracker.services.unit_of_work import unit_of_work

OPEN = frozenset({InboundState.UNMATCHED.value, InboundState.NOT_UNDERSTOOD.value})


def match_result(scope: Scope, result: uuid.UUID, patient: uuid.UUID, *, learn: bool = False) -> int:
    """Say whose an unmatched result is: it is recorded there, with all that waits of the same source and identity.

    With ``learn`` the numbers of the identity are remembered for the patient. How many results were recorded or now
    wait to be understood. RuleViolation when somebody has decided before.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row, source_id = _locked(scope, result)
        if row.state != InboundState.UNMATCHED.value:
            raise RuleViolation("already_decided", None, "Somebody has decided about this result before.")
        chart = work.lock_patient(patient)
        together = [one for one in _waiting(scope, source_id) if one.identity == row.identity]
        if learn:
            learn_identifiers(scope, chart.id, of_source(scope, source_id, unpack_identity(row.identity)))
        refiling = Refiling(scope, work, source_id)
        refiling.file(chart.id, together, How.PERSON)
        for one in together:
            _note(scope, AuditAction.RESULT_MATCHED, one, chart.id)
    return len(together)


def dismiss_result(scope: Scope, result: uuid.UUID, *, reason: str) -> None:
    """Take a result out of its queue for a reason (not a patient of the clinic, a test of the line).

    What was recorded of it stays; one of which nothing was recorded counts for nothing.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        row, _ = _locked(scope, result)
        words = check_reason(scope, reason)
        if row.state not in OPEN:
            raise RuleViolation("already_decided", None, "Somebody has decided about this result before.")
        before = audit.snapshot(row)
        kept = row.state == InboundState.NOT_UNDERSTOOD.value and bool(_facts(scope, [row.id]))
        row.state = (InboundState.RECORDED if kept else InboundState.DISMISSED).value
        row.closed_by_id, row.closed_at, row.closed_reason = scope.user_id, scope.now, words
        audit.record(scope, AuditAction.RESULT_DISMISSED, row, before=before, reason=words)


def undo_match(scope: Scope, result: uuid.UUID, *, reason: str, to: uuid.UUID | None = None) -> int:
    """Take a result off the chart that it does not belong to: to another chart, or back to the unmatched.

    All versions of the report and the other parts of its panels go with it; what was recorded is marked as entered in
    error with the reason, what a person had entered and it only confirmed stays, what came under other numbers too, or
    was replaced by it, stands again, orders are as they were without it, and the numbers learned for that chart are
    forgotten. Schedule and findings of both charts follow. How many results were moved.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row, source_id = _locked(scope, result)
        words = check_reason(scope, reason)
        if row.patient_id is None:
            raise RuleViolation("not_matched", None, "This result is on no chart.")
        old = row.patient_id
        refiling = Refiling(scope, work, source_id)
        refiling.charts.lock([old])
        moved = _versions(scope, source_id, row)
        brought = [fact for fact in _facts(scope, [one.id for one in moved]) if came_with_message(scope, fact)]
        keys = {str(one.external_id) for one in moved}
        others = displaced(scope, source_id, moved, brought) + affirmed_elsewhere(scope, source_id, keys, brought)
        withdraw_all(scope, refiling.charts, brought, words)
        let_go(scope, source_id, old, moved, words)
        take_back_orders(scope, old, moved, words)
        forget_identifiers(scope, old, of_source(scope, source_id, unpack_identity(row.identity)), words)
        for one in moved:
            _note(scope, AuditAction.RESULT_MATCH_UNDONE, one, old, words)
            one.state, one.patient_id, one.matched_how = InboundState.UNMATCHED.value, None, None
            one.matched_by_id, one.matched_at = scope.user_id, scope.now  # who said so: later versions wait, too
            one.closed_by_id = one.closed_at = one.closed_reason = None
        db.session.flush()
        refiling.judge()
        put_back(scope, work, old, others)
        if to is not None:
            chart = work.lock_patient(to)
            if chart.id == old:
                raise RuleViolation("same_patient", "patient", "This is the chart that the result is on.")
            refiling.file(chart.id, moved, How.PERSON)
            for one in moved:
                _note(scope, AuditAction.RESULT_MATCHED, one, chart.id, words)
    return len(moved)


def _locked(scope: Scope, result: uuid.UUID) -> tuple[InboundResult, int]:
    """The result, locked, and its source. NotFound for one of another clinic."""
    found = db.session.execute(
        select(InboundResult, InboundMessage.source_id)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(InboundResult.public_id == result, InboundResult.clinic_id == scope.clinic_id)
        .with_for_update(of=InboundResult)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("result")
    row, source_id = found
    return row, source_id


def _waiting(scope: Scope, source_id: int) -> list[InboundResult]:
    return list(
        db.session.execute(
            select(InboundResult)
            .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
            .where(
                InboundResult.clinic_id == scope.clinic_id,
                InboundMessage.source_id == source_id,
                InboundResult.state == InboundState.UNMATCHED.value,
            )
            .order_by(InboundResult.id)
        ).scalars()
    )


def _versions(scope: Scope, source_id: int, row: InboundResult) -> list[InboundResult]:
    """All versions of a report, and of the other parts of its panels, on the same chart; the oldest version first."""
    keys = {str(row.external_id), *row.report.get("with", ())}
    rows = db.session.execute(
        select(InboundResult)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(
            InboundResult.clinic_id == scope.clinic_id,
            InboundMessage.source_id == source_id,
            InboundResult.external_id.in_(keys),
            InboundResult.patient_id == row.patient_id,
        )
        .order_by(InboundResult.id)
    ).scalars()
    kept = {*(state.value for state in APPLIED), InboundState.SUPERSEDED.value}
    return sorted(
        (one for one in rows if one.state in kept or one.id == row.id or one.report.get("confirmed")),
        key=lambda one: (version(unpack_report(one.report["sent"]), one.issued_at), one.id),
    )


def _facts(scope: Scope, result_ids: Sequence[int]) -> list[LabReport | Exam]:
    """What stands of these results on charts, be it only confirmed by them."""
    found: list[LabReport | Exam] = []
    found += db.session.execute(
        select(LabReport).where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.inbound_result_id.in_(result_ids),
            LabReport.state == FactState.RECORDED.value,
        )
    ).scalars()
    found += db.session.execute(
        select(Exam).where(
            Exam.clinic_id == scope.clinic_id,
            Exam.inbound_result_id.in_(result_ids),
            Exam.state == FactState.RECORDED.value,
        )
    ).scalars()
    return found


def _note(scope: Scope, action: AuditAction, row: InboundResult, patient_id: int, reason: str | None = None) -> None:
    audit.note(
        scope,
        action,
        subject_type=InboundResult.__tablename__,
        subject_id=row.id,
        patient_id=patient_id,
        after={"external_id": row.external_id, "state": row.state},
        reason=reason,
    )
