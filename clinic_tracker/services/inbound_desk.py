"""What filing reports of one source needs: its reader, the charts, the rows to be written; and what comes late."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from clinic_tracker.domain.exam_findings import exam_level
from clinic_tracker.domain.lab_entry import ReadPanel
from clinic_tracker.domain.lab_reading import WITHOUT_VALUES, LabReader, ReadExam
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import inbound_corrections as corrections
from clinic_tracker.services.inbound_chart import Arrival, Chart, Charts, Prior
from clinic_tracker.services.inbound_parts import other_parts
from clinic_tracker.services.inbound_rows import Row, Rows, new_fact, new_report


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

    def keep_late(self, chart: Chart, arrival: Arrival, latest: Prior, laboratory: str) -> None:
        """An older version that comes after a newer one is kept on the chart as what it would have become."""
        if arrival.report.state in {*WITHOUT_VALUES, ReportState.CANCELLED} or len(latest.together) > 1:
            return
        if latest.patient_id != chart.id or self.charts.wrong_date(chart, arrival.report):
            return
        standing = corrections.standing_reports(self.scope, self.source_id, {arrival.key})
        for panel in self.reader.understand(arrival.report, chart.sex).panels:
            row = self.lab_row(chart, arrival.key, panel, arrival.report, laboratory)
            newer = standing.get(row["external_id"])
            corrections.put_late(self.scope, row, [newer] if newer is not None else [])
            self.rows.report(row, panel, arrival.row)
            if newer is not None and newer.replaces_id is None:
                self.rows.late.append((newer, row))
