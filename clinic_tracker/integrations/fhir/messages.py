"""FHIR read into messages of the domain: one for all reports of one patient and one draw."""

from collections.abc import Iterator

from clinic_tracker.domain.messages import Parsed, Problem, Reason, ResultMessage, Unreadable
from clinic_tracker.integrations.fhir.bundle import Contents, Entry, open_document
from clinic_tracker.integrations.fhir.document import Json, item, items, read_document, text_of
from clinic_tracker.integrations.fhir.people import NotAPatient, identity_of, subject_of
from clinic_tracker.integrations.fhir.reports import (
    Draft,
    Part,
    TooLarge,
    gather,
    members,
    read_report,
    specimen_key,
)
from clinic_tracker.integrations.wire import check_zone, read_moment


def parse(raw: bytes, zone_name: str) -> list[Parsed]:
    """The results in a file of FHIR R4 JSON; what cannot be read is in the list with its path and reason.

    Every entry is checked by itself: a bad one does not keep the others out. Never raises for any bytes.
    """
    check_zone(zone_name)
    document = read_document(raw)
    contents = document if isinstance(document, Problem) else open_document(document)
    if isinstance(contents, Problem):
        return [Unreadable(0, "", contents.where, contents.message, contents.reason)]
    found: list[Parsed] = []
    for entry in contents.entries:
        if entry.problem:
            found.append(_unreadable(contents, entry.problem, len(found), (entry.index,)))
    messages: dict[tuple[str, ...], list[Draft]] = {}
    for made in _drafts(contents):
        if isinstance(made, Draft):
            messages.setdefault(_draw(contents, made.head), []).append(made)
        else:
            problem, entries = made
            found.append(_unreadable(contents, problem, len(found), entries))
    for drafts in messages.values():
        found.append(_message(contents, drafts, len(found), zone_name))
    return found


Refused = tuple[Problem, tuple[int, ...]]


def _unreadable(contents: Contents, problem: Problem, position: int, entries: tuple[int, ...]) -> Unreadable:
    return Unreadable(position, contents.control_id, problem.where, problem.message, problem.reason, entries)


def _drafts(contents: Contents) -> Iterator[Draft | Refused]:
    """The reports, then the Observations that no report has, in the order of the file."""
    used: set[int] = set()
    for entry in contents.of_kind("DiagnosticReport"):
        if entry.problem is None:
            listed = [
                (f"{entry.path}.result[{number}]", reference, Part(entry.resource, entry))
                for number, reference in enumerate(items(entry.resource, "result"))
            ]
            made = _draft(contents, Part(entry.resource, entry), [], listed)
            used.update(made.entries if isinstance(made, Draft) else made[1])
            yield made
    free = [entry for entry in contents.of_kind("Observation") if entry.problem is None and entry.index not in used]
    grouping = [entry for entry in free if items(entry.resource, "hasMember")]
    inner = {index for entry in grouping for index in _member_entries(contents, entry)}
    # Those that are members of others first wait for them; members of each other, in a circle, come at last.
    for entry in [*(one for one in grouping if one.index not in inner), *grouping]:
        if entry.index not in used:
            part = Part(entry.resource, entry)
            made = _draft(contents, part, [part], members(part))
            used.update(made.entries if isinstance(made, Draft) else made[1])
            yield made
    yield from _loose(contents, [entry for entry in free if entry.index not in used])


def _member_entries(contents: Contents, entry: Entry) -> Iterator[int]:
    for reference in items(entry.resource, "hasMember"):
        found = contents.resolve(reference, entry)
        if found and found.entry and found.entry is not entry:
            yield found.entry.index


def _loose(contents: Contents, entries: list[Entry]) -> Iterator[Draft | Refused]:
    """Observations without a report: together if they are of one patient and one draw, otherwise each by itself."""
    together: dict[tuple[str, ...], list[Part]] = {}
    for entry in entries:
        part = Part(entry.resource, entry)
        orders = sorted(text_of(one, "reference") for one in items(entry.resource, "basedOn"))
        alone = [str(entry.index)] if items(entry.resource, "component") else []
        together.setdefault((*_draw(contents, part), *orders, *alone), []).append(part)
    for parts in together.values():
        yield _draft(contents, parts[0], parts, [])


def _draw(contents: Contents, part: Part) -> tuple[str, ...]:
    """What reports of one draw have in common: the patient, and the specimen or the very minute."""
    resource = part.resource
    subject = contents.resolve(item(resource, "subject"), part.entry)
    taken = text_of(resource, "effectiveDateTime") or text_of(item(resource, "effectivePeriod"), "start")
    specimen = specimen_key(contents, part)
    if subject is None or not (specimen or "T" in taken):
        return (part.entry.path,)
    return subject.key, specimen, taken


def _draft(
    contents: Contents, head: Part, parts: list[Part], references: list[tuple[str, Json, Part]]
) -> Draft | Refused:
    """A report with all its Observations, refused as a whole if they are not all about the same patient."""
    path = head.entry.path
    try:
        draft = Draft(head, subject_of(contents, head.entry, head.resource), list(parts))
    except NotAPatient as error:
        return Problem(f"{path}.subject", str(error), Reason.MISSING), (head.entry.index,)
    try:
        gather(contents, draft, references)
    except TooLarge:
        words = "The reports of this file name its results too often."
        return Problem(f"{path}.result", words, Reason.TOO_LARGE), draft.entries
    if not draft.parts and text_of(head.resource, "status") in ("final", "amended", "corrected", "appended"):
        draft.problems.append(Problem(f"{path}.result", "The report has no values.", Reason.MISSING))
    for part in draft.parts:
        if part is not head and _is_of_another(contents, draft, part):
            words = "The report and this value are of different patients: none of it is taken."
            return Problem(f"{part.entry.path}.subject", words), draft.entries
    return draft


def _is_of_another(contents: Contents, draft: Draft, part: Part) -> bool:
    """Whether a value names another patient than its report. Copies of one patient within resources are the same."""
    reference = item(part.resource, "subject")
    if not reference:
        return False
    try:
        found = subject_of(contents, part.entry, part.resource)
    except NotAPatient:
        return True
    if found.key == draft.subject.key:
        return False
    theirs, _problem = identity_of(found, reference)
    ours, _problem = identity_of(draft.subject, item(draft.head.resource, "subject"))
    return found.resource is None or draft.subject.resource is None or theirs != ours


def _message(contents: Contents, drafts: list[Draft], position: int, zone_name: str) -> ResultMessage:
    """The reports of one patient and one draw."""
    first = drafts[0]
    identity, problem = identity_of(first.subject, item(first.head.resource, "subject"))
    try:
        sent_at = read_moment(contents.timestamp, zone_name).at if contents.timestamp else None
    except ValueError:
        sent_at = None
    return ResultMessage(
        position,
        contents.control_id or text_of(first.head.resource, "id"),
        identity,
        tuple(read_report(contents, draft, zone_name) for draft in drafts),
        laboratory=_laboratory(contents, first.head),
        sent_at=sent_at,
        entries=tuple(sorted({index for draft in drafts for index in draft.entries})),
        problems=(problem,) if problem else (),
    )


def _laboratory(contents: Contents, head: Part) -> str:
    for reference in items(head.resource, "performer"):
        found = contents.resolve(reference, head.entry, head.resource)
        name = text_of(found.resource, "name") if found else ""  # only an organization has a name that is a text
        if name or text_of(reference, "display"):
            return name or text_of(reference, "display")
    return ""
