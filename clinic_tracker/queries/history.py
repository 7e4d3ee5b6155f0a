"""Load the facts of patients as the engine wants them: one SELECT per table, whatever the number of patients."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select, true

from clinic_tracker.domain.history import (
    VALID_STATUSES,
    CourseFact,
    ExamFact,
    FormFact,
    History,
    LabFact,
    WaiverFact,
    incomplete,
)
from clinic_tracker.domain.vocabulary import ExamKind, FormKind, MonitoringDecisionKind, Panel, ResultStatus
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport, LabValue, MonitoringDecision, Waiver
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.knowledge import Knowledge, Person
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.watching import look_up

CHUNK = 500
MANY = 2000  # of those of whom days alone are read
LOOKS = 100  # patients between one look up and the next
_MONITORED_EXAMS = (ExamKind.SKIN_EXAM.value, ExamKind.HPV_SCREEN.value)
_MONITORED_FORMS = (FormKind.PATIENT_STATUS_FORM.value, FormKind.INFUSION_CHECKLIST.value)
_CD4_COUNT = "cd4"
_EVIDENCE = frozenset(Panel)
_PANELS = sorted(panel.value for panel in Panel if panel not in (Panel.OTHER, Panel.CD4))


def load_history(
    scope: Scope, patient_ids: Collection[int], as_of: date | None = None, known: Knowledge | None = None
) -> dict[int, History]:
    """The history of each patient by key, with the ids of the facts as ``ref``.

    With ``as_of`` a sign-off counts as it stood on that date, and any extension; the caller still applies ``known_on``.
    With ``known`` what was known at an instant: the facts that stood then, of the patients as they were then. Corrected
    rows and rows entered in error are left out; what the laboratory called preliminary or cancelled stays, for "why?".
    Patients of another clinic are not found.
    """
    found: dict[int, History] = {}
    keys = sorted(patient_ids)
    known = known or Knowledge(scope)
    for start in range(0, len(keys), CHUNK):
        found.update(_load(known, keys[start : start + CHUNK], as_of or scope.today))
    return found


def histories_on(known: Knowledge, people: Sequence[Person], as_of: date) -> Iterator[tuple[Person, History]]:
    """The histories of patients with the facts dated by a day, in the order given, some patients at a time.

    Of results there are the days alone: enough for what is owed, and read much faster. They have no ``ref``.
    """
    day = as_of.toordinal()
    for start in range(0, len(people), MANY):
        some = people[start : start + MANY]
        # Charts that were merged or parted since are few: theirs are told row by row.
        apart = load_history(known.scope, {person.id for person in some} & known.apart, as_of, known)
        keys = [person.id for person in some if person.id not in apart]
        facts = _Facts(known, keys, as_of, until=as_of)
        labs, exams = _lab_days(known, keys, as_of), _exam_days(known, keys, as_of)
        for number, person in enumerate(some):
            if number % LOOKS == 0:
                look_up(known.scope)
            if person.id in apart:
                yield person, apart[person.id].known_on(day)
            else:
                yield person, History.of_days(labs[person.id], exams[person.id], **facts.of(person))


def clinic_patients(scope: Scope) -> list[int]:
    """The keys of all patients of the clinic, merged duplicates left out."""
    return list(
        db.session.execute(
            select(Patient.id)
            .where(Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None))
            .order_by(Patient.id)
        ).scalars()
    )


def protocols_of(scope: Scope, patient_ids: Collection[int]) -> dict[int, str]:
    """The protocol id of each patient."""
    rows = db.session.execute(
        select(Patient.id, Patient.protocol_id).where(
            Patient.clinic_id == scope.clinic_id, Patient.id.in_(sorted(patient_ids))
        )
    )
    return {patient: protocol for patient, protocol in rows}  # noqa: C416 - rows are not pairs to mypy


def _load(known: Knowledge, keys: list[int], as_of: date) -> Iterator[tuple[int, History]]:
    charts = known.charts(keys)
    facts, labs = _Facts(known, charts, as_of), _labs(known, charts)
    for patient, person in known.people(keys).items():
        yield patient, History(labs=tuple(labs[patient]), **facts.of(person))


class _Facts:
    """All facts of some charts but the labs; with ``until`` those dated by then, without the exams."""

    def __init__(self, known: Knowledge, charts: list[int], as_of: date, until: date | None = None) -> None:
        extended, self.closed = _decisions(known, charts, as_of)
        self.courses = _courses(known, charts, extended, until)
        self.exams = _exams(known, charts) if until is None else defaultdict(list)
        self.forms = _forms(known, charts, until)
        self.waivers = _waivers(known, charts)

    def of(self, person: Person) -> dict[str, Any]:
        """What the history of a patient is made of."""
        key = person.id
        return {
            "protocol": person.protocol_id,
            "has_cervix": person.has_cervix,
            "courses": tuple(self.courses[key]),
            "exams": tuple(self.exams[key]),
            "forms": tuple(self.forms[key]),
            "waivers": tuple(self.waivers[key]),
            "monitoring_closed_on": self.closed.get(key),
        }


def _of(known: Knowledge, table: Any, charts: list[int]) -> ColumnElement[bool]:
    """Rows of these charts that stand. To ask for the clinic again would have SQLite read all rows of it."""
    condition: ColumnElement[bool] = table.patient_id.in_(charts) & known.stood(table)
    return condition


def _by(column: Any, until: date | None) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = true() if until is None else column <= until
    return condition


def _rows(statement: Any) -> Iterator[tuple[Any, ...]]:
    """Straight from the connection: the session would look at every row for objects."""
    db.session.flush()
    return iter(db.session.connection().execute(statement).fetchall())


def _decisions(known: Knowledge, charts: list[int], as_of: date) -> tuple[dict[int, int], dict[int, int]]:
    """The extended end by course key, and the day of the sign-off by patient."""
    table = MonitoringDecision
    extended: dict[int, int] = {}
    closed: dict[int, int] = {}
    statement = (
        select(table.patient_id, table.id, table.kind, table.course_id, table.extended_to, table.decided_on)
        .where(_of(known, table, charts))
        .order_by(table.decided_on, table.id)
    )
    owners = known.owners(table)
    for patient, key, kind, course, extended_to, decided_on in _rows(statement):
        if kind == MonitoringDecisionKind.EXTENDED:
            extended[course] = extended_to.toordinal()
        elif decided_on <= as_of:
            closed[owners.get(key, patient)] = decided_on.toordinal()
    return extended, closed


def _courses(
    known: Knowledge, charts: list[int], extended: dict[int, int], until: date | None
) -> defaultdict[int, list[CourseFact]]:
    days: defaultdict[int, list[int]] = defaultdict(list)
    statement = select(Infusion.course_id, Infusion.infused_on).where(
        _of(known, Infusion, charts), _by(Infusion.infused_on, until)
    )
    for course, infused_on in _rows(statement):
        days[course].append(infused_on.toordinal())
    courses: defaultdict[int, list[CourseFact]] = defaultdict(list)
    table = TreatmentCourse
    planned = (
        select(table.id, table.patient_id, table.number).where(table.patient_id.in_(charts)).order_by(table.number)
    )
    owners = known.owners(table)
    for course, patient, number in _rows(planned):
        courses[owners.get(course, patient)].append(
            CourseFact(number, tuple(sorted(days[course])), extended.get(course))
        )
    return courses


def _labs(known: Knowledge, charts: list[int]) -> defaultdict[int, list[LabFact]]:
    found: defaultdict[int, list[LabFact]] = defaultdict(list)
    table = LabReport
    count = LabValue.__table__.alias()
    statement = (
        select(
            table.patient_id,
            table.id,
            table.panel,
            table.title,
            table.collected_on,
            table.result_status,
            table.is_complete,
            count.c.number,
        )
        .outerjoin(count, (count.c.lab_report_id == table.id) & (count.c.analyte == _CD4_COUNT))
        .where(_of(known, table, charts))
        .order_by(table.collected_on, table.id)
    )
    owners = known.owners(table)
    for patient, key, panel, title, collected_on, status, complete, number in _rows(statement):
        value = number if panel == Panel.CD4 else None
        fact = LabFact(
            _test_name(panel, title, complete=complete), collected_on.toordinal(), ResultStatus(status), value, key
        )
        found[owners.get(key, patient)].append(fact)
    return found


def _lab_days(known: Knowledge, keys: list[int], as_of: date) -> defaultdict[int, dict[str, list[int]]]:
    """The days with a valid complete result by patient and panel."""
    table = LabReport
    valid = table.is_complete & table.result_status.in_([status.value for status in VALID_STATUSES])
    return _days(known, keys, table, (table.panel, _PANELS), table.collected_on, valid & (table.collected_on <= as_of))


def _exam_days(known: Knowledge, keys: list[int], as_of: date) -> defaultdict[int, dict[str, list[int]]]:
    return _days(known, keys, Exam, (Exam.kind, _MONITORED_EXAMS), Exam.performed_on, Exam.performed_on <= as_of)


def _days(
    known: Knowledge, keys: list[int], table: Any, what: tuple[Any, Collection[str]], on: Any, condition: Any
) -> defaultdict[int, dict[str, list[int]]]:
    """The days of facts in order. The database joins the dates: one row for each patient and kind."""
    kind, wanted = what
    statement = (
        select(table.patient_id, kind, func.aggregate_strings(cast(on, Text), ","))
        .where(_of(known, table, keys), kind.in_(wanted), condition)
        .group_by(table.patient_id, kind)
    )
    found: defaultdict[int, dict[str, list[int]]] = defaultdict(dict)
    for patient, name, dates in _rows(statement):
        found[patient][name] = sorted(set(map(_DAYS.__getitem__, dates.split(","))))
    return found


class _Days(dict[str, int]):
    """The days of dates as text: the same few thousand recur in every history."""

    def __missing__(self, text: str) -> int:
        day = self[text] = date.fromisoformat(text).toordinal()
        return day


_DAYS = _Days()


def _test_name(panel: str, title: str | None, *, complete: bool) -> str:
    """The engine's name of a report; anything that is not a complete known panel is evidence for nothing."""
    if panel == Panel.OTHER:
        return title if title and title not in _EVIDENCE else panel
    return panel if complete else incomplete(panel)


def _exams(known: Knowledge, charts: list[int]) -> defaultdict[int, list[ExamFact]]:
    found: defaultdict[int, list[ExamFact]] = defaultdict(list)
    statement = select(Exam.patient_id, Exam.kind, Exam.performed_on, Exam.id).where(
        _of(known, Exam, charts), Exam.kind.in_(_MONITORED_EXAMS)
    )
    owners = known.owners(Exam)
    for patient, kind, performed_on, key in _rows(statement.order_by(Exam.performed_on, Exam.id)):
        found[owners.get(key, patient)].append(ExamFact(kind, performed_on.toordinal(), key))
    return found


def _forms(known: Knowledge, charts: list[int], until: date | None) -> defaultdict[int, list[FormFact]]:
    found: defaultdict[int, list[FormFact]] = defaultdict(list)
    table = FormSubmission
    statement = (
        select(table.patient_id, table.kind, table.submitted_on, TreatmentCourse.number, table.id)
        .outerjoin(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .where(_of(known, table, charts), table.kind.in_(_MONITORED_FORMS), _by(table.submitted_on, until))
        .order_by(table.submitted_on, table.id)
    )
    owners = known.owners(table)
    for patient, kind, submitted_on, course, key in _rows(statement):
        number = course if kind == FormKind.INFUSION_CHECKLIST else None
        found[owners.get(key, patient)].append(FormFact(kind, submitted_on.toordinal(), number, key))
    return found


def _waivers(known: Knowledge, charts: list[int]) -> defaultdict[int, list[WaiverFact]]:
    found: defaultdict[int, list[WaiverFact]] = defaultdict(list)
    statement = select(Waiver.patient_id, Waiver.id, Waiver.requirement, Waiver.from_on, Waiver.to_on).where(
        _of(known, Waiver, charts)
    )
    owners = known.owners(Waiver)
    for patient, key, requirement, from_on, to_on in _rows(statement.order_by(Waiver.from_on, Waiver.id)):
        found[owners.get(key, patient)].append(WaiverFact(requirement, from_on.toordinal(), to_on.toordinal()))
    return found
