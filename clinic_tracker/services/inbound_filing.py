"""One patient's reports of a message put on the chart, newer versions in the place of older ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clinic_tracker.domain.lab_doubts import Doubt
from clinic_tracker.domain.lab_entry import ReadPanel
from clinic_tracker.domain.lab_merging import merged, version
from clinic_tracker.domain.lab_reading import WITHOUT_VALUES, ReadExam, Understood
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.domain.other_lines import other_lines
from clinic_tracker.domain.vocabulary import ExamKind, InboundState, Panel
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import inbound_corrections as corrections
from clinic_tracker.services.inbound_chart import Arrival, Chart, Prior, latest_of, priors_of
from clinic_tracker.services.inbound_confirmed import (
    Confirmed,
    confirmed_by,
    not_affirmed,
    replaced_elsewhere,
    standing_fact,
    stay_confirmed,
)
from clinic_tracker.services.inbound_desk import Desk
from clinic_tracker.services.inbound_numbers import give_way, leave_to_a_person, stands_alone, used_again
from clinic_tracker.services.inbound_orders import Orders
from clinic_tracker.services.inbound_parts import completed_by
from clinic_tracker.services.inbound_rows import Row, note_confirmed
from clinic_tracker.services.inbound_unsettled import (
    SETTLED,
    Before,
    earlier_values,
    exams_said,
    same_others,
    settle,
    with_values_before,
)

NO_CERVIX = "This chart says that the patient has no cervix: an HPV screen cannot be recorded."
Priors = dict[str, list[Prior]]


@dataclass(slots=True)
class Filing(Desk):
    """Puts reports of one source on charts. ``rows`` are written by the caller."""

    orders: Orders = field(init=False)
    by_hand: frozenset[str] = frozenset()  # reports and exams that a person changed since, which a new reading leaves

    def __post_init__(self) -> None:
        self.orders = Orders(self.scope, self.via, self.rows)

    def file(self, chart: Chart, arrivals: Sequence[Arrival], priors: Priors, laboratory: str) -> None:
        """Record reports that belong together, whose numbers came before as ``priors`` say.

        The state of each row says what became of it. A version older than what is on record is kept as superseded.
        """
        fresh: list[Arrival] = []
        for arrival in arrivals:
            arrival.row["patient_id"] = chart.id
            latest = latest_of(self.scope, priors.get(arrival.key, ()))
            if used_again(self.scope, chart, arrival, priors.get(arrival.key, ())):
                leave_to_a_person(self.scope, arrival)
            elif latest is not None and _version(arrival) < version(latest.sent, latest.issued_at):
                arrival.row["state"] = InboundState.SUPERSEDED.value
                self.keep_late(chart, arrival, latest, priors[arrival.key], laboratory)
            elif problem := self._refusal(chart, arrival):
                _refuse(arrival, problem)
            elif arrival.report.state in (ReportState.CANCELLED, ReportState.REJECTED):
                self._cancel(chart, arrival, latest)
                stay_confirmed(self.scope, chart, _others_of(arrival, priors), arrival.row)
                settle(self.scope, self.reader, _others_of(arrival, priors), None, corrections.CANCELLED)
            else:
                fresh.append(arrival)
        if fresh:
            self._record(chart, fresh, priors, laboratory)

    def _refusal(self, chart: Chart, arrival: Arrival) -> str | None:
        report = arrival.report
        if report.collected_on is None and report.state in {*WITHOUT_VALUES, ReportState.CANCELLED}:
            return None
        return self.charts.wrong_date(chart, report)

    def _cancel(self, chart: Chart, arrival: Arrival, latest: Prior | None) -> None:
        """A report that the laboratory takes back counts for nothing from now on; its order is open or ended."""
        lead = latest.together[0] if latest else arrival.key
        alone = latest is None or len(latest.together) == 1
        if alone:
            leads = {lead}
            standing = corrections.standing_reports(self.scope, self.source_id, leads)
            exams = corrections.standing_exams(self.scope, self.source_id, leads)
            rows: list[LabReport | Exam] = [*standing.values(), *exams.values()]
            gone = not_affirmed(self.scope, self.source_id, chart, leads, rows, arrival.row)
            corrections.withdraw_all(self.scope, self.charts, gone, corrections.CANCELLED)
        else:
            assert latest is not None
            self._without(chart, arrival, latest)
        self.orders.read({chart.id})  # what was taken back opened its order again
        self.orders.follow(chart, arrival, self.reader.understand(arrival.report, chart.sex).orders)
        arrival.row["state"] = InboundState.NOTED.value

    def _without(self, chart: Chart, arrival: Arrival, latest: Prior) -> None:
        """One part of several is taken back: what the others say stays."""
        others = self.others(latest.together, {arrival.key})
        lead = latest.together[0]
        understood = self.reader.understand(merged(others), chart.sex) if others else Understood()
        report = merged(others) if others else arrival.report
        arrival.row["report"]["with"] = list(latest.together)
        self._write(chart, lead, arrival.row, understood, report, "", Before())

    def _record(self, chart: Chart, fresh: Sequence[Arrival], priors: Priors, laboratory: str) -> None:
        keys = {arrival.key for arrival in fresh}
        latest = [found for arrival in fresh if (found := latest_of(self.scope, priors.get(arrival.key, ())))]
        together = next(
            (one.together for one in latest if len(one.together) > 1),
            tuple(dict.fromkeys(arrival.key for arrival in fresh)),
        )
        sent = [arrival.report for arrival in fresh]
        report = merged([*sent, *self.others(together, keys)])
        understood = self.reader.understand(report, chart.sex)
        may_join = not latest or (not self.by_hand and stands_alone(self.scope, self.source_id, latest))
        where = (self.source_id, self.via, self.reader, chart)
        before = completed_by(self.scope, *where, report, understood) if may_join else ()
        if before:
            give_way(self.scope, self.source_id, self.charts, chart, keys)
            together = (*before, *together)
            corrections.join(self.scope, self.source_id, chart.id, together)
            priors |= priors_of(self.scope, self.source_id, set(before))
            report = merged([*sent, *self.others(together, keys)])
            understood = self.reader.understand(report, chart.sex)
        first = fresh[0].row
        if understood.orders:
            self.orders.follow(chart, fresh[0], understood.orders)
            state = InboundState.NOTED
        else:
            known = [prior for key in together for prior in priors.get(key, ()) if prior.id != first.get("id")]
            earlier = earlier_values(self.scope, self.reader, chart, report, understood.unread, known)
            confirmed = confirmed_by(self.scope, chart.id, known) if known else {}
            what = (first, understood, report, laboratory)
            state = self._write(chart, together[0], *what, Before(bool(latest or before), earlier, confirmed))
            if latest:
                said = exams_said(self.scope, self.reader, report) - understood.unsettled
                settle(self.scope, self.reader, known, said, SETTLED)
        for arrival in fresh:
            arrival.row["state"] = state.value
            if len(together) > 1:
                arrival.row["report"]["with"] = list(together)
        if understood.problems:
            first["state"] = InboundState.NOT_UNDERSTOOD.value
            first["problems"] = [*first["problems"], *(problem_row(self.scope, one) for one in understood.problems)]

    def _write(
        self,
        chart: Chart,
        lead: str,
        result: Row,
        understood: Understood,
        report: SentReport,
        lab: str,
        before: Before,
    ) -> InboundState:
        """Record what was understood in the place of what stands of it; what became of the report."""
        scope = self.scope
        standing = corrections.standing_reports(scope, self.source_id, {lead}) if before.known else {}
        stood = corrections.standing_exams(scope, self.source_id, {lead}) if before.known else {}
        kept, stays = 0, set()
        for read in understood.panels:
            old = standing.pop(f"{lead}:{read.panel.value}", None)
            if old is None and before.confirmed:
                sent = (report, corrections.source_name(scope, self.source_id))
                old = replaced_elsewhere(scope, self.charts, chart, read, sent, before.confirmed)
            panel = with_values_before(scope, self.reader, read, old, before.earlier)
            kept += self._put(chart, self.lab_row(chart, lead, panel, report, lab), panel, result, old, report)
        for kind in understood.unsettled:  # the newer version does not say yet what is true: what stands here stays
            external = corrections.exam_id(scope, self.source_id, lead, kind)
            if external in stood and stood[external].patient_id == chart.id:
                stays.add(external)
                del stood[external]
        for exam in understood.exams:
            external = corrections.exam_id(scope, self.source_id, lead, exam.kind)
            if external in stays:
                continue
            kept += self._put_exam(chart, exam, result, stood.pop(external, None), report, external, before.confirmed)
        left: dict[str, LabReport | Exam] = {**standing, **stood}
        rows = [row for external, row in left.items() if external not in self.by_hand]
        gone = not_affirmed(scope, self.source_id, chart, {lead}, rows, result)
        kept += corrections.withdraw_all(scope, self.charts, gone, corrections.GONE)
        if any(problem["kind"] == "refused" for problem in result["problems"]):  # an exam that the chart refuses
            return InboundState.REFUSED if not kept else InboundState.RECORDED
        if not understood.panels and not understood.exams:
            return InboundState.NOTED
        return InboundState.RECORDED if kept else InboundState.DUPLICATE

    def _put(self, chart: Chart, row: Row, panel: ReadPanel, result: Row, old: Any, report: SentReport) -> int:
        """Add a report, or put it in the place of the version that stands; 0 where it says nothing new."""
        before, reason = None, None
        if row["external_id"] in self.by_hand:
            return 0
        if old is not None and old.patient_id != chart.id:
            corrections.withdraw_all(self.scope, self.charts, [old], corrections.MOVED)
        elif old is not None:
            same_lines = panel.panel is not Panel.OTHER or same_others(self.scope, self.reader.codes, old, report)
            if same_lines and corrections.says_the_same(self.scope, old, row, panel):
                return 0
            before, reason = corrections.replace_by(self.scope, self.charts, old, row), corrections.NEWER
        elif there := self.charts.same_on_record(chart, panel, report, row["source"]):
            beside = other_lines(self.reader.codes, [report])
            corrections.take_number(self.scope, self.rows, there.id, row, result, beside)
            note_confirmed(self.scope, result, row["panel"], there.id)
            self.orders.close(chart, row | {"id": there.id}, report)
            return 0
        self.rows.report(row, panel, result, before=before, reason=reason)
        self.orders.close(chart, row, report)
        chart.changed(row["collected_on"])
        chart.added.append(row)
        return 1

    def _put_exam(
        self,
        chart: Chart,
        exam: ReadExam,
        result: Row,
        old: Any,
        report: SentReport,
        external: str,
        confirmed: Confirmed,
    ) -> int:
        if exam.kind is ExamKind.HPV_SCREEN and not chart.has_cervix:
            result["problems"] = [*result["problems"], {"kind": "refused", "message": NO_CERVIX}]
            return 0
        if external in self.by_hand:
            return 0
        row = self.exam_row(chart, exam, report, external)
        before, reason = None, None
        if old is not None and old.patient_id != chart.id:
            corrections.withdraw_all(self.scope, self.charts, [old], corrections.MOVED)
        elif old is not None:
            if (old.outcome, old.performed_on) == (exam.outcome, report.collected_on):
                return 0
            before, reason = corrections.replace_exam_by(self.scope, self.charts, old, row), corrections.NEWER
        elif self.rows.confirms_exam(row, result):
            return 0
        elif (there := corrections.take_exam_number(self.scope, row)) is not None:
            note_confirmed(self.scope, result, row["kind"], there)
            return 0
        elif (was := standing_fact(self.scope, Exam, chart.id, confirmed.get(row["kind"]))) is not None:
            before, reason = corrections.replace_exam_by(self.scope, self.charts, was, row), corrections.NEWER
        self.rows.exam(row, result, before=before, reason=reason)
        chart.rewritten = True
        return 1


def problem_row(_scope: Scope, problem: Doubt) -> Row:
    """What was not understood, as it is kept for the person who looks at it."""
    return {**problem._asdict(), "kind": problem.kind.value}


def _refuse(arrival: Arrival, problem: str) -> None:
    arrival.row["state"] = InboundState.REFUSED.value
    arrival.row["problems"] = [*arrival.row["problems"], {"kind": "refused", "message": problem}]


def _others_of(arrival: Arrival, priors: Priors) -> list[Prior]:
    """The versions that came before, without the arrival itself where it is filed again."""
    return [prior for prior in priors.get(arrival.key, ()) if prior.id != arrival.row.get("id")]


def _version(arrival: Arrival) -> tuple[datetime, int]:
    return version(arrival.report, arrival.row["issued_at"])
