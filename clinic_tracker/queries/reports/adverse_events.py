"""Reactions to infusions: how grave, by when the serious ones should be reported, and when they were."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select

from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.reactions import report_due_on, told, words_of
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, InfusionReaction, TreatmentCourse
from clinic_tracker.queries.adverse_events import DEADLINE, REPORTED_ON
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports.people import (
    PERSON_FIELDS,
    WHO,
    Person,
    asked_about,
    ends_at,
    first_day,
    last_day,
    of_people,
    stream,
    within,
)
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocols_in_force

_SHOW, _SERIOUS, _ALL, _OPEN = "show", "serious", "all", "open"
_BY, _ONSET, _INFUSION = "by", "onset", "infusion"

DEFINITION = Definition(
    name="adverse-events",
    title="Adverse events",
    question="Which reactions to infusions were there, and were the serious ones reported in time?",
    columns=(
        *WHO,
        Column("course", "Course", Kind.COUNT, "Number of the course."),
        Column("day", "Day", Kind.COUNT, "Day of the course."),
        Column("onset_at", "Onset", Kind.INSTANT, "When the reaction began.", Privacy.DATED),
        Column("grade", "Grade", Kind.CODE, "Severity as recorded, from mild to fatal."),
        Column("serious", "Serious", Kind.YES_NO, "Whether a criterion of seriousness is met."),
        Column(
            "due_on",
            "Report due",
            Kind.DATE,
            "For a serious one, the last day of the clinic's time to report it, counted from the day of the onset.",
            Privacy.DATED,
        ),
        Column("reported_on", "Reported", Kind.DATE, "First report on file that names this reaction.", Privacy.DATED),
        Column(
            "days_late",
            "Days late",
            Kind.COUNT,
            "Days from the last day to the report or, while there is none, to the date asked about; 0 in time.",
            Privacy.DATED,
        ),
        Column(
            "days_left",
            "Days left",
            Kind.COUNT,
            "Days to the last one, while a report is owed and not late.",
            Privacy.DATED,
        ),
        Column("signs", "Signs", Kind.TEXT, "Signs that were ticked, and what was written.", Privacy.IDENTITY),
        Column("criteria", "Criteria", Kind.TEXT, "The criteria of seriousness that are met."),
        Column("ending", "Ending", Kind.CODE, "How it ended, as far as is known."),
    ),
    takes=frozenset({Takes.PERIOD, Takes.AS_OF, Takes.PRESCRIBER, Takes.PATIENT}),
    choices=(
        Choice(
            _SHOW,
            "Show",
            {_SERIOUS: "Serious reactions", _OPEN: "Serious reactions not reported", _ALL: "Every reaction"},
            _SERIOUS,
        ),
        Choice(_BY, "Period by", {_ONSET: "Day of the onset", _INFUSION: "Day of the infusion"}, _ONSET),
    ),
    notes=(
        (
            "Period: by the local date of the onset, or of the infusion, as the dashboard and the report of safety "
            "count. What is not reported is listed however long ago it began. Reports sent after the date asked about "
            "are not known yet."
        ),
        (
            "The time to report is a local convention (C, setting event_report_business_days): the REMS asks for a "
            "report as soon as possible (R-80, unconfirmed). Business days leave out weekends and federal holidays."
        ),
    ),
)


class _Reaction(NamedTuple):
    protocol_id: str
    course: int
    day: int
    onset_at: Any
    ticked: list[str]
    signs: str
    grade: str
    is_serious: bool
    seriousness: list[str]
    ending: str | None
    reported_on: date | None


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The reactions of the period that stand, by onset."""
    protocols = protocols_in_force(scope, packaged_protocols(), parameters.as_of)
    show = parameters.choices.get(_SHOW, _SERIOUS)
    for row in stream(_reactions(scope, parameters, serious_only=show != _ALL)):
        reaction = _Reaction(*row[len(PERSON_FIELDS) :])
        if reaction.reported_on is not None and reaction.reported_on > parameters.as_of:
            reaction = reaction._replace(reported_on=None)
        if show != _OPEN or reaction.reported_on is None:
            due_on = _due_on(scope, reaction, protocols[reaction.protocol_id])
            cells = _cells(reaction, due_on, parameters.as_of)
            yield Person(*row[: len(PERSON_FIELDS)]).line(*cells)


def _due_on(scope: Scope, reaction: _Reaction, protocol: Protocol) -> date | None:
    if not reaction.is_serious:
        return None
    onset_on = local_date(reaction.onset_at, scope.time_zone)
    return report_due_on(onset_on, protocol.value(DEADLINE), protocol.holidays)


def _cells(reaction: _Reaction, due_on: date | None, as_of: date) -> tuple[Any, ...]:
    late = max(0, ((reaction.reported_on or as_of) - due_on).days) if due_on else None
    left = (due_on - as_of).days if due_on and reaction.reported_on is None and not late else None
    return (
        reaction.course,
        reaction.day,
        reaction.onset_at,
        reaction.grade,
        reaction.is_serious,
        due_on,
        reaction.reported_on,
        late,
        left,
        told(reaction.ticked, reaction.signs),
        ", ".join(words_of(reaction.seriousness)) or None,
        reaction.ending,
    )


def _of_period(scope: Scope, parameters: Parameters) -> ColumnElement[bool]:
    if parameters.choices.get(_SHOW) == _OPEN:
        return InfusionReaction.onset_at < ends_at(scope, last_day(parameters))
    if parameters.choices.get(_BY) == _INFUSION:
        return Infusion.infused_on.between(first_day(parameters), last_day(parameters))
    return within(scope, parameters, InfusionReaction.onset_at)


def _reactions(scope: Scope, parameters: Parameters, *, serious_only: bool) -> Select[Any]:
    table = InfusionReaction
    columns: list[Any] = [
        Patient.protocol_id,
        TreatmentCourse.number,
        Infusion.day_number,
        table.onset_at,
        table.ticked,
        table.signs,
        table.grade,
        table.is_serious,
        table.seriousness,
        table.ending,
        REPORTED_ON,
    ]
    statement: Any = select(*PERSON_FIELDS, *columns).select_from(table)
    statement = statement.join(Infusion, Infusion.id == table.infusion_id)
    statement = statement.join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
    conditions = [
        table.clinic_id == scope.clinic_id,
        table.withdrawn_at.is_(None),
        Infusion.withdrawn_at.is_(None),
        _of_period(scope, parameters),
        *asked_about(scope, parameters),
    ]
    if serious_only:
        conditions.append(table.is_serious.is_(True))
    return of_people(statement, Infusion.patient_id).where(*conditions).order_by(table.onset_at, table.id)
