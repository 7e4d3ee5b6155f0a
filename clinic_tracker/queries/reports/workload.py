"""What falls due in each of the next twelve weeks: draws, visits, exams, forms, infusions."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Obligation, PatientSchedule
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.chairs import course_days
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports.people import asked_about, in_chunks, of_people, stream
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

WEEKS = 12
_DAYS = 7
_VISIT, _ANY = "visit", "any"
_INFUSION, _BOOKED, _UNBOOKED = "infusion", "booked", "not_booked"
_ORDER = (_VISIT, "draw", "exam", "form", _INFUSION)
_KINDS = {EvidenceKind.LAB: "draw", EvidenceKind.EXAM: "exam", EvidenceKind.FORM: "form"}

DEFINITION = Definition(
    name="workload",
    title="Workload forecast",
    question="How many draws, visits, exams, forms and infusions fall due in each of the next 12 weeks?",
    columns=(
        Column("week", "Week", Kind.COUNT, "1 is the week that begins on the day of the report."),
        Column("from_on", "From", Kind.DATE, "First day of the week."),
        Column("to_on", "To", Kind.DATE, "Seventh and last day of the week."),
        Column("kind", "Kind", Kind.CODE, "draw, visit, exam or form that falls due, or infusion that is expected."),
        Column("what", "What", Kind.CODE, "The requirement; of infusions whether a chair is booked; of visits any."),
        Column("count", "Count", Kind.COUNT, "How many fall due in the week."),
        Column("patients", "Patients", Kind.COUNT, "How many patients they concern."),
    ),
    takes=frozenset({Takes.PRESCRIBER}),
    notes=(
        (
            "A draw is one test of one patient on its due date. A visit is one patient on one day on which at least "
            "one draw falls due, however many do: draws are for the laboratory, visits for appointments."
        ),
        (
            "Counted is what is neither done nor waived and falls due from today on. What is overdue already comes on "
            "top: see the report of what is overdue."
        ),
        (
            "Infusions: days for which a chair is booked, and the further days of courses that are planned or begun, "
            "one after the other from the planned start. A course whose start passed, or that stopped, longer ago than "
            "the time for resuming it (setting resume_same_course_days, C) is left out until it is planned anew."
        ),
        "What courses still to come will add to monitoring and forms is not known yet and not counted.",
    ),
)

_Key = tuple[int, str, str]
_Found = Iterator[tuple[date, str, str, int]]  # due on, kind, what, patient


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """A line for each week, kind and requirement, also where nothing falls due. RuleViolation for a past date: what was
    ahead then is not stored.
    """
    if parameters.as_of != scope.today:
        raise RuleViolation("looks_ahead", "as_of", "The forecast looks ahead from today; it has no past date.")
    return _weeks(scope, parameters)


def _weeks(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    counts: defaultdict[_Key, int] = defaultdict(int)
    patients: defaultdict[_Key, set[int]] = defaultdict(set)
    visits: set[tuple[date, int]] = set()
    rows = dict.fromkeys(_kinds(scope))
    for due_on, kind, what, patient in _everything(scope, parameters):
        week = (due_on - scope.today).days // _DAYS
        rows[kind, what] = None
        keys = [(week, kind, what)]
        if kind == _KINDS[EvidenceKind.LAB] and (due_on, patient) not in visits:
            visits.add((due_on, patient))
            keys.append((week, _VISIT, _ANY))
        for key in keys:
            counts[key] += 1
            patients[key].add(patient)
    in_order = sorted(rows, key=lambda row: (_ORDER.index(row[0]), row[1]))
    for week in range(WEEKS):
        first = scope.today + timedelta(days=_DAYS * week)
        last = first + timedelta(days=_DAYS - 1)
        for kind, what in in_order:
            key = (week, kind, what)
            yield Line((week + 1, first, last, kind, what, counts[key], len(patients[key])))


def _kinds(scope: Scope) -> Iterator[tuple[str, str]]:
    """What the clinic's own protocol asks for."""
    yield _VISIT, _ANY
    for requirement in protocol_in_force(scope).requirements:
        yield _KINDS[requirement.evidence_kind], requirement.code
    yield from ((_INFUSION, what) for what in (_BOOKED, _UNBOOKED))


def _everything(scope: Scope, parameters: Parameters) -> _Found:
    yield from _obligations(scope, parameters)
    yield from _infusions(scope, parameters)


def _horizon(scope: Scope) -> date:
    """The last day of the last week."""
    return scope.today + timedelta(days=_DAYS * WEEKS - 1)


def _obligations(scope: Scope, parameters: Parameters) -> _Found:
    table = Obligation
    kinds = {
        one.code: _KINDS[one.evidence_kind] for known in packaged_protocols().values() for one in known.requirements
    }
    columns: Any = select(table.due_on, table.requirement, table.patient_id)
    statement = of_people(columns, table.patient_id)
    statement = statement.join(PatientSchedule, PatientSchedule.patient_id == table.patient_id).where(
        table.clinic_id == scope.clinic_id,
        table.due_on.between(scope.today, _horizon(scope)),
        table.done_on.is_(None),
        table.waived.is_(False),
        PatientSchedule.monitoring_closed_on.is_(None),
        *asked_about(scope, parameters),
    )
    for due_on, requirement, patient in stream(statement):
        yield due_on, kinds[requirement], requirement, patient


def _infusions(scope: Scope, parameters: Parameters) -> _Found:
    """The days of open courses that are booked, and those that are neither given nor booked."""
    courses = _open_courses(scope, parameters)
    for some in in_chunks(sorted(courses)):
        for course, days in course_days(scope, some).items():
            if not days.is_open:
                continue
            for what, dates in ((_BOOKED, days.ahead(scope.today)), (_UNBOOKED, days.unbooked(scope.today))):
                yield from ((on, _INFUSION, what, courses[course]) for on in dates if on <= _horizon(scope))


def _open_courses(scope: Scope, parameters: Parameters) -> dict[int, int]:
    """The courses with something ahead, and whose they are."""
    table = TreatmentCourse
    since = scope.today - timedelta(days=protocol_in_force(scope).value("resume_same_course_days"))
    last = func.max(Infusion.infused_on)
    booked = select(ChairBooking.course_id).where(
        ChairBooking.clinic_id == scope.clinic_id,
        ChairBooking.cancelled_at.is_(None),
        ChairBooking.booked_on >= scope.today,
    )
    columns: Any = select(table.id, table.patient_id)
    statement = (
        of_people(columns, table.patient_id)
        .outerjoin(Infusion, and_(Infusion.course_id == table.id, Infusion.withdrawn_at.is_(None)))
        .where(
            table.clinic_id == scope.clinic_id,
            table.discontinued_on.is_(None),
            Patient.merged_into_id.is_(None),
            *asked_about(scope, parameters),
        )
        .group_by(table.id, table.patient_id, table.planned_days, table.planned_start_on)
        .having(
            and_(
                func.count(Infusion.id) < table.planned_days,
                or_(func.coalesce(last, table.planned_start_on) >= since, table.id.in_(booked)),
            )
        )
    )
    return {course: patient for course, patient in db.session.execute(statement)}  # noqa: C416 - rows are no pairs
