"""The infusion days of an imported history: those on the chart stay, and the missing ones take their place by date."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import inspect, select

from clinic_tracker.domain.dosing import InfusionDay, Regimen
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.history_json import GivenInfusion
from clinic_tracker.domain.imported_history import day_numbers
from clinic_tracker.domain.infusion_day import InfusionContext, check_infusion
from clinic_tracker.domain.notes import Note, Verdict
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, InfusionPause, TreatmentCourse
from clinic_tracker.queries.baseline import enrolled_on
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.day_parts import Parts, parts_of
from clinic_tracker.services.deviations import Reasons, record_deviation
from clinic_tracker.services.facts import supersede
from clinic_tracker.services.history_chart import NOT_STATED, VIA, ImportChart
from clinic_tracker.services.infusion_moves import NOT_COPIED, move_parts
from clinic_tracker.services.infusion_rules import Day, account_for, entry_of

NUMBERED_ANEW = "Numbered anew: an imported history holds an earlier day of this course"
_OWN = NOT_COPIED | {"state", "replaces_id", "withdrawn_by_id", "withdrawn_at", "withdrawn_reason"}


class DayImport:
    """Adds the infusions that the chart does not hold yet. ``courses`` are those of the chart, by number."""

    def __init__(self, chart: ImportChart, courses: Mapping[int, TreatmentCourse], regimen: Regimen) -> None:
        self.chart = chart
        self.scope = chart.scope
        self.courses = courses
        self.by_id = {course.id: course for course in courses.values()}
        self.regimen = regimen
        rows = [] if chart.is_new else self._rows()
        self.standing = [row for row in rows if row.state == FactState.RECORDED.value]
        self.put_right = {
            (row.course_id, row.started_at) for row in rows if row.state != FactState.RECORDED.value
        }  # an import does not bring back what somebody corrected or marked as entered in error
        self.added: list[Infusion] = []
        self.numbered_anew: list[Infusion] = []

    def record(self) -> None:
        """Record the missing days. RuleViolation where the history and the chart cannot both be true."""
        missing = {
            fact.number: self._missing(place, fact.number) for place, fact in enumerate(self.chart.history.courses)
        }
        for number, days in missing.items():
            if days:
                self._add(self.courses[number], days)
        if self.added:
            self._check_order()
            self._tell_deviations()

    def _rows(self) -> list[Infusion]:
        statement = select(Infusion).where(
            Infusion.clinic_id == self.scope.clinic_id, Infusion.patient_id == self.chart.patient.id
        )
        return list(db.session.execute(statement.execution_options(populate_existing=True)).scalars())

    def _missing(self, place: int, number: int) -> list[GivenInfusion]:
        """The days of a course in the history that the chart does not hold."""
        course = self.courses[number]
        on_chart = {row.infused_on: row for row in self.standing}
        missing = []
        for given in self.chart.imported.infusions[number]:
            row = on_chart.get(given.on)
            if row is not None and (row.course_id, row.started_at) == (course.id, given.started_at):
                continue
            if (course.id, given.started_at) in self.put_right:
                continue
            if row is not None:
                message = f"The chart has another infusion on {given.on.isoformat()}."
                raise RuleViolation("infusion", f"courses[{place}].infusions", message)
            missing.append(given)
        return missing

    def _add(self, course: TreatmentCourse, days: list[GivenInfusion]) -> None:
        own = sorted((row for row in self.standing if row.course_id == course.id), key=_date, reverse=True)
        numbers = day_numbers({row.infused_on: row.day_number for row in own}, [given.on for given in days])
        for row in own:  # the last day first: it makes room for the one before
            if row.day_number != numbers[row.infused_on]:
                self._number_anew(row, numbers[row.infused_on])
        for given in days:
            self._infusion(course, numbers[given.on], given)

    def _number_anew(self, row: Infusion, number: int) -> None:
        """Correct the day number of an infusion on the chart; all that belongs to it follows."""
        before = audit.snapshot(row)
        columns = [column.key for column in inspect(Infusion).column_attrs if column.key not in _OWN]
        values: dict[str, Any] = {name: getattr(row, name) for name in columns}
        values |= {"day_number": number, "recorded_by_id": self.scope.user_id, "recorded_at": self.scope.now}
        new = supersede(self.scope, row, Infusion(**values), NUMBERED_ANEW)
        move_parts(self.scope, row, new, timedelta())
        audit.record(self.scope, AuditAction.INFUSION_CORRECTED, new, before=before, reason=NUMBERED_ANEW)
        self.standing[self.standing.index(row)] = new
        self.numbered_anew.append(new)

    def _infusion(self, course: TreatmentCourse, day: int, given: GivenInfusion) -> None:
        zone = self.chart.imported.time_zone
        infusion = Infusion(
            **self.chart.fact(
                course_id=course.id,
                day_number=day,
                infused_on=given.on,
                time_zone=zone if zone != self.scope.time_zone else None,
                started_at=given.started_at,
                ended_at=given.ended_at,
                observation_minutes=self.regimen.observation_min,
                is_back_entry=True,
            )
        )
        db.session.add(infusion)
        db.session.flush()
        self.chart.added += 1
        self.chart.insert(InfusionPause, [self._pause(infusion, pause) for pause in given.pauses])
        self.added.append(infusion)

    def _pause(self, infusion: Infusion, pause: tuple[Any, Any]) -> dict[str, Any]:
        return {
            "clinic_id": self.scope.clinic_id,
            "infusion_id": infusion.id,
            "paused_at": pause[0],
            "resumed_at": pause[1],
            "recorded_by_id": self.scope.user_id,
            "recorded_at": self.scope.now,
        }

    def _check_order(self) -> None:
        """The courses still follow each other, those of the chart and those of the history."""
        given = sorted((self.by_id[row.course_id].number, row.infused_on) for row in [*self.standing, *self.added])
        places = {fact.number: place for place, fact in enumerate(self.chart.history.courses)}
        for (number, last), (following, first) in pairwise(given):
            if number < following and first <= last:
                named = following if following in places else number
                field = f"courses[{places[named]}].infusions" if named in places else "courses"
                message = f"With the chart, course {following} would begin before the end of course {number}."
                raise RuleViolation("course_order", field, message)

    def _tell_deviations(self) -> None:
        """Departures from the protocol: of the days added, and what they change in those on the chart.

        A day is judged by the added ones before it, and tells of the gap before it: each gap is told once.
        """
        for row in sorted(self.added, key=_date):
            earlier = [one for one in [*self.standing, *self.added] if one.infused_on < row.infused_on]
            for note in self._deviations(row, earlier):
                record_deviation(
                    self.scope,
                    self.chart.patient.id,
                    note,
                    NOT_STATED,
                    row.infused_on,
                    course_id=row.course_id,
                    infusion_id=row.id,
                )
        for row in self.standing:
            others = [one for one in self.standing if one is not row]
            earlier = [one for one in self.added if one.infused_on < row.infused_on]
            before, after = self._deviations(row, others), self._deviations(row, [*others, *earlier])
            if before != after or row in self.numbered_anew:
                self._account(row, before, after)

    def _account(self, row: Infusion, before: tuple[Note, ...], after: tuple[Note, ...]) -> None:
        """Bring the deviations of a day on the chart in line; history is taken as it happened, and nobody is asked."""
        told = Verdict(tuple(note._replace(needs_prescriber=False) for note in after))
        day = Day(self.chart.patient, self.by_id[row.course_id], row)
        account_for(self.scope, day, told, Reasons(NOT_STATED), {note.message for note in before})

    def _deviations(self, row: Infusion, others: Iterable[Infusion]) -> tuple[Note, ...]:
        """What the rules would have questioned on this day beside the others; history is never refused."""
        course = self.by_id[row.course_id]
        is_added = row in self.added
        parts = Parts() if is_added else parts_of(self.scope, row)
        entry = entry_of(self.scope, Day(self.chart.patient, course, row), parts)
        context = InfusionContext(
            recorded=tuple(
                InfusionDay(self.by_id[one.course_id].number, one.day_number, one.infused_on) for one in others
            ),
            enrolled_on=None if is_added else enrolled_on(self.scope, self.chart.patient.id, row.infused_on),
            now=self.scope.now,
            zone_name=row.time_zone or self.scope.time_zone,
            imported=row.recorded_via == VIA,
        )
        regimen = replace(
            self.regimen,
            observation_min=row.observation_minutes,
            **{"course_days_first" if course.number == 1 else "course_days_further": course.planned_days},
        )
        return check_infusion(entry, context, regimen).deviations


def _date(row: Infusion) -> date:
    return row.infused_on
