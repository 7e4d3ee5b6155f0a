"""Reports and exams that only confirmed what stood on a chart already, having come from elsewhere.

The row of the log remembers under ``confirmed`` what that was: by panel or kind of exam, the key of the fact.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import select

from clinic_tracker.domain.lab_entry import ReadPanel
from clinic_tracker.domain.lab_merging import version
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.domain.vocabulary import ExamKind, FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.inbound_chart import ON_CHART, Chart, Charts, Prior, priors_of
from clinic_tracker.services.inbound_corrections import exam_id, source_name
from clinic_tracker.services.inbound_rows import Row
from clinic_tracker.services.reviews import take_back

Confirmed = Mapping[str, int]
Some = TypeVar("Some", LabReport, Exam)
STILL_SENT = "It stays on the chart: the same came under another number, which the laboratory has not taken back."
_TAKEN_BACK = (ReportState.CANCELLED, ReportState.REJECTED)


def confirmed_by(_scope: Scope, patient_id: int, priors: Iterable[Prior]) -> Confirmed:
    """What the versions of a report confirmed on a chart, the newest word about each; what was taken back ends it."""
    found: dict[str, int] = {}
    for prior in sorted(priors, key=lambda prior: (version(prior.sent, prior.issued_at), prior.id), reverse=True):
        if prior.patient_id != patient_id or prior.state not in ON_CHART:
            continue
        if prior.sent.state in _TAKEN_BACK:
            break
        found = {**prior.confirmed, **found}
    return found


def standing_fact(scope: Scope, model: type[Some], patient_id: int, fact_id: int | None) -> Some | None:
    """What was confirmed, if it stands on that chart still."""
    if fact_id is None:
        return None
    return db.session.execute(
        select(model).where(
            model.id == fact_id,
            model.clinic_id == scope.clinic_id,
            model.patient_id == patient_id,
            model.state == FactState.RECORDED.value,
        )
    ).scalar_one_or_none()


def replaced_elsewhere(
    scope: Scope, charts: Charts, chart: Chart, panel: ReadPanel, sent: tuple[SentReport, str], confirmed: Confirmed
) -> LabReport | None:
    """The report from elsewhere that earlier versions confirmed and this one (``sent``, of a source) contradicts."""
    name = panel.panel.value
    if name not in confirmed or charts.same_on_record(chart, panel, *sent):
        return None
    row = standing_fact(scope, LabReport, chart.id, confirmed[name])
    if row is not None:
        charts.forget(row)
    return row


def not_affirmed(
    scope: Scope, source_id: int, chart: Chart, keys: Collection[str], rows: Sequence[LabReport | Exam], result: Row
) -> list[LabReport | Exam]:
    """Those of the rows, which a laboratory takes back under these numbers, that nothing else affirms.

    The others stay with the number of what affirms them, and wait for review anew.
    """
    gone = []
    for row in rows:
        other = _affirming(scope, source_id, keys, row) if row.patient_id == chart.id else None
        if other is None:
            gone.append(row)
        else:
            _hand_over(scope, row, *other)
            _ask_again(scope, row, result)
    return gone


def affirmed_elsewhere(
    scope: Scope, source_id: int, keys: Collection[str], rows: Iterable[LabReport | Exam]
) -> list[tuple[int, str]]:
    """The numbers, by source, under which these facts came too, beside these of one source."""
    found = [_affirming(scope, source_id, keys, row) for row in rows]
    return [(source, lead) for _, source, lead in filter(None, found)]


def stay_confirmed(scope: Scope, chart: Chart, priors: Iterable[Prior], result: Row) -> None:
    """Have a person look again at what a report that is taken back had confirmed: it stands on the word of another."""
    for name, fact_id in confirmed_by(scope, chart.id, priors).items():
        if name in set(ExamKind):
            row: LabReport | Exam | None = standing_fact(scope, Exam, chart.id, fact_id)
        else:
            row = standing_fact(scope, LabReport, chart.id, fact_id)
        if row is not None:
            _ask_again(scope, row, result)


def _affirming(
    scope: Scope, source_id: int, keys: Collection[str], row: LabReport | Exam
) -> tuple[int, int, str] | None:
    """A result under another number that confirmed a fact and still says so: its key, its source, its number."""
    name = _name_of(row)
    rows = db.session.execute(
        select(InboundResult.id, InboundMessage.source_id, InboundResult.external_id, InboundResult.report)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(
            InboundResult.clinic_id == scope.clinic_id,
            InboundResult.patient_id == row.patient_id,
            InboundResult.state.in_([state.value for state in ON_CHART]),
        )
        .order_by(InboundResult.id)
    )
    for result_id, source, key, report in rows.all():
        if report.get("confirmed", {}).get(name) != row.id or (source == source_id and key in keys):
            continue
        versions = priors_of(scope, source, {key})[key]
        if confirmed_by(scope, row.patient_id, versions).get(name) == row.id:
            return result_id, source, (report.get("with") or [key])[0]
    return None


def _hand_over(scope: Scope, row: LabReport | Exam, result_id: int, source_id: int, lead: str) -> None:
    """Let what stands carry the number of the report that affirms it, so that its corrections find it."""
    before = audit.snapshot(row)
    row.inbound_result_id = result_id
    if isinstance(row, LabReport):
        row.source, row.external_id = source_name(scope, source_id), f"{lead}:{row.panel}"
        audit.record(scope, AuditAction.LAB_REPORT_CONFIRMED, row, before=before, reason=STILL_SENT)
    else:
        row.external_id = exam_id(scope, source_id, lead, ExamKind(row.kind))
        audit.record(scope, AuditAction.EXAM_CONFIRMED, row, before=before, reason=STILL_SENT)
    db.session.flush()


def _ask_again(scope: Scope, row: LabReport | Exam, result: Row) -> None:
    """Put what stays back into the queue of the reviewers, and say in the log that it stays."""
    if row.reviewed_at is not None:
        take_back(scope, row, STILL_SENT)
    told = {"kind": "field", "where": "", "message": STILL_SENT}
    if told not in result["problems"]:
        result["problems"] = [*result["problems"], told]


def _name_of(row: LabReport | Exam) -> str:
    return row.panel if isinstance(row, LabReport) else row.kind
