"""The facts of an imported history, recorded in a chart that does not hold them yet."""

import uuid
from datetime import date
from typing import Any

from sqlalchemy import insert, select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import FactState, MonitoringDecisionKind, Panel, ResultStatus
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport, LabValue, MonitoringDecision, Waiver
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.services.history_chart import NOT_STATED, VIA, ImportChart
from clinic_tracker.services.history_courses import CourseImport

_PANELS = frozenset(Panel) - {Panel.UPCR, Panel.OTHER}


class FactImport:
    """Adds the facts of one history to a chart."""

    def __init__(self, chart: ImportChart) -> None:
        self.chart = chart
        self.history = chart.history

    def record(self) -> int:
        """Record everything that is missing; the number of facts added."""
        courses = CourseImport(self.chart).record()
        self._labs()
        self._exams()
        self._forms(courses)
        self._waivers()
        self._decisions(courses)
        return self.chart.added

    def _labs(self) -> None:
        on_file = self.chart.on_file(
            LabReport.panel, LabReport.title, LabReport.collected_on, LabReport.result_status, LabReport.state
        )
        missing = self.chart.missing(self.history.labs, _lab_key, on_file)
        reports = [self._report(lab) for lab in missing]
        self.chart.insert(LabReport, reports)
        numbers = {
            report["public_id"]: lab.value
            for lab, report in zip(missing, reports, strict=True)
            if lab.test == Panel.CD4 and lab.value is not None
        }
        self._cd4_counts(numbers)

    def _cd4_counts(self, numbers: dict[uuid.UUID, float]) -> None:
        """The counts of the reports just added, by the public id of the report."""
        if not numbers:
            return
        reports = db.session.execute(select(LabReport.id, LabReport.public_id).where(LabReport.public_id.in_(numbers)))
        values = [
            {
                "clinic_id": self.chart.scope.clinic_id,
                "lab_report_id": key,
                "analyte": Panel.CD4.value,
                "number": numbers[public_id],
                "unit": "/uL",
            }
            for key, public_id in reports
        ]
        db.session.execute(insert(LabValue), values)

    def _report(self, lab: Any) -> dict[str, Any]:
        panel, title, collected_on, status, state = _lab_key(lab)
        withdrawn = state == FactState.ENTERED_IN_ERROR
        return self.chart.fact(
            public_id=uuid.uuid4(),
            panel=panel,
            title=title,
            collected_on=collected_on,
            result_status=status,
            state=state,
            withdrawn_at=self.chart.scope.now if withdrawn else None,
            withdrawn_reason="Entered in error before the import" if withdrawn else None,
            source=VIA,
            is_complete=True,
            reviewed_at=self.chart.scope.now,
            review_note="Imported: reviewed before this tracker was in use, or not at all",
        )

    def _exams(self) -> None:
        on_file = self.chart.on_file(Exam.kind, Exam.performed_on)
        wanted = [(exam.kind, date.fromordinal(exam.on)) for exam in self.history.exams]
        missing = self.chart.missing(wanted, tuple, on_file)
        self.chart.insert(
            Exam, [self.chart.fact(kind=kind, performed_on=on, outcome="not stated") for kind, on in missing]
        )

    def _forms(self, courses: dict[int, TreatmentCourse]) -> None:
        on_file = self.chart.on_file(FormSubmission.kind, FormSubmission.submitted_on, FormSubmission.course_id)
        wanted = []
        for place, form in enumerate(self.history.forms):
            course = courses.get(form.course) if form.course is not None else None
            if form.course is not None and course is None:
                message = f"There is no course {form.course} in this history or on the chart."
                raise RuleViolation("course", f"forms[{place}].course", message)
            wanted.append((form.kind, date.fromordinal(form.submitted), course.id if course else None))
        missing = self.chart.missing(wanted, tuple, on_file)
        self.chart.insert(
            FormSubmission,
            [self.chart.fact(kind=kind, submitted_on=on, course_id=course, answers={}) for kind, on, course in missing],
        )

    def _waivers(self) -> None:
        on_file = self.chart.on_file(Waiver.requirement, Waiver.from_on, Waiver.to_on)
        wanted = [
            (waiver.requirement, date.fromordinal(waiver.from_day), date.fromordinal(waiver.to_day))
            for waiver in self.history.waivers
        ]
        missing = self.chart.missing(wanted, tuple, on_file)
        self.chart.insert(
            Waiver,
            [
                self.chart.fact(requirement=code, from_on=from_on, to_on=to_on, reason=NOT_STATED)
                for code, from_on, to_on in missing
            ],
        )

    def _decisions(self, courses: dict[int, TreatmentCourse]) -> None:
        table = MonitoringDecision
        on_file = self.chart.on_file(table.kind, table.course_id, table.extended_to)
        wanted: list[tuple[str, int | None, date | None]] = [
            (MonitoringDecisionKind.EXTENDED.value, courses[course.number].id, _date(course.monitoring_extended_to))
            for course in self.history.courses
            if course.monitoring_extended_to is not None
        ]
        for kind, course_id, extended_to in self.chart.missing(wanted, tuple, on_file):
            self.chart.insert(table, [self._decision(kind, self._decided_on(course_id), course_id, extended_to)])
        closed_on = _date(self.history.monitoring_closed_on)
        if (
            closed_on is not None
            and not self.chart.on_file(table.kind, table.decided_on)[(MonitoringDecisionKind.CLOSED.value, closed_on)]
        ):
            self.chart.insert(table, [self._decision(MonitoringDecisionKind.CLOSED.value, closed_on, None, None)])

    def _decided_on(self, course_id: int | None) -> date:
        """The history does not say when an extension was decided: the course's last infusion, or today."""
        last = db.session.execute(
            select(Infusion.infused_on)
            .where(Infusion.course_id == course_id, Infusion.state == FactState.RECORDED.value)
            .order_by(Infusion.infused_on.desc())
            .limit(1)
        ).scalar_one_or_none()
        return last or self.chart.scope.today

    def _decision(self, kind: str, decided_on: date, course_id: int | None, extended_to: date | None) -> dict[str, Any]:
        return self.chart.fact(
            kind=kind, decided_on=decided_on, course_id=course_id, extended_to=extended_to, reason=NOT_STATED
        )


def _lab_key(lab: Any) -> tuple[str, str | None, date, str, str]:
    """Panel, title, date, result status and state of a report as it is stored."""
    known = lab.test in _PANELS
    in_error = lab.status == ResultStatus.ENTERED_IN_ERROR
    return (
        lab.test if known else Panel.OTHER.value,
        None if known else lab.test,
        date.fromordinal(lab.collected),
        ResultStatus.FINAL.value if in_error else str(lab.status),
        FactState.ENTERED_IN_ERROR.value if in_error else FactState.RECORDED.value,
    )


def _date(day: int | None) -> date | None:
    return date.fromordinal(day) if day is not None else None
