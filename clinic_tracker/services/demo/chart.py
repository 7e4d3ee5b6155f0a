"""The chart of one patient of the demonstration, told from a story."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.vocabulary import FormKind, FormMethod, MonitoringDecisionKind, OutreachChannel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission, MonitoringDecision, Waiver
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.treatment import Authorization, CourseFollowUp, Prophylaxis, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.demo.evidence import Evidence
from clinic_tracker.services.demo.infusions import InfusionDays, started
from clinic_tracker.services.demo.labs import Physiology
from clinic_tracker.services.demo.stories import Story

FIRST_COURSE_DAYS, FURTHER_COURSE_DAYS = 5, 3
MONITORING_MONTHS = 48
_FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Cast:
    """Keys of the people of a clinic: who records, who reviews, who prescribes."""

    staff: int
    neurologist: int
    prescribers: tuple[int, ...]


class Chart:
    """Adds the facts of one story to the session; dates count back from the day of the scope."""

    def __init__(self, scope: Scope, cast: Cast, patient: Patient, story: Story, random: Random) -> None:
        self.scope = scope
        self.cast = cast
        self.patient = patient
        self.story = story
        self.random = random
        self.zone, self.today = ZoneInfo(scope.time_zone), scope.today
        female = patient.sex_at_birth == "female"
        self.body = Physiology.of(random, female=female)
        self.silent_from = self.today - timedelta(days=30 * story.silent_months) if story.silent_months else self.today

    def tell(self) -> None:
        """Everything that happened to this patient."""
        evidence = Evidence(self)
        ends = self._course_ends()
        spans = [self._span(number, end) for number, end in enumerate(ends, start=1)]
        first_day = self._first_day(spans)
        self.patient.registered_at = min(self.at(first_day - timedelta(days=60), 10), self.scope.now)
        if self.story.enrolled:
            self._enroll(first_day - timedelta(days=45))
            evidence.screening(first_day - timedelta(days=40))
        for number, span in enumerate(spans, start=1):
            following = spans[number][0] if number < len(spans) else None
            self._course(number, span)
            evidence.baseline(span[0], number)
            evidence.monitoring(span[-1], following)
            self._prophylaxis(number, span)
        if spans:
            evidence.yearly(spans[0][0], self._end(spans))
            self._status_forms(spans[0][0], self._end(spans))
            self._decisions(spans)
        self._planned(len(spans) + 1, evidence)
        self._today(evidence)
        self._just_ended(evidence)

    # ------------------------------------------------------------------------------------------- dates

    def _course_ends(self) -> list[date]:
        """The last day of each course: the Friday nearest to what the story says."""
        ends = []
        for months in self.story.courses:
            end = add_months(self.today, -months) - timedelta(days=self.story.day_in_month)
            ends.append(end + timedelta(days=(_FRIDAY - end.weekday() + 3) % 7 - 3))
        return ends

    def _span(self, number: int, end: date) -> list[date]:
        days = FIRST_COURSE_DAYS if number == 1 else FURTHER_COURSE_DAYS
        given = self.story.days_given or days
        start = end - timedelta(days=days - 1)
        return [start + timedelta(days=day) for day in range(min(given, days))]

    def _first_day(self, spans: list[list[date]]) -> date:
        if spans:
            return spans[0][0]
        ahead = self.story.planned_in_days or -(self.story.ended_days_ago or 0)
        return self.today + timedelta(days=ahead)

    def _end(self, spans: list[list[date]]) -> date:
        return add_months(spans[-1][-1], MONITORING_MONTHS)

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """An instant of a local day."""
        return datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)

    # ------------------------------------------------------------------------------------------- facts

    def fact(self, model: Any, on: date, **values: Any) -> Any:
        """Add a fact as if it had been recorded on its day by the staff."""
        row = model(
            clinic_id=self.scope.clinic_id,
            patient_id=self.patient.id,
            recorded_by_id=self.cast.staff,
            recorded_via="demonstration",
            recorded_at=min(self.at(on, 15), self.scope.now),
            **values,
        )
        db.session.add(row)
        return row

    @property
    def _prescriber(self) -> int:
        return self.cast.prescribers[(self.story.prescriber or 0) % len(self.cast.prescribers)]

    def _enroll(self, on: date) -> None:
        on = min(on, self.today - timedelta(days=3))
        self.fact(
            Enrollment,
            on,
            prescriber_id=self._prescriber,
            enrolled_on=on,
            guide_given_on=on - timedelta(days=2),
            card_given_on=on - timedelta(days=2),
            patient_signed_on=on,
            prescriber_signed_on=on,
            copy_given=True,
            rems_reference=f"ENR-{self.random.randint(100000, 999999)}",
        )

    def _new_course(self, number: int, start: date) -> TreatmentCourse:
        course = TreatmentCourse(
            clinic_id=self.scope.clinic_id,
            patient_id=self.patient.id,
            number=number,
            planned_days=FIRST_COURSE_DAYS if number == 1 else FURTHER_COURSE_DAYS,
            planned_start_on=start,
            prescriber_id=self._prescriber,
            planned_by_id=self.cast.neurologist,
            planned_at=min(self.at(start - timedelta(days=30), 11), self.scope.now),
        )
        db.session.add(course)
        db.session.flush()
        return course

    def _authorize(self, course: TreatmentCourse, start: date) -> None:
        on = min(start - timedelta(days=6), self.today)
        self.fact(
            Authorization,
            on,
            course_id=course.id,
            prescriber_id=self._prescriber,
            authorized_on=on,
            planned_start_on=start,
            expires_on=start + timedelta(days=18),
            baseline=[],
            rems_reference=f"AUTH-{self.random.randint(100000, 999999)}",
            verified_on=min(start - timedelta(days=1), self.today),
            verified_method="web",
            verified_by_id=self.cast.staff,
        )

    def _course(self, number: int, span: list[date]) -> None:
        course = self._new_course(number, span[0])
        self._authorize(course, span[0])
        days = InfusionDays(self, course)
        for day_number, on in enumerate(span, start=1):
            days.past(day_number, on)
        if len(span) < course.planned_days:
            course.discontinued_on = span[-1]
            course.discontinued_reason = "Generalized rash after day 3; remaining days not given"
            course.unused_vials = course.planned_days - len(span)
        self._call(course, span[-1] + timedelta(days=2), reached=True)
        sent = span[-1] + timedelta(days=self.random.choice((3, 4, 5)))
        if self.patient.protocol_id == "lemtrada-us" and sent <= self.today:
            self._form(FormKind.INFUSION_CHECKLIST, sent, course.id)

    def _call(self, course: TreatmentCourse, on: date, *, reached: bool) -> None:
        """The call two days after a course, or a try."""
        self.fact(
            CourseFollowUp,
            on,
            course_id=course.id,
            contacted_at=self.at(on, 14, 30),
            channel=OutreachChannel.PHONE.value,
            reached=reached,
            advice="Signs of stroke and late reactions gone through once more" if reached else None,
        )

    def _form(self, kind: FormKind, on: date, course_id: int | None = None) -> None:
        self.fact(
            FormSubmission,
            on,
            kind=kind.value,
            course_id=course_id,
            completed_on=on,
            submitted_on=on,
            method=FormMethod.WEB.value,
            confirmation=f"W-{self.random.randint(100000, 999999)}",
            signed_by="Clinic coordinator",
            answers={},
        )

    def _status_forms(self, first: date, end: date) -> None:
        if self.patient.protocol_id != "lemtrada-us":
            return
        due_dates = [add_months(first, 6 * number) for number in range(1, 20)]
        owed_from = self.today - timedelta(days=200 if self.story.forms_owed else 0)
        for due in due_dates:
            sent = due - timedelta(days=self.random.randint(1, 12))
            if (
                due <= end
                and sent < min(self.today, self.silent_from)
                and due < max(owed_from, self.today - timedelta(9))
            ):
                if self.story.forms_owed and due >= owed_from:
                    continue
                self._form(FormKind.PATIENT_STATUS_FORM, sent)

    def _prophylaxis(self, number: int, span: list[date]) -> None:
        enough = add_months(span[-1], 10)
        stopped = enough if enough < self.today else None
        self.fact(
            Prophylaxis,
            span[0],
            drug="Acyclovir",
            dose="200 mg twice a day",
            started_on=span[0],
            stopped_on=stopped,
            stop_reason="CD4 above 200 and two months after the last infusion" if stopped else None,
            stopped_by_id=self.cast.neurologist if stopped else None,
            note=f"Course {number}",
        )

    def _decisions(self, spans: list[list[date]]) -> None:
        if self.story.signed_off:
            self.fact(
                MonitoringDecision,
                self._end(spans) + timedelta(days=12),
                kind=MonitoringDecisionKind.CLOSED.value,
                decided_on=self._end(spans) + timedelta(days=12),
                reason="48 months complete, all tests in; routine care from now on",
                prescriber_id=self._prescriber,
            )
        if self.story.waiver:
            self.fact(
                Waiver,
                self.today - timedelta(days=40),
                requirement=self.story.waiver,
                from_on=self.today - timedelta(days=40),
                to_on=self.today + timedelta(days=50),
                reason="Followed by endocrinology every month; results come by letter",
                prescriber_id=self._prescriber,
            )

    # ------------------------------------------------------------------------------------------- to come, and today

    def _planned(self, number: int, evidence: Evidence) -> None:
        if self.story.planned_in_days is None:
            return
        start = self.today + timedelta(days=self.story.planned_in_days)
        course = self._new_course(number, start)
        if "not authorized" not in self.story.title:
            evidence.baseline(start, number, on=self.today - timedelta(days=4))
            self._authorize(course, start)

    def _today(self, evidence: Evidence) -> None:
        if self.story.today is None:
            return
        start = started(self, self.story.today).astimezone(self.zone).date() - timedelta(days=1)
        course = self._new_course(1, start)
        evidence.baseline(start, 1)
        self._authorize(course, start)
        days = InfusionDays(self, course)
        days.past(1, start)
        days.now(self.story.today)
        self.fact(Prophylaxis, start, drug="Acyclovir", dose="200 mg twice a day", started_on=start, note="Course 1")

    def _just_ended(self, evidence: Evidence) -> None:
        """A first course that ended some days ago; who was not reached in time was tried once."""
        if self.story.ended_days_ago is None:
            return
        last = self.today - timedelta(days=self.story.ended_days_ago)
        span = [last - timedelta(days=FIRST_COURSE_DAYS - number) for number in range(1, FIRST_COURSE_DAYS + 1)]
        course = self._new_course(1, span[0])
        evidence.baseline(span[0], 1)
        self._authorize(course, span[0])
        days = InfusionDays(self, course)
        for day_number, on in enumerate(span, start=1):
            days.past(day_number, on)
        self.fact(
            Prophylaxis, span[0], drug="Acyclovir", dose="200 mg twice a day", started_on=span[0], note="Course 1"
        )
        if last + timedelta(days=3) < self.today:
            self._call(course, last + timedelta(days=2), reached=False)
