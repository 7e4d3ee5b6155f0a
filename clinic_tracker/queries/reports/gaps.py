"""Gaps between monthly tests that are longer than the clinic's limit, open ones included."""

from collections.abc import Iterator
from datetime import date

from clinic_tracker.domain.gaps import Ended, Gap, gaps
from clinic_tracker.domain.history import History
from clinic_tracker.domain.obligation import Forecast
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.requirement import EvidenceKind, Unit
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.queries.history import histories_on
from clinic_tracker.queries.knowledge import Knowledge
from clinic_tracker.queries.reports.asked import PERSON, TWO_TIMES, Asked
from clinic_tracker.queries.reports.obligations import person_cells
from clinic_tracker.queries.reports.people import first_day, last_day
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

LIMIT = "gap_alert_days"
_SHOW, _ALL, _OPEN = "show", "all", "open"

DEFINITION = Definition(
    name="gaps",
    title="Gaps in monthly tests",
    question="Which patients had too long a time without a valid result of a test that is due every month?",
    columns=(
        *PERSON,
        Column("requirement", "Requirement", Kind.CODE, "The monthly requirement of the patient's protocol."),
        Column(
            "after", "Result before", Kind.DATE, "Last valid result before, or end of the first course.", Privacy.DATED
        ),
        Column("until", "Result after", Kind.DATE, "Next valid result; empty where there is none.", Privacy.DATED),
        Column(
            "days",
            "Days",
            Kind.COUNT,
            "Days from the one to the other or, without a later one, to the end of monitoring or the date asked about.",
            Privacy.DATED,
        ),
        Column(
            "ended", "Ended by", Kind.CODE, "evidence: a result; monitoring: its end or the sign-off; open: nothing."
        ),
    ),
    takes=frozenset({Takes.PERIOD, Takes.AS_OF, Takes.KNOWN_AT, Takes.REQUIREMENT, Takes.PRESCRIBER, Takes.PATIENT}),
    choices=(Choice(_SHOW, "Show", {_ALL: "Every gap", _OPEN: "Open gaps only"}, _ALL),),
    notes=(
        (
            "A gap is more than 45 days between the collection dates of two valid results of one test, across courses "
            "too (local convention, C, setting gap_alert_days). A valid result is final or corrected, and complete."
        ),
        "A gap is listed if any of its days beyond the limit lies in the period.",
        "Months that were waived count as any other: no result is no result.",
        TWO_TIMES,
    ),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The gaps that reach into the period, patient by patient in the order of their names."""
    known, as_of = Knowledge(scope, parameters.known_at), parameters.as_of
    named, protocols = known.prescribers(), dict[str, Protocol]()
    for person, history in histories_on(known, Asked.of(parameters).people(known), as_of):
        if not history.given:
            continue
        if history.protocol not in protocols:
            protocols[history.protocol] = protocol_in_force(scope, history.protocol, as_of, known.at)
        for requirement, gap in _gaps(history, protocols[history.protocol], parameters):
            cells = (
                *person_cells(person, named),
                requirement,
                date.fromordinal(gap.after),
                date.fromordinal(gap.until) if gap.ended is Ended.EVIDENCE else None,
                gap.days,
                gap.ended.value,
            )
            yield Line(cells, person.id, person.public_id)


def _gaps(history: History, protocol: Protocol, parameters: Parameters) -> Iterator[tuple[str, Gap]]:
    allowed = protocol.value(LIMIT)
    first, last = first_day(parameters).toordinal(), last_day(parameters).toordinal()
    spans = list(_monitored(history, protocol, parameters.as_of.toordinal()))
    for requirement, panel in _monthly(protocol):
        if parameters.requirement not in (None, requirement):
            continue
        track = history.evidence.labs.get(panel)
        days = track.days if track is not None else ()
        for gap in (gap for span in spans for gap in gaps(days, *span, allowed)):
            wanted = gap.ended is Ended.OPEN or parameters.choices.get(_SHOW) != _OPEN
            if wanted and gap.until >= first and gap.after + allowed < last:
                yield requirement, gap


def _monthly(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """The tests that are due every month, with their panels, by requirement."""
    for requirement in protocol.requirements:
        every = requirement.every
        if requirement.evidence_kind is EvidenceKind.LAB and every and (every.count, every.unit) == (1, Unit.MONTHS):
            yield requirement.code, requirement.evidence


def _monitored(history: History, protocol: Protocol, as_of: int) -> Iterator[tuple[int, int, int | None]]:
    """From when until when the patient was monitored, and where it ended: once, unless a course came after the end."""
    start = max(history.given[0].infusion_days)
    for course in history.given[1:]:
        before = min(course.infusion_days) - 1
        stop = _stop(forecast(history.known_on(before), protocol))
        if stop is not None and stop <= before:
            yield start, before, stop
            start = max(course.infusion_days)
    yield start, as_of, _stop(forecast(history, protocol))


def _stop(answer: Forecast) -> int | None:
    """The day on which monitoring ends: as reckoned, or the prescriber's sign-off if that is earlier."""
    return min((day for day in (answer.monitoring_ends, answer.closed_on) if day is not None), default=None)
