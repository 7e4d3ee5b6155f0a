"""Results that are answered and signed off, as a neurologist does it."""

from datetime import date

from clinic_tracker.domain.lab_entry import TypedPanel, TypedValue
from clinic_tracker.domain.lab_findings import told_once
from clinic_tracker.domain.vocabulary import FindingAction, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.reviewing import Acknowledgement, FollowUpTask
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.lab_reports import record_reports
from clinic_tracker.services.lab_sheets import Sheet
from tests.factories import NORMAL, Chart

RANGES = {
    "wbc": ("4.5", "11"), "neutrophils": ("1.5", "8"), "lymphocytes": ("1", "4.8"), "hemoglobin": ("12", "15.5"),
    "platelets": ("150", "450"), "creatinine": ("0.5", "1.1"), "urine_rbc": ("0", "2"), "urine_wbc": ("0", "5"),
    "tsh": ("0.4", "4.5"), "alt": ("7", "55"), "ast": ("8", "48"), "bilirubin_total": ("0.1", "1.2"),
}  # fmt: skip
WHY = "Known since 2019, stable"


def reports(**where: object) -> list[LabReport]:
    return db.session.query(LabReport).filter_by(**where).populate_existing().order_by(LabReport.id).all()


def exams(**where: object) -> list[Exam]:
    return db.session.query(Exam).filter_by(**where).populate_existing().order_by(Exam.id).all()


def answers(**where: object) -> list[Acknowledgement]:
    return db.session.query(Acknowledgement).filter_by(**where).populate_existing().order_by(Acknowledgement.id).all()


def tasks(**where: object) -> list[FollowUpTask]:
    return db.session.query(FollowUpTask).filter_by(**where).populate_existing().order_by(FollowUpTask.id).all()


def answered(scope: Scope, chart: Chart, report: LabReport, *, signed: bool = True) -> None:
    """Say of every finding of a report that nothing is to be done, and sign it off."""
    rules = dict.fromkeys(item["rule"] for item in told_once(report.findings))
    given = [Answer(rule, FindingAction.NO_ACTION, WHY) for rule in rules]
    acknowledge(scope, chart.id, report.public_id, given, signed=signed)


def printed(chart: Chart, on: date, panel: Panel, **values: str) -> LabReport:
    """A report of a panel with the laboratory's range beside every value."""
    rows = [(code, values.get(code, value), unit, *RANGES[code]) for code, value, unit in NORMAL[panel]]
    typed = TypedPanel(panel, tuple(TypedValue(*row, confirmed=True) for row in rows if row[1]))
    (public_id,) = record_reports(chart.scope, chart.id, Sheet(on, (typed,)))
    return reports(public_id=public_id)[0]
