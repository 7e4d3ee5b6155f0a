"""What an earlier version of a report said, beside the newer one: what that leaves open stands until it is settled."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.lab_doubts import DoubtKind
from clinic_tracker.domain.lab_entry import ReadPanel, ReadValue
from clinic_tracker.domain.lab_meaning import CodeTable
from clinic_tracker.domain.lab_merging import state_of_line, version
from clinic_tracker.domain.lab_reading import LabReader
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.domain.other_lines import other_lines
from clinic_tracker.domain.vocabulary import ExamKind, InboundState, LocalCodeKind
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundResult
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.other_lines import also_sent
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.inbound_chart import ON_CHART, Chart, Prior
from clinic_tracker.services.inbound_confirmed import Confirmed
from clinic_tracker.services.lab_sheets import values_of

Values = Mapping[str, ReadValue]
SETTLED = "A newer version of this report says what is true."


class Before(NamedTuple):
    """What earlier versions of a report leave: values that count on, and what they confirmed of other reports."""

    known: bool = True
    earlier: Values = {}
    confirmed: Confirmed = {}


def earlier_values(
    _scope: Scope, reader: LabReader, chart: Chart, report: SentReport, unread: Collection[str], priors: Iterable[Prior]
) -> Values:
    """What earlier versions of a report, of the same day, say of the analytes that nobody can read in this one.

    They are read as codes and units are mapped now. A version that the laboratory took back ends the search.
    """
    found: dict[str, ReadValue] = {}
    newest_first = sorted(priors, key=lambda prior: (version(prior.sent, prior.issued_at), prior.id), reverse=True)
    for prior in newest_first if unread else ():
        if (
            prior.patient_id != chart.id
            or prior.state not in ON_CHART
            or prior.sent.collected_on != report.collected_on
        ):
            continue
        if prior.sent.state is ReportState.CANCELLED:
            break
        for panel in reader.understand(prior.sent, chart.sex).panels:
            for value in panel.values:
                if value.analyte in unread:
                    found.setdefault(value.analyte, value)
    return found


def with_values_before(
    scope: Scope, reader: LabReader, panel: ReadPanel, old: LabReport | None, earlier: Values
) -> ReadPanel:
    """The panel with those earlier values that still stand on the chart in the version before."""
    if old is None or not earlier:
        return panel
    stand = {value.analyte for value in values_of(scope, old)}
    values = (*panel.values, *(value for analyte, value in earlier.items() if analyte in stand))
    missing = reader.catalog.missing_for_complete(panel.panel, [value.analyte for value in values], panel.problem)
    return panel._replace(values=values, missing=missing)


def same_others(scope: Scope, codes: CodeTable, old: LabReport, report: SentReport) -> bool:
    """Whether a newer version has the same lines of tests that are not followed here."""
    before = also_sent(scope, [old.inbound_result_id])
    return {line for lines in before.values() for line in lines} == set(other_lines(codes, [report]))


def exams_said(
    _scope: Scope, reader: LabReader, report: SentReport, state: ReportState | None = None
) -> frozenset[ExamKind]:
    """The exams that a report has lines of, all or those that are so far."""
    meanings = (
        reader.codes.meaning(line.codes) for line in report.values if state in (None, state_of_line(report, line))
    )
    return frozenset(
        ExamKind(meaning.target) for meaning in meanings if meaning is not None and meaning.kind is LocalCodeKind.EXAM
    )


def settle(
    scope: Scope, reader: LabReader, priors: Iterable[Prior], said: Collection[ExamKind] | None, reason: str
) -> None:
    """Take versions that wait for nothing but the outcome of preliminary exams out of their queue: it is said now.

    ``said`` are the exams of which the newer version says what is true; ``None`` where it takes the report back.
    """
    waiting = {prior.id: prior for prior in priors if prior.state is InboundState.NOT_UNDERSTOOD}
    if not waiting:
        return
    rows = db.session.execute(select(InboundResult).where(InboundResult.id.in_(waiting))).scalars()
    for row in rows.all():
        early = exams_said(scope, reader, waiting[row.id].sent, ReportState.PRELIMINARY)
        doubts = {problem.get("kind") for problem in row.problems} & set(DoubtKind)
        if doubts != {DoubtKind.PRELIMINARY} or not (said is None or early <= set(said)):
            continue
        before = audit.snapshot(row)
        row.state = (InboundState.RECORDED if _brought(scope, row) else InboundState.NOTED).value
        row.closed_by_id, row.closed_at, row.closed_reason = scope.user_id, scope.now, reason
        audit.record(scope, AuditAction.RESULT_SETTLED, row, before=before, reason=reason)


def _brought(scope: Scope, result: InboundResult) -> bool:
    """Whether something came to a chart with a result, whatever became of it."""
    return any(
        db.session.execute(
            select(fact.id).where(fact.clinic_id == scope.clinic_id, fact.inbound_result_id == result.id).limit(1)
        ).first()
        for fact in (LabReport, Exam)
    )
