"""Results of the log put on a chart again: after a match, after a match was undone, after a code was mapped."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import select

from clinic_tracker.domain.lab_merging import groups, version
from clinic_tracker.domain.lab_reading import LabReader
from clinic_tracker.domain.matching import How
from clinic_tracker.domain.message_json import unpack_report
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState, InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.inbound_codes import local_codes
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_chart import APPLIED, Arrival, Charts, Prior, latest_of, priors_of
from clinic_tracker.services.inbound_corrections import changed_by_hand
from clinic_tracker.services.inbound_filing import Filing
from clinic_tracker.services.inbound_findings import judge_results
from clinic_tracker.services.inbound_rows import Row, Rows
from clinic_tracker.services.unit_of_work import UnitOfWork, unit_of_work

AT_ONCE = 200
Some = TypeVar("Some")
_COPIED = ("state", "patient_id", "report", "problems")
_FOUND = ("with", "confirmed")  # what a report has to do with others of the chart that it is on


class Refiling:
    """Files rows that are in the log already."""

    def __init__(self, scope: Scope, work: UnitOfWork, source_id: int) -> None:
        self.scope = scope
        self.source_id = source_id
        self.rows = Rows(scope)
        self.charts = Charts(scope, work)
        via = db.session.execute(select(InboundSource.kind).where(InboundSource.id == source_id)).scalar_one()
        reader = LabReader(lab_catalog(scope), local_codes(scope, source_id))
        self.filing = Filing(scope, source_id, via, reader, self.charts, self.rows)

    def file(self, patient_id: int, results: Sequence[InboundResult], how: How | None) -> None:
        """Put results on a chart, message by message, and judge what is there then."""
        self.charts.lock([patient_id])
        chart = self.charts.known[patient_id]
        by_message: defaultdict[int, list[InboundResult]] = defaultdict(list)
        for result in results:
            by_message[result.message_id].append(result)
            if how is not None:  # found anew on another chart
                result.report = {name: value for name, value in result.report.items() if name not in _FOUND}
                result.problems = [one for one in result.problems if one.get("kind") == "field"]  # and what is open
        db.session.flush()
        for of_message in by_message.values():
            arrivals = [_arrival(result) for result in of_message]
            self.charts.read_days((patient_id, one.report.collected_on) for one in arrivals if one.report.collected_on)
            self.filing.orders.read([patient_id])
            laboratory = of_message[0].report.get("laboratory", "")
            reports = [arrival.report for arrival in arrivals]
            for group in groups(reports, self.filing.reader.contents):
                members = [arrivals[place] for place in group]
                priors = self._before(members)
                self.filing.file(chart, members, priors, laboratory)
                self.rows.flush()
            for result, arrival in zip(of_message, arrivals, strict=True):
                self._keep(result, arrival.row, how)
            db.session.flush()
        self.judge()

    def read_anew(self, patient_id: int, result: InboundResult) -> None:
        """Read a result again that is on a chart; what a person corrected or withdrew of it there stays so."""
        self.filing.by_hand = changed_by_hand(self.scope, result.id, patient_id)
        self.file(patient_id, [result], None)
        self.filing.by_hand = frozenset()

    def judge(self) -> None:
        """Work out the findings of the charts that changed, each once."""
        judge_results(self.scope, {one.id: one.changed_from for one in self.charts.known.values() if one.changed_from})
        for chart in self.charts.known.values():
            chart.changed_from = None

    def _before(self, members: Sequence[Arrival]) -> dict[str, list[Prior]]:
        return priors_of(self.scope, self.source_id, {member.key for member in members})

    def _keep(self, result: InboundResult, row: Row, how: How | None) -> None:
        for name in _COPIED:
            setattr(result, name, row[name])
        came_before = result.state == InboundState.DUPLICATE and how is None
        if came_before and (self.filing.by_hand or self._is_on_chart(result)):
            result.state = InboundState.RECORDED.value  # what is on the chart already came with this very result
        if how is not None:
            result.matched_how = how.value
            result.matched_by_id, result.matched_at = self.scope.user_id, self.scope.now

    def _is_on_chart(self, result: InboundResult) -> bool:
        """Whether something that stands on a chart came with this result."""
        return any(
            db.session.execute(
                select(fact.id)
                .where(
                    fact.clinic_id == self.scope.clinic_id,
                    fact.inbound_result_id == result.id,
                    fact.state == FactState.RECORDED.value,
                )
                .limit(1)
            ).first()
            for fact in (LabReport, Exam)
        )


def put_back(scope: Scope, work: UnitOfWork, patient_id: int, numbers: Iterable[tuple[int, str]]) -> None:
    """Put the newest versions of reports, by source and number, on their chart again: what replaced them was wrong."""
    for source_id, key in numbers:
        versions = [one for one in priors_of(scope, source_id, {key}).get(key, ()) if one.patient_id == patient_id]
        latest = latest_of(scope, versions)
        if latest is None:
            continue
        refiling = Refiling(scope, work, source_id)
        refiling.read_anew(
            patient_id, db.session.execute(select(InboundResult).where(InboundResult.id == latest.id)).scalar_one()
        )


def understand_again(scope: Scope, results: Collection[uuid.UUID] | None = None) -> int:
    """Read results anew that were not understood (all of them, or these, whatever their state); how many changed.

    Done after a code was mapped or withdrawn. A version that a newer one has replaced meanwhile is left as it is.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    wanted = None if results is None else list(results)
    for part in [None] if wanted is None else _batched(wanted):
        for source_id, rows in _by_source(scope, part).items():
            found[source_id] += rows
    return sum(_read_anew(scope, source_id, part) for source_id, rows in found.items() for part in _batched(rows))


def _batched(rows: list[Some]) -> list[list[Some]]:
    """Rows as many at a time as a transaction takes, so that others write in between."""
    return [rows[begin : begin + AT_ONCE] for begin in range(0, len(rows), AT_ONCE)]


def _read_anew(scope: Scope, source_id: int, rows: Sequence[tuple[int, int]]) -> int:
    changed = 0
    with unit_of_work(scope) as work:
        refiling = Refiling(scope, work, source_id)
        refiling.charts.lock({patient for patient, _ in rows})
        for patient_id, key in rows:
            row = db.session.execute(
                select(InboundResult).where(InboundResult.id == key).execution_options(populate_existing=True)
            ).scalar_one()
            if _is_newest(scope, source_id, row):
                before = row.state
                row.problems = [one for one in row.problems if one.get("kind") == "field"]
                refiling.read_anew(patient_id, row)
                changed += row.state != before
    return changed


def _by_source(scope: Scope, results: Collection[uuid.UUID] | None) -> dict[int, list[tuple[int, int]]]:
    """Patient and key of each result to be read anew, by source."""
    statement = (
        select(InboundMessage.source_id, InboundResult.patient_id, InboundResult.id)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.patient_id.is_not(None))
        .order_by(InboundResult.id)
    )
    if results is None:
        statement = statement.where(InboundResult.state == InboundState.NOT_UNDERSTOOD.value)
    else:
        states = [state.value for state in APPLIED]
        statement = statement.where(InboundResult.public_id.in_(results), InboundResult.state.in_(states))
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for source_id, patient_id, key in db.session.execute(statement):
        assert patient_id is not None
        found[source_id].append((patient_id, key))
    return found


def _is_newest(scope: Scope, source_id: int, row: InboundResult) -> bool:
    """Whether no newer version of the report was put on a chart."""
    own = version(unpack_report(row.report["sent"]), row.issued_at), row.id
    priors = priors_of(scope, source_id, {str(row.external_id)})
    applied = [prior for of_key in priors.values() for prior in of_key if prior.state in APPLIED]
    return all((version(prior.sent, prior.issued_at), prior.id) <= own for prior in applied)


def _arrival(result: InboundResult) -> Arrival:
    """A row of the log as it was when it came."""
    row: Row = {
        "id": result.id,
        "state": result.state,
        "patient_id": result.patient_id,
        "issued_at": result.issued_at,
        "identity": result.identity,
        "report": dict(result.report),
        "problems": list(result.problems),
    }
    return Arrival(unpack_report(result.report["sent"]), str(result.external_id), row)
