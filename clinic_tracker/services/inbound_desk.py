"""What filing reports of one source needs: its reader, the charts, the rows to be written; and what comes late."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from clinic_tracker.domain.exam_findings import exam_level
from clinic_tracker.domain.lab_entry import ReadPanel
from clinic_tracker.domain.lab_merging import merged, version
from clinic_tracker.domain.lab_reading import WITHOUT_VALUES, LabReader, ReadExam, Understood
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.domain.vocabulary import ExamKind, InboundState
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import inbound_corrections as corrections
from clinic_tracker.services.inbound_chart import Arrival, Chart, Charts, Prior
from clinic_tracker.services.inbound_confirmed import standing_fact
from clinic_tracker.services.inbound_parts import other_parts
from clinic_tracker.services.inbound_rows import Row, Rows, new_fact, new_report, note_confirmed


@dataclass(slots=True)
class Desk:
    """One source, and where its reports are put. ``rows`` are written by the caller."""

    scope: Scope
    source_id: int
    via: str
    reader: LabReader
    charts: Charts
    rows: Rows

    def lab_row(self, chart: Chart, lead: str, panel: ReadPanel, report: SentReport, laboratory: str) -> Row:
        """The columns of a report on a chart."""
        fact = new_fact(self.scope, chart.id, self.via)
        source = corrections.source_name(self.scope, self.source_id)
        named = {"source": source, "external_id": f"{lead}:{panel.panel.value}", "laboratory": laboratory or None}
        return new_report(self.scope, fact | named, panel, report)

    def exam_row(self, chart: Chart, exam: ReadExam, report: SentReport, external: str) -> Row:
        """The columns of an exam on a chart."""
        return {
            **new_fact(self.scope, chart.id, self.via),
            "kind": exam.kind.value,
            "performed_on": report.collected_on,
            "outcome": exam.outcome,
            "examiner": None,
            "method": exam.method or None,
            "note": None,
            "external_id": external,
            "worst_level": exam_level(exam.kind.value, exam.outcome),
            "form_token": None,
        }

    def others(self, keys: Sequence[str], but: Collection[str]) -> list[SentReport]:
        """The newest versions of the other parts of a panel, as they were sent."""
        return other_parts(self.scope, self.source_id, keys, but)

    def keep_late(self, chart: Chart, arrival: Arrival, latest: Prior, priors: Sequence[Prior], lab: str) -> None:
        """An older version that comes after a newer one is kept on the chart as what it would have become.

        A part of a panel is kept with the other parts as they are now.
        """
        if arrival.report.state in {*WITHOUT_VALUES, ReportState.CANCELLED}:
            return
        if latest.patient_id != chart.id or self.charts.wrong_date(chart, arrival.report):
            return
        understood, lead = self.reader.understand(arrival.report, chart.sex), latest.together[0]
        standing = corrections.standing_reports(self.scope, self.source_id, {lead})
        for panel, report in self._with_others(chart, arrival, latest, understood):
            row = self.lab_row(chart, lead, panel, report, lab)
            elsewhere = standing_fact(self.scope, LabReport, chart.id, latest.confirmed.get(row["panel"]))
            stands = standing.get(row["external_id"])
            self._end(row, stands, elsewhere, latest)
            self.rows.report(row, panel, arrival.row)
            same_day = latest.sent.collected_on == arrival.report.collected_on
            if (
                stands is not None
                and same_day
                and all(_is_newer(arrival, one) for one in priors if one.id != latest.id)
            ):
                self._lend(chart, stands, panel, latest, lab)
        stood = corrections.standing_exams(self.scope, self.source_id, {lead}) if understood.exams else {}
        for exam in understood.exams:
            if exam.kind is not ExamKind.HPV_SCREEN or chart.has_cervix:
                external = corrections.exam_id(self.scope, self.source_id, lead, exam.kind)
                row = self.exam_row(chart, exam, arrival.report, external)
                self._late_exam(chart, arrival, row, stood.get(external), latest, priors)

    def _lend(self, chart: Chart, stands: LabReport, older: ReadPanel, latest: Prior, lab: str) -> None:
        """Let values of an older version count on where nobody can read the newest, as if they had come in order."""
        understood = self.reader.understand(latest.sent, chart.sex)
        newest = next((one for one in understood.panels if one.panel is older.panel), None)
        lent = [value for value in older.values if value.analyte in understood.unread]
        if newest is None or not lent or len(latest.together) > 1:
            return
        values = (*newest.values, *lent)
        analytes = [value.analyte for value in values]
        missing = self.reader.catalog.missing_for_complete(newest.panel, analytes, newest.problem)
        panel = newest._replace(values=values, missing=missing)
        row = self.lab_row(chart, latest.together[0], panel, latest.sent, lab)
        if not corrections.says_the_same(self.scope, stands, row, panel):
            before = corrections.replace_by(self.scope, self.charts, stands, row)
            self.rows.report(row, panel, {"id": latest.id}, before=before, reason=corrections.NEWER)

    def _with_others(
        self, chart: Chart, arrival: Arrival, latest: Prior, understood: Understood
    ) -> list[tuple[ReadPanel, SentReport]]:
        """The panels of an older version, with what the other parts of them say now."""
        own = {panel.panel for panel in understood.panels}
        others = self.others(latest.together, {arrival.key}) if own else []
        if not others:
            return [(panel, arrival.report) for panel in understood.panels]
        report = merged([arrival.report, *others])
        return [(one, report) for one in self.reader.understand(report, chart.sex).panels if one.panel in own]

    def _late_exam(
        self, chart: Chart, arrival: Arrival, row: Row, stands: Exam | None, latest: Prior, priors: Sequence[Prior]
    ) -> None:
        """Keep an exam of an older version as replaced; or as what counts until the newest one says what is true."""
        before, reason = None, None
        open_still = ExamKind(row["kind"]) in self.reader.understand(latest.sent, chart.sex).unsettled
        brought = next((one for one in priors if stands is not None and one.id == stands.inbound_result_id), None)
        if open_still and stands is None:
            if self._same_exam(row, arrival.row):
                arrival.row["state"] = InboundState.DUPLICATE.value
                return
            arrival.row["state"], chart.rewritten = InboundState.RECORDED.value, True
        elif open_still and stands is not None and brought is not None and _is_newer(arrival, brought):
            before, reason = corrections.replace_exam_by(self.scope, self.charts, stands, row), corrections.NEWER
            arrival.row["state"] = InboundState.RECORDED.value
        else:
            elsewhere = standing_fact(self.scope, Exam, chart.id, latest.confirmed.get(row["kind"]))
            self._end(row, stands, elsewhere, latest)
        self.rows.exam(row, arrival.row, before=before, reason=reason)

    def _same_exam(self, row: Row, result: Row) -> bool:
        """Whether the same exam stands already; it is noted with the result."""
        if self.rows.confirms_exam(row, result):
            return True
        there = corrections.take_exam_number(self.scope, row)
        if there is not None:
            note_confirmed(self.scope, result, row["kind"], there)
        return there is not None

    def _end(
        self, late: Row, stands: LabReport | Exam | None, elsewhere: LabReport | Exam | None, latest: Prior
    ) -> None:
        """Let a row that came late say what it would be had it come first, and be what its newer version replaced."""
        taken_back = latest.sent.state in (ReportState.CANCELLED, ReportState.REJECTED)
        corrections.put_late(self.scope, late, replaced=bool(stands or elsewhere), taken_back=taken_back)
        if stands is not None and stands.replaces_id is None and stands.recorded_via == self.via:
            self.rows.late.append((stands, late))


def _is_newer(arrival: Arrival, prior: Prior) -> bool:
    return version(arrival.report, arrival.row["issued_at"]) > version(prior.sent, prior.issued_at)
