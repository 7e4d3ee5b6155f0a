"""May these patients be infused on these days? The facts on file, and the checks of readiness from them."""

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.readiness import (
    AuthorizationFact,
    DayFacts,
    Item,
    Readiness,
    ReadinessFacts,
    ReadinessRules,
    Span,
    readiness,
)
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.models.access import Clinic
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries import readiness_rows as rows
from clinic_tracker.queries.readiness_rows import CourseFacts, DayRecords, GivenDay
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocols_in_force

Asked = tuple[int, date]  # the key of a course, and the day


def readiness_of(scope: Scope, patient_id: int, protocol_id: str, course_id: int, on: date) -> Readiness:
    """Whether a course of a patient may be given on a day; NotFound if the course is not this patient's."""
    return readiness(facts_of(scope, patient_id, protocol_id, course_id, on))


def readiness_of_many(scope: Scope, courses: Sequence[Asked]) -> dict[Asked, Readiness]:
    """The same for many courses and days, in a fixed number of statements; unknown courses are left out."""
    return {asked: readiness(facts) for asked, facts in _facts(scope, courses).items()}


def facts_of(
    scope: Scope, patient_id: int, protocol_id: str, course_id: int, on: date, excluding: int | None = None
) -> ReadinessFacts:
    """The facts themselves: another day of the same course can be judged from them without reading again.

    ``excluding`` is the key of an infusion that is being corrected.
    """
    found = _facts(scope, [(course_id, on)], excluding, of_patient=(patient_id, protocol_id))
    if not found:
        raise NotFound("course")
    return found[course_id, on]


def course_blockers(
    scope: Scope, patient_id: int, protocol_id: str, course_id: int, on: date, excluding: int | None = None
) -> tuple[Item, ...]:
    """What stands in the way of an infusion of this course on a date; empty when nothing does."""
    return readiness(facts_of(scope, patient_id, protocol_id, course_id, on, excluding)).blockers


def clinic_of_patient(_scope: Scope | None, patient: uuid.UUID) -> str | None:
    """The slug of the clinic that a chart belongs to, for a command that is given nothing but its id."""
    return db.session.execute(
        select(Clinic.slug).join(Patient, Patient.clinic_id == Clinic.id).where(Patient.public_id == patient)
    ).scalar_one_or_none()


def _facts(
    scope: Scope,
    asked: Sequence[Asked],
    excluding: int | None = None,
    of_patient: tuple[int, str] | None = None,
) -> dict[Asked, ReadinessFacts]:
    courses = rows.course_facts(scope, (course for course, _ in asked))
    if of_patient is not None:
        courses = {key: row for key, row in courses.items() if (row.patient_id, row.protocol_id) == of_patient}
    patients = {row.patient_id for row in courses.values()}
    protocols = protocols_in_force(scope, (row.protocol_id for row in courses.values()))
    common = _Common(
        scope=scope,
        rules={name: ReadinessRules.from_protocol(protocol) for name, protocol in protocols.items()},
        patients=patients,
        given=rows.given_days(scope, patients, excluding),
        days=rows.day_records(scope, courses, (on for _, on in asked)),
    )
    return {(course, on): common.facts(courses[course], on) for course, on in asked if course in courses}


class _Common:
    """What was read for all the courses at once."""

    def __init__(
        self,
        *,
        scope: Scope,
        rules: dict[str, ReadinessRules],
        patients: set[int],
        given: dict[int, tuple[GivenDay, ...]],
        days: DayRecords,
    ) -> None:
        self.today, self.rules, self.given, self.days = scope.today, rules, given, days
        self.facility = rows.facility_certifications(scope)
        self.enrollments = rows.enrollments(scope, patients)
        self.labs = rows.lab_draws(scope, patients)
        self.exams = rows.exams_done(scope, patients)
        self.vaccines = rows.vaccine_doses(scope, patients)
        self.antivirals = rows.antivirals(scope, patients)

    def facts(self, course: CourseFacts, on: date) -> ReadinessFacts:
        """The facts about one course and day."""
        who = course.patient_id
        given = self.given[who]
        own = [one for one in given if one.course_id == course.id]
        return ReadinessFacts(
            on=on,
            as_of=self.today,
            course_number=course.number,
            planned_days=course.planned_days,
            birth_date=course.birth_date,
            sex=Sex(course.sex_at_birth),
            rules=self.rules[course.protocol_id],
            planned_start_on=course.planned_start_on,
            discontinued_on=course.discontinued_on,
            recorded=tuple(one.day for one in given),
            first_started_at=min((one.started_at for one in own), default=None),
            enrollments=self.enrollments[who],
            facility=self.facility,
            prescriber=_prescriber(course),
            authorization=_authorization(course),
            labs=self.labs[who],
            exams=self.exams[who],
            vaccines=self.vaccines[who],
            antivirals=self.antivirals[who],
            day=self._day(course.id, on, own),
        )

    def _day(self, course_id: int, on: date, own: Sequence[GivenDay]) -> DayFacts:
        """What was recorded for one day."""
        started = next((one for one in own if one.day.on == on), None)
        key = (course_id, on)
        day = DayFacts(
            on,
            steroid_at=self.days.steroids.get(key),
            vitals_at=self.days.vitals.get(key),
            drug_checks=self.days.drug_checks.get(key, 0),
        )
        return day if started is None else day._replace(answers=started.answers, started_at=started.started_at)


def _prescriber(course: CourseFacts) -> Span | None:
    if course.prescriber_id is None:
        return None
    return Span(course.certified_on, course.certification_ends_on)


def _authorization(course: CourseFacts) -> AuthorizationFact | None:
    if course.authorized_on is None:
        return None
    return AuthorizationFact(course.authorized_on, course.expires_on, course.verified_on)
