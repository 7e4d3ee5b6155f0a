"""What another protocol would make of a patient's schedule, beside what holds now."""

from dataclasses import dataclass
from datetime import date

from clinic_tracker.queries.monitoring_case import MonitoringCase, load_case, under_protocol
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.requirement_words import full_title, title_order


@dataclass(frozen=True, slots=True)
class DueChange:
    """When a requirement is due next, now and under the other protocol, in words or as a date."""

    title: str
    now: date | str
    then: date | str


@dataclass(frozen=True, slots=True)
class ProtocolPreview:
    """The schedule under another protocol: when monitoring would end, and the due dates that would change."""

    title: str
    ends_now: date | None
    ends_then: date | None
    changes: list[DueChange]


def other_protocols(protocol_id: str) -> list[tuple[str, str]]:
    """The protocols that a patient could change to, by title."""
    titles = [(key, protocol.title) for key, protocol in packaged_protocols().items() if key != protocol_id]
    return sorted(titles, key=lambda item: item[1])


def previews(scope: Scope, header: PatientHeader) -> list[ProtocolPreview]:
    """What each of the other protocols would make of the schedule."""
    case = load_case(scope, header.id)
    others = other_protocols(header.protocol_id)
    return [_preview(case, under_protocol(scope, case, key), title) for key, title in others]


def _preview(now: MonitoringCase, then: MonitoringCase, title: str) -> ProtocolPreview:
    before, after = _next_due(now), _next_due(then)
    codes = sorted(before.keys() | after.keys(), key=lambda code: (title_order(code), code))
    changes = [
        DueChange(full_title(code), before.get(code, "not asked for"), after.get(code, "not asked for"))
        for code in codes
        if before.get(code) != after.get(code)
    ]
    return ProtocolPreview(title, _end(now), _end(then), changes)


def _next_due(case: MonitoringCase) -> dict[str, date | str]:
    """By requirement, when it is due next."""
    return {
        standing.requirement: date.fromordinal(standing.next_due) if standing.next_due is not None else "nothing owed"
        for standing in case.forecast.standings
    }


def _end(case: MonitoringCase) -> date | None:
    ends = case.forecast.monitoring_ends
    return date.fromordinal(ends) if ends is not None else None
