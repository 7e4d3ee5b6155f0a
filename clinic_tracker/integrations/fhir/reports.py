"""One DiagnosticReport, or Observations that came without one, as a report of the domain."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from clinic_tracker.domain.messages import Observed, Problem, Reason, ReportState, SentReport
from clinic_tracker.integrations.fhir.bundle import Contents, Entry, Found
from clinic_tracker.integrations.fhir.document import Json, item, items, text_of
from clinic_tracker.integrations.fhir.values import codes_of, lines_of, words_of
from clinic_tracker.integrations.wire import Moment, read_moment, state_of_lines

_STATES = {
    "registered": ReportState.PENDING,
    "partial": ReportState.PRELIMINARY,
    "preliminary": ReportState.PRELIMINARY,
    "final": ReportState.FINAL,
    "amended": ReportState.CORRECTED,
    "corrected": ReportState.CORRECTED,
    "appended": ReportState.CORRECTED,
    "cancelled": ReportState.CANCELLED,
    "entered-in-error": ReportState.CANCELLED,
    "unknown": ReportState.PRELIMINARY,
}
_UNUSABLE = frozenset({"unavailable", "unsatisfactory", "entered-in-error"})


@dataclass(slots=True)
class Part:
    """An Observation that belongs to a report, and the entry it is in or contained in."""

    resource: Json
    entry: Entry


@dataclass(slots=True)
class Draft:
    """A report while it is put together. ``head`` is the DiagnosticReport, or the first of its Observations."""

    head: Part
    subject: Found
    parts: list[Part] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def entries(self) -> tuple[int, ...]:
        """The entries that the report was read from."""
        return tuple(sorted({self.head.entry.index, *(part.entry.index for part in self.parts)}))


class TooLarge(Exception):
    """The reports of a file name its Observations so often that no real file would."""


def gather(contents: Contents, draft: Draft, references: Iterable[tuple[str, Json, Part]]) -> None:
    """Add the Observations that the references point at, and those that these group; each once.

    What is missing or cannot be read is noted: the report is not complete without it. Raises ``TooLarge``.
    """
    waiting = list(references)[::-1]
    seen = {id(part.resource) for part in draft.parts}
    while waiting:
        where, reference, holder = waiting.pop()
        found = contents.resolve(reference, holder.entry, holder.resource)
        if found is None or found.resource is None or (found.entry and found.entry.problem):
            draft.problems.append(Problem(where, "This result is not in the file, or cannot be read.", Reason.MISSING))
        elif text_of(found.resource, "resourceType") != "Observation":
            draft.problems.append(Problem(where, "This is no Observation and is not read.", Reason.UNSUPPORTED))
        elif id(found.resource) not in seen:
            seen.add(id(found.resource))
            contents.parts_left -= 1
            if contents.parts_left < 0:
                raise TooLarge
            part = Part(found.resource, found.entry or holder.entry)
            draft.parts.append(part)
            waiting += list(members(part))[::-1]


def members(part: Part) -> list[tuple[str, Json, Part]]:
    """The references of an Observation to those that it groups, with their places."""
    return [
        (f"{part.entry.path}.hasMember[{number}]", reference, part)
        for number, reference in enumerate(items(part.resource, "hasMember"))
    ]


def read_report(contents: Contents, draft: Draft, zone_name: str) -> SentReport:
    """The report of a draft; fields that cannot be read are left empty and noted."""
    head, problems = draft.head.resource, draft.problems
    status = text_of(head, "status")
    lines = [line for part in draft.parts for line in lines_of(part.resource)]
    specimens = _specimens(contents, draft)
    collected = _collected(draft, specimens, zone_name)
    issued = _issued(contents, draft, zone_name)
    if status == "unknown":
        problems.append(
            Problem(f"{draft.head.entry.path}.status", "The status is unknown; it is taken as preliminary.")
        )
    return SentReport(
        key=_key(draft),
        codes=() if _is_set(draft) else codes_of(item(head, "code")),
        state=_state(draft, lines),
        collected_on=collected.on if collected else None,
        collected_at=collected.at if collected else None,
        issued_at=issued.at if issued else None,
        order_key=_order(head),
        values=tuple(lines),
        notes=_notes(head, specimens),
        specimen=specimen_key(contents, draft.head),
        problems=tuple(problems),
    )


def specimen_key(contents: Contents, part: Part) -> str:
    """The number of the specimen, or else its address in the file; "" if none is named."""
    reference = item(part.resource, "specimen") or next(iter(items(part.resource, "specimen")), {})
    found = contents.resolve(reference, part.entry, part.resource)
    if found is None:
        return text_of(item(reference, "identifier"), "value")
    number = item(found.resource, "accessionIdentifier") or next(iter(items(found.resource, "identifier")), {})
    return text_of(number, "value") or (found.entry.full_url if found.entry else "") or found.key


def own_key(part: Part) -> str:
    """The laboratory's number of a resource: its identifier, its lasting address, or its id."""
    numbers = items(part.resource, "identifier")
    for one in sorted(numbers, key=lambda one: "FILL" not in {code.code for code in codes_of(item(one, "type"))}):
        if value := text_of(one, "value"):
            return f"{value}^{system}" if (system := text_of(one, "system")) else value
    if part.resource is part.entry.resource and part.entry.full_url.startswith(("http://", "https://")):
        return part.entry.full_url
    identifier = text_of(part.resource, "id")
    return f"{text_of(part.resource, 'resourceType')}/{identifier}" if identifier else ""


def _key(draft: Draft) -> str:
    """Observations that came together without a report are known by the least of their numbers.

    It is marked, so that a later message about that one alone does not replace all of them.
    """
    if not _is_set(draft):
        return own_key(draft.head)
    keys = [key for part in draft.parts if (key := own_key(part))]
    return f"set:{min(keys)}" if keys else ""


def _is_set(draft: Draft) -> bool:
    """Whether it is several Observations that came without anything to hold them together."""
    return not is_report(draft.head) and len(draft.parts) > 1 and not items(draft.head.resource, "hasMember")


def is_report(part: Part) -> bool:
    """Whether it is a DiagnosticReport."""
    return text_of(part.resource, "resourceType") == "DiagnosticReport"


def _state(draft: Draft, lines: list[Observed]) -> ReportState:
    if _is_set(draft):
        return state_of_lines([line.state for line in lines])
    state = _STATES.get(text_of(draft.head.resource, "status"), ReportState.PRELIMINARY)
    if state is ReportState.FINAL and any(line.state is ReportState.CORRECTED for line in lines):
        return ReportState.CORRECTED
    return state


def _order(head: Json) -> str:
    for reference in items(head, "basedOn"):
        if key := text_of(item(reference, "identifier"), "value") or text_of(reference, "reference"):
            return key
    return ""


def _collected(draft: Draft, specimens: list[Json], zone_name: str) -> Moment | None:
    """When the specimen was taken: of the report, of its specimen, or of its values if they agree."""
    path = draft.head.entry.path
    if moment := _effective(draft.head.resource, path, zone_name, draft.problems):
        return moment
    for specimen in specimens:
        collection = item(specimen, "collection")
        sent = text_of(collection, "collectedDateTime") or text_of(item(collection, "collectedPeriod"), "start")
        if moment := _moment(sent, f"{path}.specimen", zone_name, draft.problems):
            return moment
    said = {_effective(part.resource, part.entry.path, zone_name, []) for part in draft.parts}
    if len(said) == 1 and (only := said.pop()):
        return only
    draft.problems.append(Problem(f"{path}.effectiveDateTime", "The date of collection is missing.", Reason.MISSING))
    return None


def _effective(resource: Json, path: str, zone_name: str, problems: list[Problem]) -> Moment | None:
    for name, sent in (
        ("effectiveDateTime", text_of(resource, "effectiveDateTime")),
        ("effectivePeriod.start", text_of(item(resource, "effectivePeriod"), "start")),
        ("effectiveInstant", text_of(resource, "effectiveInstant")),
    ):
        if sent:
            return _moment(sent, f"{path}.{name}", zone_name, problems)
    return None


def _moment(sent: str, where: str, zone_name: str, problems: list[Problem]) -> Moment | None:
    if not sent:
        return None
    try:
        return read_moment(sent, zone_name)
    except ValueError as error:
        problems.append(Problem(where, str(error)))
        return None


def _issued(contents: Contents, draft: Draft, zone_name: str) -> Moment | None:
    """When the laboratory released it; of several Observations the last time counts."""
    heads = [draft.head, *([] if is_report(draft.head) else draft.parts)]
    said = [text_of(part.resource, "issued") for part in heads]
    updated = [text_of(item(part.resource, "meta"), "lastUpdated") for part in heads]
    for sent in (said, updated):
        moments = [_moment(one, draft.head.entry.path, zone_name, draft.problems) for one in sent]
        times = [moment for moment in moments if moment and moment.at]
        if times:
            return max(times, key=lambda moment: moment.at or moment.on)
    return _moment(contents.timestamp, "Bundle.timestamp", zone_name, draft.problems)


def _specimens(contents: Contents, draft: Draft) -> list[Json]:
    """The specimens in the file that the report or its values name, each once."""
    found: dict[int, Json] = {}
    for part in [draft.head, *draft.parts]:
        sent = item(part.resource, "specimen")
        for reference in [sent] if sent else items(part.resource, "specimen"):
            there = contents.resolve(reference, part.entry, part.resource)
            if there and there.resource and text_of(there.resource, "resourceType") == "Specimen":
                found[id(there.resource)] = there.resource
    return list(found.values())


def _notes(head: Json, specimens: list[Json]) -> tuple[str, ...]:
    """The conclusion, and what is said of the specimens."""
    said = [text_of(head, "conclusion"), *(words_of(one) for one in items(head, "conclusionCode"))]
    if "presentedForm" in head:
        said.append("An attached document was sent; it is kept in the message and not read.")
    for specimen in specimens:
        if (status := text_of(specimen, "status")) in _UNUSABLE:
            said.append(f"Specimen: {status}")
        said += [f"Specimen condition: {words_of(one)}" for one in items(specimen, "condition")]
        said += [text_of(one, "text") for one in items(specimen, "note")]
    return tuple(filter(None, said))
