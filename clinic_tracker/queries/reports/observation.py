"""Every infusion with its observation: really elapsed minutes, and whether they were enough."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from clinic_tracker.domain.infusion_day import Pause, active_minutes
from clinic_tracker.domain.local_time import elapsed_minutes
from clinic_tracker.domain.observation import Observed, observed
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, Infusion, InfusionPause, TreatmentCourse, VitalSigns
from clinic_tracker.queries.reports.people import (
    PERSON_FIELDS,
    WHO,
    Person,
    asked_about,
    first_day,
    last_day,
    of_people,
    stream,
)
from clinic_tracker.queries.scope import Scope

_SHOW, _ALL, _NOT_COMPLETE = "show", "all", "not_complete"

DEFINITION = Definition(
    name="observation",
    title="Observation after infusions",
    question="Was everybody observed for the required time after each infusion, and advised on stroke?",
    columns=(
        *WHO,
        Column("course", "Course", Kind.COUNT, "Number of the course."),
        Column("day", "Day", Kind.COUNT, "Day of the course."),
        Column("on", "Date", Kind.DATE, "Local date of the start in the clinic.", Privacy.DATED),
        Column(
            "outcome",
            "Observation",
            Kind.CODE,
            "complete: at least the required minutes; cut_short: fewer; not_recorded: end or discharge is not on file.",
        ),
        Column("observed", "Observed (min)", Kind.COUNT, "Elapsed minutes from end to discharge, rounded down."),
        Column("required", "Required (min)", Kind.COUNT, "Minutes asked for on that day: the protocol's, or extended."),
        Column("stroke_advice", "Stroke advice", Kind.YES_NO, "Whether the advice on stroke was ticked that day."),
        Column("deviations", "Deviations", Kind.COUNT, "Departures recorded with the infusion.", totaled=True),
        Column("reason", "Reason", Kind.TEXT, "The reason given for an early discharge.", Privacy.IDENTITY),
        Column("vitals", "Vital signs", Kind.COUNT, "Sets of vital signs recorded with the infusion.", totaled=True),
        Column("started_at", "Start", Kind.INSTANT, "When the infusion started.", Privacy.DATED),
        Column("ended_at", "End", Kind.INSTANT, "When the infusion ended, and the observation began.", Privacy.DATED),
        Column("discharged_at", "Discharge", Kind.INSTANT, "When the discharge was signed.", Privacy.DATED),
        Column(
            "ran",
            "Drug ran (min)",
            Kind.COUNT,
            "Elapsed minutes from start to end without the pauses, rounded down.",
            in_files_only=True,
        ),
        Column(
            "paused",
            "Paused (min)",
            Kind.COUNT,
            "Elapsed minutes from start to end in which the drug stood.",
            in_files_only=True,
        ),
        Column("nurse", "Nurse", Kind.TEXT, "The nurse of the infusion.", Privacy.IDENTITY, in_files_only=True),
        Column(
            "via",
            "Recorded via",
            Kind.CODE,
            "How it was recorded; an imported history may hold no times.",
            in_files_only=True,
        ),
    ),
    takes=frozenset({Takes.PERIOD, Takes.PRESCRIBER, Takes.PATIENT}),
    choices=(
        Choice(
            _SHOW,
            "Show",
            {
                _ALL: "Every infusion",
                _NOT_COMPLETE: "Observations not complete",
                Observed.COMPLETE.value: "Observations that were complete",
                Observed.CUT_SHORT.value: "Observations cut short",
                Observed.NOT_RECORDED.value: "Observations not recorded",
            },
            _ALL,
        ),
    ),
    notes=(
        (
            "At least 2 hours of observation after each infusion (R-48, label, A; setting observation_min); minutes "
            "are elapsed minutes, so that a night on which the clocks change neither adds nor takes an hour."
        ),
        (
            "Advice on stroke is due at every infusion (R-50, A). Vital signs are due before the start and then at an "
            "interval that is not confirmed (R-47, setting vitals_every_min)."
        ),
        "An infusion whose patient has not been discharged yet counts as not recorded.",
    ),
)


class Given(NamedTuple):
    """An infusion of the report, as read."""

    id: int
    course: int
    day: int
    on: Any
    started_at: datetime
    ended_at: datetime | None
    discharged_at: datetime | None
    required: int
    reason: str | None
    stroke_advice: bool
    vitals: int
    deviations: int
    nurse: str | None
    via: str

    @property
    def outcome(self) -> Observed:
        """What became of the observation (R-48)."""
        return observed(self.ended_at, self.discharged_at, self.required)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The infusions of the period that stand, by start."""
    pauses = _pauses(scope, parameters)
    wanted = _wanted(parameters.choices.get(_SHOW, _ALL))
    for row in stream(_infusions(scope, parameters)):
        given = Given(*row[len(PERSON_FIELDS) :])
        if given.outcome in wanted:
            yield Person(*row[: len(PERSON_FIELDS)]).line(*_cells(given, pauses.get(given.id, ())))


def _wanted(show: str) -> frozenset[Observed]:
    every = frozenset(Observed)
    if show in (_ALL, _NOT_COMPLETE):
        return every if show == _ALL else every - {Observed.COMPLETE}
    return frozenset({Observed(show)})


def _cells(given: Given, pauses: Sequence[Pause]) -> tuple[Any, ...]:
    ran = active_minutes(given.started_at, given.ended_at, pauses) if given.ended_at else None
    whole = elapsed_minutes(given.started_at, given.ended_at) if given.ended_at else 0
    minutes = elapsed_minutes(given.ended_at, given.discharged_at) if given.ended_at and given.discharged_at else None
    return (
        given.course,
        given.day,
        given.on,
        given.outcome.value,
        minutes,
        given.required,
        given.stroke_advice,
        given.deviations,
        given.reason,
        given.vitals,
        given.started_at,
        given.ended_at,
        given.discharged_at,
        ran,
        None if ran is None else whole - ran,
        given.nurse,
        given.via,
    )


def _infusions(scope: Scope, parameters: Parameters) -> Select[Any]:
    table = Infusion
    columns: list[Any] = [
        table.id,
        TreatmentCourse.number,
        table.day_number,
        table.infused_on,
        table.started_at,
        table.ended_at,
        table.discharged_at,
        table.observation_minutes,
        table.early_discharge_reason,
        table.stroke_advice_given,
        _count(VitalSigns),
        _count(Deviation),
        table.nurse_name,
        table.recorded_via,
    ]
    statement: Any = of_people(select(*PERSON_FIELDS, *columns).select_from(table), table.patient_id)
    return (  # type: ignore[no-any-return]
        statement.join(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .where(*_of_period(scope, parameters), *asked_about(scope, parameters))
        .order_by(table.started_at, table.id)
    )


def _of_period(scope: Scope, parameters: Parameters) -> list[Any]:
    return [
        Infusion.clinic_id == scope.clinic_id,
        Infusion.withdrawn_at.is_(None),
        Infusion.infused_on.between(first_day(parameters), last_day(parameters)),
    ]


def _count(part: Any) -> Any:
    """How many rows of a table belong to the infusion and were not withdrawn."""
    return (
        select(func.count())
        .select_from(part)
        .where(part.infusion_id == Infusion.id, part.clinic_id == Infusion.clinic_id, part.withdrawn_at.is_(None))
        .correlate(Infusion)
        .scalar_subquery()
    )


def _pauses(scope: Scope, parameters: Parameters) -> Mapping[int, Sequence[Pause]]:
    """The pauses of the infusions of the period, by infusion: few of them have any."""
    table = InfusionPause
    found: defaultdict[int, list[Pause]] = defaultdict(list)
    statement = (
        select(table.infusion_id, table.paused_at, table.resumed_at)
        .join(Infusion, Infusion.id == table.infusion_id)
        .where(table.clinic_id == scope.clinic_id, table.withdrawn_at.is_(None), *_of_period(scope, parameters))
        .order_by(table.paused_at, table.id)
    )
    for infusion, paused_at, resumed_at in db.session.execute(statement):
        found[infusion].append(Pause(paused_at, resumed_at))
    return found
