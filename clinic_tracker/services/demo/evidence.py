"""Laboratory reports and exams of the demonstration."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.vocabulary import ExamKind, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport, LabValue
from clinic_tracker.services.demo.labs import DemoValue

if TYPE_CHECKING:
    from clinic_tracker.services.demo.chart import Chart

MONTHLY = (Panel.CBC_DIFF, Panel.CREATININE, Panel.URINALYSIS_CELLS)
QUARTERLY = (Panel.TSH, Panel.LIVER_PANEL)
_ABNORMAL_PANELS = {
    "platelets": (Panel.CBC_DIFF,),
    "kidney": (Panel.CREATININE, Panel.URINALYSIS_CELLS),
    "tsh": (Panel.TSH,),
    "liver": (Panel.LIVER_PANEL,),
}
_LEFT_OUT = {
    "cbc_diff": ({"neutrophils", "lymphocytes"}, "no differential (neutrophils, lymphocytes)"),
    "urinalysis_cells": ({"urine_rbc", "urine_wbc"}, "no cell counts (dipstick only)"),
}
PAPER_DAY, PAPER_DAYS = 13, 11  # what was drawn on this day of a month came on paper, and was entered days later
_SATURDAY = 5
_DAYS_A_MONTH = 30.4
_QUARTER = 3


class Evidence:
    """Adds the evidence of one chart."""

    def __init__(self, chart: "Chart") -> None:
        self.chart = chart
        self.story = chart.story
        self.waiting: list[tuple[LabReport, list[DemoValue]]] = []

    def screening(self, on: date) -> None:
        """What is screened before the first course."""
        on = min(on, self.chart.today - timedelta(days=2))
        outcomes = {
            ExamKind.TB_SCREEN: "negative",
            ExamKind.VZV_SEROLOGY: "immune",
            ExamKind.HIV_TEST: "negative",
            ExamKind.HEPATITIS_B: "negative",
            ExamKind.HEPATITIS_C: "negative",
        }
        for kind, outcome in outcomes.items():
            self._exam(kind, on, outcome)

    def baseline(self, start: date, number: int, on: date | None = None) -> None:
        """The baseline set inside the 30 days before a course (R-20)."""
        drawn = on or start - timedelta(days=12)
        panels = (*MONTHLY, *QUARTERLY, Panel.UPCR) if number == 1 else (*MONTHLY, *QUARTERLY)
        for panel in panels:
            self._report(panel, drawn, None)
        if number == 1:
            self._exam(ExamKind.SKIN_EXAM, min(start - timedelta(days=20), self.chart.today), "normal")
            if self.chart.body.female:
                self._exam(ExamKind.HPV_SCREEN, min(start - timedelta(days=75), self.chart.today), "negative")
        self._flush()

    def monitoring(self, last_infusion: date, following: date | None) -> None:
        """The monthly draws after a course, until the next one or the end of monitoring."""
        enough_cd4 = False
        for month in range(1, 49):
            due = add_months(last_infusion, month)
            drawn = self._weekday(due + timedelta(days=self._lateness()))
            if (following and due >= following) or drawn >= self._evidence_ends(month):
                break
            months = (drawn - last_infusion).days / _DAYS_A_MONTH
            is_last = add_months(last_infusion, month + 1) >= self.chart.today
            for panel in MONTHLY + (QUARTERLY if month % _QUARTER == 0 else ()):
                self._report(panel, drawn, months, is_last=is_last)
            if is_last and self.story.abnormal in {"tsh", "liver"} and month % _QUARTER:
                self._report(_ABNORMAL_PANELS[self.story.abnormal][0], drawn, months, is_last=True)
            if month > 1 and not enough_cd4:
                enough_cd4 = self._cd4(drawn, months)
        self._flush()

    def yearly(self, first_infusion: date, end: date) -> None:
        """Skin exams and HPV screens, one year after the other."""
        kinds = [(ExamKind.SKIN_EXAM, "normal", 20)]
        if self.chart.body.female:
            kinds.append((ExamKind.HPV_SCREEN, "negative", 75))
        for kind, outcome, before in kinds:
            due = add_months(first_infusion - timedelta(days=before), 12)
            late = self.story.skin_late and kind == ExamKind.SKIN_EXAM
            limit = min(self._silence(), self.chart.today - timedelta(days=200 if late else 1))
            while due < min(limit, end):
                on = self._weekday(due + timedelta(days=self.chart.random.randint(-20, 8)))
                if on >= limit:
                    break
                self._exam(kind, on, outcome)
                due = add_months(on, 12)

    def _lateness(self) -> int:
        """Days after the due date of a draw: mostly about the day, now and then a week or two late."""
        late = self.chart.random.random() < 0.06  # noqa: PLR2004
        return self.chart.random.randint(8, 15) if late else self.chart.random.randint(-4, 4)

    def _silence(self) -> date:
        return self.chart.silent_from

    def _evidence_ends(self, _month: int) -> date:
        return min(self._silence(), self.chart.today)

    def _weekday(self, day: date) -> date:
        return day + timedelta(days=7 - day.weekday()) if day.weekday() >= _SATURDAY else day

    def _cd4(self, drawn: date, months: float) -> bool:
        report = self._report(Panel.CD4, drawn, months)
        number = report[1][0].number
        return number is not None and number >= 200  # noqa: PLR2004 - the stop rule of the label

    def _exam(self, kind: ExamKind, on: date, outcome: str) -> None:
        self.chart.fact(Exam, on, kind=kind.value, performed_on=on, outcome=outcome, examiner="")

    def _report(
        self, panel: Panel, drawn: date, months: float | None, *, is_last: bool = False
    ) -> tuple[LabReport, list[DemoValue]]:
        abnormal = self.story.abnormal if is_last else None
        values = self.chart.body.panel(panel, months, abnormal)
        missing = None
        if is_last and self.story.incomplete == panel:
            left_out, missing = _LEFT_OUT[panel]
            values = [value for value in values if value.analyte not in left_out]
        to_review = is_last and (self.story.unreviewed or missing is not None)
        arrived = drawn + timedelta(days=PAPER_DAYS if drawn.day == PAPER_DAY else 1)
        report = self.chart.fact(
            LabReport,
            arrived,
            panel=panel.value,
            collected_on=drawn,
            collected_at=self.chart.at(drawn, 8, 30),
            is_complete=missing is None,
            missing=missing,
            laboratory="LabCorp" if self.chart.patient.protocol_id == "lemtrada-us" else "Hospital laboratory",
            reviewed_by_id=None if to_review else self.chart.cast.neurologist,
            reviewed_at=None if to_review else min(self.chart.at(arrived, 17, 10), self.chart.scope.now),
        )
        self.waiting.append((report, values))
        return report, values

    def _flush(self) -> None:
        """Write the reports, then their values."""
        db.session.flush()
        for report, values in self.waiting:
            db.session.add_all(
                LabValue(
                    clinic_id=report.clinic_id,
                    lab_report_id=report.id,
                    **value._asdict(),
                    flag=_flag(value),
                )
                for value in values
            )
        self.waiting.clear()


def _flag(value: DemoValue) -> str | None:
    if value.number is None:
        return None
    if value.low is not None and value.number < value.low:
        return "L"
    if value.high is not None and value.number > value.high:
        return "H"
    return None
