"""Results and exams with their review: what still waits, how long it took, what nobody saw on its day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import merge
from statistics import median
from typing import Any, NamedTuple

from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.review_clock import RED, review_due_on
from clinic_tracker.queries.reports.people import PERSON, ends_at, only
from clinic_tracker.queries.reports.reviewable import Reviewable, reviewable_exams, reviewable_results
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

_SHOW, WAITING, LATE, UNSEEN, ALL, PRESCRIBERS = "show", "waiting", "late", "unseen", "all", "prescribers"
_LISTS, _SIGNED = (WAITING, LATE, UNSEEN, ALL), (LATE, UNSEEN, ALL)


def _sum(name: str, title: str, definition: str) -> Column:
    return Column(name, title, Kind.COUNT, definition, totaled=True)


DEFINITION = Definition(
    name="reviews",
    title="Review of results",
    question="Which results still wait for review, and were they reviewed in time?",
    columns=(
        *only(
            _SHOW,
            _LISTS,
            *PERSON,
            Column(
                "kind",
                "Kind",
                Kind.CODE,
                "result: of the laboratory; exam: an exam or a screening.",
                in_files_only=True,
            ),
            Column("what", "What", Kind.CODE, "The panel, or the kind of exam."),
            Column("taken_on", "Collected", Kind.DATE, "Day of collection or examination.", Privacy.DATED),
            Column("recorded_at", "Came", Kind.INSTANT, "When it was recorded: the clock begins.", Privacy.DATED),
        ),
        *only(
            _SHOW,
            (PRESCRIBERS,),
            Column("of", "Prescriber", Kind.TEXT, "Who answers for the patients today, if anybody.", Privacy.IDENTITY),
        ),
        Column("level", "Level", Kind.CODE, "red, amber or normal, by the clinic's thresholds when it was judged."),
        *only(
            _SHOW,
            _LISTS,
            Column("due_on", "Review by", Kind.DATE, "Last day to review it; if red the day it came.", Privacy.DATED),
        ),
        *only(
            _SHOW,
            _SIGNED,
            Column("reviewed_at", "Reviewed", Kind.INSTANT, "When it was signed off, if it was.", Privacy.DATED),
            Column("reviewed_by", "Reviewed by", Kind.TEXT, "Who signed it off.", Privacy.IDENTITY),
            Column("automatic", "By itself", Kind.YES_NO, "Whether it closed by the clinic's written criteria."),
            Column("hours", "Hours", Kind.NUMBER, "Elapsed hours from its coming to the sign-off."),
        ),
        *only(
            _SHOW,
            _LISTS,
            Column(
                "in_time",
                "In time",
                Kind.YES_NO,
                "Signed off by the last day; empty while there is time.",
                in_files_only=True,
            ),
            Column(
                "days_late",
                "Days late",
                Kind.COUNT,
                "Days from the last day to the sign-off, or the date asked.",
                Privacy.DATED,
            ),
            Column("unseen", "Unseen", Kind.YES_NO, "If red: nobody signed it off or acted on it on the day it came."),
        ),
        *only(
            _SHOW,
            (PRESCRIBERS,),
            _sum("results", "Results", "How many came."),
            _sum("reviewed", "Reviewed", "How many of them were signed off by the date asked about."),
            _sum("on_time", "In time", "How many of them were signed off by their last day."),
            _sum("late", "Late", "How many of them were signed off later."),
            _sum("overdue", "Overdue", "How many wait and are past their last day."),
            _sum("waiting", "In their time", "How many wait and have time left."),
            Column("share", "Share in time", Kind.SHARE, "In time, among those in time, late and overdue."),
            Column("median_hours", "Median hours", Kind.NUMBER, "Middle of the hours of those a person signed off."),
            _sum("not_seen", "Unseen", "How many red ones nobody signed off or acted on on the day they came."),
        ),
    ),
    takes=frozenset({Takes.PERIOD, Takes.AS_OF, Takes.PRESCRIBER, Takes.PATIENT}),
    choices=(
        Choice(
            _SHOW,
            "Show",
            {
                WAITING: "What waits for review",
                LATE: "What was, or is, reviewed late",
                UNSEEN: "Red results that nobody saw on their day",
                ALL: "Everything",
                PRESCRIBERS: "By prescriber and level",
            },
            WAITING,
        ),
    ),
    notes=(
        (
            "A red result is to be reviewed on the day it comes, any other within business days of it: a local "
            "convention (C, setting review_business_days)."
        ),
        "Period: by the local day on which a result was recorded. What waits is listed however long ago it came.",
        "Exams and screenings wait when they have a finding or came from a laboratory.",
        "A corrected result counts from its correction; imported histories are left out: nobody reviewed them here.",
    ),
)


class _Judged(NamedTuple):
    """A result with what the date asked about makes of it."""

    of: Reviewable
    reviewed_at: datetime | None
    due_on: date
    hours: float | None
    in_time: bool | None
    days_late: int
    unseen: bool

    def belongs(self, show: str) -> bool:
        """Whether a list shows it."""
        if show == WAITING:
            return self.reviewed_at is None
        return show == ALL or (self.unseen if show == UNSEEN else self.days_late > 0)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The results of the period by when they came, reports before exams; or how many there are of each prescriber."""
    show = parameters.choices.get(_SHOW, WAITING)
    found = _judged(scope, parameters, waiting=show == WAITING)
    if show == PRESCRIBERS:
        return _by_prescriber(found)
    return (_line(one, signed=show != WAITING) for one in found if one.belongs(show))


def _judged(scope: Scope, parameters: Parameters, *, waiting: bool) -> Iterator[_Judged]:
    protocol = protocol_in_force(scope, on=parameters.as_of)
    days, holidays = protocol.value("review_business_days"), protocol.holidays
    until = ends_at(scope, parameters.as_of)
    results = reviewable_results(scope, parameters, whole_past=waiting)
    exams = reviewable_exams(scope, parameters, whole_past=waiting)
    for one in merge(results, exams, key=lambda one: (one.recorded_at, one.kind != "result", one.id)):
        came_on = local_date(one.recorded_at, scope.time_zone)
        due_on = review_due_on(came_on, one.level, days, holidays)
        yield _judge(scope, one, due_on, parameters.as_of, until)


def _judge(scope: Scope, one: Reviewable, due_on: date, as_of: date, until: datetime) -> _Judged:
    reviewed_at = one.reviewed_at if one.reviewed_at is not None and one.reviewed_at < until else None
    reviewed_on = local_date(reviewed_at, scope.time_zone) if reviewed_at else None
    hours = round((reviewed_at - one.recorded_at) / timedelta(hours=1), 1) if reviewed_at else None
    late = max(0, ((reviewed_on or as_of) - due_on).days)
    looked_at = min((at for at in (reviewed_at, one.answered_at) if at is not None and at < until), default=None)
    missed = as_of > due_on if looked_at is None else local_date(looked_at, scope.time_zone) > due_on
    in_time = None if reviewed_at is None and not late else not late
    return _Judged(one, reviewed_at, due_on, hours, in_time, late, one.level == RED and missed)


def _line(one: _Judged, *, signed: bool) -> Line:
    row = one.of
    came = (row.kind, row.what, row.taken_on, row.recorded_at, row.level or "normal", one.due_on)
    by, automatic = (row.reviewed_by, row.automatic) if one.reviewed_at else (None, None)
    sign_off = (one.reviewed_at, by, automatic, one.hours) if signed else ()
    judged = (one.in_time, one.days_late, one.unseen if row.level == RED else None)
    return row.person.line(*came, *sign_off, *judged)


@dataclass
class _Sum:
    """The results of one prescriber and level."""

    results: int = 0
    reviewed: int = 0
    on_time: int = 0
    overdue: int = 0
    unseen: int = 0
    hours: list[float] = field(default_factory=list)

    def add(self, one: _Judged) -> None:
        """Count one more."""
        self.results += 1
        self.reviewed += one.reviewed_at is not None
        self.on_time += one.reviewed_at is not None and not one.days_late
        self.overdue += one.reviewed_at is None and one.days_late > 0
        self.unseen += one.unseen
        if one.hours is not None and not one.of.automatic:
            self.hours.append(one.hours)

    @property
    def cells(self) -> tuple[Any, ...]:
        """The figures."""
        judged = self.reviewed + self.overdue
        return (
            self.results,
            self.reviewed,
            self.on_time,
            self.reviewed - self.on_time,
            self.overdue,
            self.results - judged,
            self.on_time / judged if judged else None,
            round(median(self.hours), 1) if self.hours else None,
            self.unseen,
        )


_RANK = {RED: 0, "amber": 1, "normal": 2}


def _by_prescriber(found: Iterable[_Judged]) -> Iterator[Line]:
    sums: defaultdict[tuple[str, int, str], _Sum] = defaultdict(_Sum)
    for one in found:
        person = one.of.person
        sums[person.prescriber or "", person.prescriber_id or 0, one.of.level or "normal"].add(one)
    for (prescriber, _, level), figures in sorted(sums.items(), key=lambda item: (*item[0][:2], _RANK[item[0][2]])):
        yield Line((prescriber or None, level, *figures.cells))
