"""Departures from the protocol and overrides, with their reasons."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.access import User
from clinic_tracker.models.treatment import Deviation, Infusion, TreatmentCourse
from clinic_tracker.queries.reports.people import (
    PERSON_FIELDS,
    WHO,
    asked_about,
    first_day,
    last_day,
    line_of,
    of_people,
    only,
    stood,
    stream,
)
from clinic_tracker.queries.scope import Scope

_GROUP, _ONE_BY_ONE, _COUNTS = "group", "lines", "requirement"
_ABOUT, _ANYTHING, _INFUSIONS = "about", "anything", "infusion"
_RULE = (
    Column("requirement", "Requirement", Kind.CODE, "The requirement departed from, by its number."),
    Column("rule", "Rule", Kind.CODE, "The rule of the program that was departed from."),
)

DEFINITION = Definition(
    name="deviations",
    title="Deviations",
    question="Which departures from the protocol, and which overrides of a stop, were recorded, and for what reason?",
    columns=(
        *only(
            _GROUP,
            (_ONE_BY_ONE,),
            *WHO,
            Column("on", "Date", Kind.DATE, "Day of the departure in the time zone of the clinic.", Privacy.DATED),
            Column("course", "Course", Kind.COUNT, "Number of the course that it belongs to, if to any."),
            Column("day", "Day", Kind.COUNT, "Day of the course, if it belongs to one infusion."),
        ),
        *_RULE,
        *only(
            _GROUP,
            (_ONE_BY_ONE,),
            Column("what", "What", Kind.TEXT, "The departure in the words that were confirmed.", Privacy.IDENTITY),
            Column("reason", "Reason", Kind.TEXT, "The reason given, and who decided it.", Privacy.IDENTITY),
            Column("recorded_by", "Recorded by", Kind.TEXT, "Who recorded it; nobody for a file.", Privacy.IDENTITY),
            Column("recorded_at", "Recorded at", Kind.INSTANT, "When it was recorded.", Privacy.DATED),
        ),
        *only(
            _GROUP,
            (_COUNTS,),
            Column(
                "deviations", "Deviations", Kind.COUNT, "How many departures from this rule there were.", totaled=True
            ),
        ),
    ),
    takes=frozenset({Takes.PERIOD, Takes.PRESCRIBER, Takes.PATIENT, Takes.KNOWN_AT}),
    choices=(
        Choice(_GROUP, "Show", {_ONE_BY_ONE: "One by one", _COUNTS: "Counts by requirement and rule"}, _ONE_BY_ONE),
        Choice(_ABOUT, "About", {_ANYTHING: "Anything", _INFUSIONS: "Infusions, not whole courses"}, _ANYTHING),
    ),
    notes=(
        (
            "A departure is recorded when somebody confirms, with a reason, an entry that a rule warns of or stops; it "
            "leaves the list when the entry is corrected or was entered in error."
        ),
        "The requirements (R-11 to R-61), their sources and grades (A to C) are explained in docs/protocol.md.",
        "With “as known at” the departures are those on record at that instant; names and prescribers are today's.",
    ),
)


def lines(scope: Scope, parameters: Parameters) -> Iterable[Line]:
    """The departures of the period that stand, by date; or how many there are of each rule."""
    if parameters.choices.get(_GROUP) != _COUNTS:
        return map(line_of, stream(_one_by_one(scope, parameters)))
    table = Deviation
    counts: Counter[tuple[str, str]] = Counter()
    for requirement, code in stream(_of_period(scope, parameters, select(table.requirement, table.code))):
        counts[requirement or "", code] += 1
    return [Line((requirement or None, code, count)) for (requirement, code), count in sorted(counts.items())]


def _one_by_one(scope: Scope, parameters: Parameters) -> Select[Any]:
    table = Deviation
    columns: list[Any] = [
        table.occurred_on,
        TreatmentCourse.number,
        Infusion.day_number,
        table.requirement,
        table.code,
        table.message,
        table.reason,
        User.name,
        table.recorded_at,
    ]
    statement = _of_period(scope, parameters, select(*PERSON_FIELDS, *columns))
    return (
        statement.outerjoin(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .outerjoin(Infusion, Infusion.id == table.infusion_id)
        .outerjoin(User, User.id == table.recorded_by_id)
        .order_by(table.occurred_on, table.id)
    )


def _of_period(scope: Scope, parameters: Parameters, statement: Any) -> Select[Any]:
    table = Deviation
    about = [table.infusion_id.is_not(None)] if parameters.choices.get(_ABOUT) == _INFUSIONS else []
    return of_people(statement.select_from(table), table.patient_id).where(
        table.clinic_id == scope.clinic_id,
        table.occurred_on.between(first_day(parameters), last_day(parameters)),
        stood(table, parameters),
        *about,
        *asked_about(scope, parameters),
    )
