"""The facts of an imported history, recorded in a chart that does not hold them yet."""

import uuid
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import date
from typing import Any

from sqlalchemy import insert, select

from clinic_tracker.domain.dosing import InfusionDay, Regimen, planned_days
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.imported_history import GivenInfusion, ImportedHistory
from clinic_tracker.domain.infusion_day import InfusionContext, InfusionEntry, check_infusion
from clinic_tracker.domain.vocabulary import FactState, MonitoringDecisionKind, Panel, ResultStatus
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport, LabValue, MonitoringDecision, Waiver
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, InfusionPause, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.services.deviations import record_deviation

VIA = "history import"
NOT_STATED = "Not stated in the imported history"
_PANELS = frozenset(Panel) - {Panel.UPCR, Panel.OTHER}


class FactRecorder:
    """Adds the facts of one history that the chart does not hold yet."""

    def __init__(self, scope: Scope, patient: Patient, imported: ImportedHistory, *, is_new: bool) -> None:
        self.scope = scope
        self.is_new = is_new
        self.patient = patient
        self.imported = imported
        self.history = imported.history
        self.added = 0

    def record(self) -> int:
        """Record everything; the number of facts added."""
        courses = self._courses()
        self._labs()
        self._exams()
        self._forms(courses)
        self._waivers()
        self._decisions(courses)
        return self.added

    def _fact(self, **values: Any) -> dict[str, Any]:
        return {
            "clinic_id": self.scope.clinic_id,
            "patient_id": self.patient.id,
            "recorded_by_id": self.scope.user_id,
            "recorded_via": VIA,
            "recorded_at": self.scope.now,
            **values,
        }

    def _on_file(self, *columns: Any) -> Counter[tuple[Any, ...]]:
        """The facts of one table that stand or were entered in error here, counted by their natural key."""
        if self.is_new:
            return Counter()
        table = columns[0].class_
        rows = db.session.execute(
            select(*columns).where(
                table.patient_id == self.patient.id,
                table.clinic_id == self.scope.clinic_id,
                table.state != FactState.CORRECTED.value,
            )
        )
        return Counter(tuple(row) for row in rows)

    def _insert(self, model: Any, rows: list[dict[str, Any]]) -> None:
        self.added += len(rows)
        if rows:
            db.session.execute(insert(model), rows)

    def _courses(self) -> dict[int, TreatmentCourse]:
        on_file = {
            course.number: course
            for course in db.session.execute(
                select(TreatmentCourse).where(TreatmentCourse.patient_id == self.patient.id)
            ).scalars()
        }
        regimen = Regimen.from_settings(
            {
                name: setting.value
                for name, setting in protocol_in_force(self.scope, self.history.protocol).settings.items()
            }
        )
        given: list[InfusionDay] = []
        for fact in sorted(self.history.courses, key=lambda course: course.number):
            infusions = self.imported.infusions[fact.number]
            course = on_file.get(fact.number)
            if course is None:
                course = on_file[fact.number] = self._course(fact.number, planned_days(fact.number, regimen), infusions)
            for day, infusion in enumerate(infusions, start=1):
                self._infusion(course, day, infusion, given, regimen)
                given.append(InfusionDay(fact.number, day, infusion.on))
        return on_file

    def _course(self, number: int, days: int, infusions: tuple[GivenInfusion, ...]) -> TreatmentCourse:
        course = TreatmentCourse(
            clinic_id=self.scope.clinic_id,
            patient_id=self.patient.id,
            number=number,
            planned_days=days,
            planned_start_on=infusions[0].on if infusions else None,
            planned_by_id=self.scope.user_id,
            planned_at=self.scope.now,
        )
        db.session.add(course)
        db.session.flush()
        self.added += 1
        return course

    def _infusion(
        self, course: TreatmentCourse, day: int, given: GivenInfusion, before: list[InfusionDay], regimen: Regimen
    ) -> None:
        on_file = (
            None
            if self.is_new
            else db.session.execute(
                select(Infusion).where(
                    Infusion.patient_id == self.patient.id,
                    Infusion.infused_on == given.on,
                    Infusion.state == FactState.RECORDED.value,
                )
            ).scalar_one_or_none()
        )
        if on_file is not None:
            if on_file.course_id != course.id or on_file.started_at != given.started_at:
                raise RuleViolation("infusion", "courses", f"The chart has another infusion on {given.on.isoformat()}.")
            return
        infusion = Infusion(
            **self._fact(
                course_id=course.id,
                day_number=day,
                infused_on=given.on,
                time_zone=self.imported.time_zone if self.imported.time_zone != self.scope.time_zone else None,
                started_at=given.started_at,
                ended_at=given.ended_at,
                observation_minutes=regimen.observation_min,
                is_back_entry=True,
            )
        )
        db.session.add(infusion)
        db.session.flush()
        self.added += 1
        self._insert(InfusionPause, [self._pause(infusion, pause) for pause in given.pauses])
        self._deviations(course, infusion, before, regimen)

    def _pause(self, infusion: Infusion, pause: tuple[Any, Any]) -> dict[str, Any]:
        return {
            "clinic_id": self.scope.clinic_id,
            "infusion_id": infusion.id,
            "paused_at": pause[0],
            "resumed_at": pause[1],
            "recorded_by_id": self.scope.user_id,
            "recorded_at": self.scope.now,
        }

    def _deviations(
        self, course: TreatmentCourse, infusion: Infusion, before: list[InfusionDay], regimen: Regimen
    ) -> None:
        """Record as deviations what the rules would have questioned; history is never refused."""
        entry = InfusionEntry(
            course=course.number,
            day_number=infusion.day_number,
            infused_on=infusion.infused_on,
            dose_mg=regimen.dose_mg,
            started_at=infusion.started_at,
            ended_at=infusion.ended_at,
        )
        context = InfusionContext(
            recorded=tuple(before),
            enrolled_on=None,
            now=self.scope.now,
            zone_name=self.scope.time_zone,
            imported=True,
        )
        for note in check_infusion(entry, context, regimen).deviations:
            record_deviation(
                self.scope,
                self.patient.id,
                note,
                NOT_STATED,
                infusion.infused_on,
                course_id=course.id,
                infusion_id=infusion.id,
            )

    def _missing(self, wanted: Iterable[Any], key: Any, on_file: Counter[tuple[Hashable, ...]]) -> list[Any]:
        """The facts beyond those on file: two alike in the history want two alike on file."""
        left = Counter(on_file)
        missing = []
        for item in wanted:
            if left[key(item)] > 0:
                left[key(item)] -= 1
            else:
                missing.append(item)
        return missing

    def _labs(self) -> None:
        on_file = self._on_file(
            LabReport.panel, LabReport.title, LabReport.collected_on, LabReport.result_status, LabReport.state
        )
        missing = self._missing(self.history.labs, _lab_key, on_file)
        reports = [self._report(lab) for lab in missing]
        self._insert(LabReport, reports)
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
                "clinic_id": self.scope.clinic_id,
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
        return self._fact(
            public_id=uuid.uuid4(),
            panel=panel,
            title=title,
            collected_on=collected_on,
            result_status=status,
            state=state,
            withdrawn_at=self.scope.now if withdrawn else None,
            withdrawn_reason="Entered in error before the import" if withdrawn else None,
            source=VIA,
            is_complete=True,
            reviewed_at=self.scope.now,
            review_note="Imported: reviewed before this tracker was in use, or not at all",
        )

    def _exams(self) -> None:
        on_file = self._on_file(Exam.kind, Exam.performed_on)
        wanted = [(exam.kind, date.fromordinal(exam.on)) for exam in self.history.exams]
        missing = self._missing(wanted, tuple, on_file)
        self._insert(Exam, [self._fact(kind=kind, performed_on=on, outcome="not stated") for kind, on in missing])

    def _forms(self, courses: dict[int, TreatmentCourse]) -> None:
        on_file = self._on_file(FormSubmission.kind, FormSubmission.submitted_on, FormSubmission.course_id)
        wanted = []
        for form in self.history.forms:
            course = courses.get(form.course) if form.course is not None else None
            if form.course is not None and course is None:
                raise RuleViolation("course", "forms", f"There is no course {form.course} in this history.")
            wanted.append((form.kind, date.fromordinal(form.submitted), course.id if course else None))
        missing = self._missing(wanted, tuple, on_file)
        self._insert(
            FormSubmission,
            [self._fact(kind=kind, submitted_on=on, course_id=course, answers={}) for kind, on, course in missing],
        )

    def _waivers(self) -> None:
        on_file = self._on_file(Waiver.requirement, Waiver.from_on, Waiver.to_on)
        wanted = [
            (waiver.requirement, date.fromordinal(waiver.from_day), date.fromordinal(waiver.to_day))
            for waiver in self.history.waivers
        ]
        missing = self._missing(wanted, tuple, on_file)
        self._insert(
            Waiver,
            [
                self._fact(requirement=code, from_on=from_on, to_on=to_on, reason=NOT_STATED)
                for code, from_on, to_on in missing
            ],
        )

    def _decisions(self, courses: dict[int, TreatmentCourse]) -> None:
        table = MonitoringDecision
        on_file = self._on_file(table.kind, table.course_id, table.extended_to)
        wanted: list[tuple[str, int | None, date | None]] = [
            (MonitoringDecisionKind.EXTENDED.value, courses[course.number].id, _date(course.monitoring_extended_to))
            for course in self.history.courses
            if course.monitoring_extended_to is not None
        ]
        for kind, course_id, extended_to in self._missing(wanted, tuple, on_file):
            self._insert(table, [self._decision(kind, self._decided_on(course_id), course_id, extended_to)])
        closed_on = _date(self.history.monitoring_closed_on)
        if (
            closed_on is not None
            and not self._on_file(table.kind, table.decided_on)[(MonitoringDecisionKind.CLOSED.value, closed_on)]
        ):
            self._insert(table, [self._decision(MonitoringDecisionKind.CLOSED.value, closed_on, None, None)])

    def _decided_on(self, course_id: int | None) -> date:
        """The history does not say when an extension was decided: the course's last infusion, or today."""
        last = db.session.execute(
            select(Infusion.infused_on)
            .where(Infusion.course_id == course_id, Infusion.state == FactState.RECORDED.value)
            .order_by(Infusion.infused_on.desc())
            .limit(1)
        ).scalar_one_or_none()
        return last or self.scope.today

    def _decision(self, kind: str, decided_on: date, course_id: int | None, extended_to: date | None) -> dict[str, Any]:
        return self._fact(
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
