"""Obligations that came out otherwise than was known at an instant, and the fact that made the difference."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.queries.history import CHUNK, histories_on, load_history
from clinic_tracker.queries.knowledge import Knowledge, Named, Person
from clinic_tracker.queries.reports.asked import GRACE, PERSON, SIGN_OFF, TAKES, Asked
from clinic_tracker.queries.reports.changes import Change, Differing, cause_of, changes_since
from clinic_tracker.queries.reports.obligations import person_cells
from clinic_tracker.queries.reports.people import ends_at
from clinic_tracker.queries.reports.recounted import Judge, Judged
from clinic_tracker.queries.scope import Scope

Key = tuple[str, str]  # requirement and slot: by another protocol the same occurrence is another thing
Found = dict[Key, Judged]

DEFINITION = Definition(
    name="differences",
    title="Differences",
    question="What of the period is judged otherwise with all that is known now than it was as known at an instant?",
    columns=(
        *PERSON,
        Column("requirement", "Requirement", Kind.CODE, "The requirement of the protocol."),
        Column("slot", "Occurrence", Kind.CODE, "Which occurrence of it: course and month, quarter, form or year."),
        Column("due", "Due", Kind.DATE, "The due date; as known then if nothing is due now.", Privacy.DATED),
        Column("now", "Outcome now", Kind.CODE, "The outcome with all that is known now; empty if nothing fell due."),
        Column("then", "Outcome then", Kind.CODE, "The outcome as known then; empty if nothing fell due."),
        Column("done_now", "Done, now", Kind.DATE, "Day of the evidence as known now.", Privacy.DATED),
        Column("done_then", "Done, then", Kind.DATE, "Day of the evidence as known then.", Privacy.DATED),
        Column(
            "fact",
            "Fact",
            Kind.CODE,
            "The fact that made it: result, exam, form, waiver, infusion, decision, chart (protocol, cervix or a "
            "merge) or setting.",
        ),
        Column("fact_on", "Fact of", Kind.DATE, "The day that the fact tells of.", Privacy.DATED),
        Column("change", "Change", Kind.CODE, "Whether it was recorded, corrected or withdrawn since; or changed."),
        Column("changed_at", "Changed at", Kind.INSTANT, "When it was.", Privacy.DATED),
    ),
    takes=TAKES | {Takes.COMPARED_WITH, Takes.PATIENT},
    notes=(
        (
            "Both outcomes are those of the day asked about. “Then” is what was on record at the instant compared "
            "with, or at the end of that day where none is given; “now” is all on record now, or at “known at”."
        ),
        "Of several facts that changed, the one nearest to the obligation is named: its own evidence first.",
        GRACE,
        SIGN_OFF,
    ),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """A line for each obligation that fell due in the period and came out otherwise, patient by patient."""
    asked, as_of = Asked.of(parameters), parameters.as_of
    instant = parameters.compared_with or ends_at(scope, as_of)
    now = _Side(Knowledge(scope, parameters.known_at), asked, as_of)
    then = _Side(Knowledge(scope, instant), asked, as_of)
    named = now.known.prescribers()
    people = _people(now.known, then.known, asked)
    for start in range(0, len(people), CHUNK):
        some = people[start : start + CHUNK]
        told, knew = now.outcomes(some), then.outcomes(some)
        differing = [person for person in some if told[person.id] != knew[person.id]]
        if differing:
            yield from _differences(now, then, differing, named)


def _people(now: Knowledge, then: Knowledge, asked: Asked) -> list[Person]:
    """The patients asked about, and those who had an open chart then and have none now."""
    current = now.people()
    merged = [person for person in asked.people(then) if person.id not in current]
    return sorted([*asked.people(now), *merged], key=lambda person: person.place)


class _Side:
    """What fell due and what it came to, with one of the two knowledges."""

    def __init__(self, known: Knowledge, asked: Asked, as_of: date) -> None:
        self.known = known
        self.as_of = as_of
        self.judge = Judge(known, as_of, asked, years=False)
        self.people = known.people()

    def outcomes(self, some: list[Person]) -> dict[int, dict[Key, str]]:
        """The outcome of each obligation of these patients by its key; nobody is left out."""
        told: dict[int, dict[Key, str]] = {person.id: {} for person in some}
        present = [self.people[person.id] for person in some if person.id in self.people]
        for person, history in histories_on(self.known, present, self.as_of):
            told[person.id] = {_key(one): one.outcome.value for one in self.judge.judge(history)}
        return told

    def judged(self, some: Sequence[Person]) -> dict[int, Found]:
        """The same in full, with the evidence behind each."""
        keys = [person.id for person in some if person.id in self.people]
        histories = load_history(self.known.scope, keys, self.as_of, self.known)
        day = self.as_of.toordinal()
        found = {key: self.judge.judge(history.known_on(day)) for key, history in histories.items()}
        return {key: {_key(one): one for one in of_patient} for key, of_patient in found.items()}


class _Cause(NamedTuple):
    fact: str
    on: date | None
    change: str
    at: datetime | None


def _differences(now: _Side, then: _Side, people: list[Person], named: dict[int, Named]) -> Iterator[Line]:
    present, past = now.judged(people), then.judged(people)
    changes = changes_since(now.known, then.known, [person.id for person in people], now.as_of)
    for person in people:
        told, knew = present.get(person.id, {}), past.get(person.id, {})
        pairs = [(told.get(key), knew.get(key)) for key in told.keys() | knew.keys()]
        for one, other in sorted((pair for pair in pairs if _outcome(pair[0]) != _outcome(pair[1])), key=_place):
            cause = _cause(now, then, person, (one, other), changes.get(person.id, []))
            yield _line(person, named, one, other, cause)


def _cause(
    now: _Side, then: _Side, person: Person, pair: tuple[Judged | None, Judged | None], changes: list[Change]
) -> _Cause:
    one = _either(pair)
    protocol = now.judge.protocol(person.protocol_id)
    evidence = next((rule.evidence for rule in protocol.requirements if rule.code == one.requirement), "")
    refs = tuple(side.obligation.ref if side else None for side in pair)
    differing = Differing(one.requirement, evidence, date.fromordinal(one.due), (refs[0], refs[1]))
    if found := cause_of(differing, changes):
        return _Cause(found.fact, found.on, found.change, found.at)
    before, after = then.people.get(person.id), now.people.get(person.id)
    rules = (person.protocol_id, person.has_cervix)
    same = before is not None and after is not None and (before.protocol_id, before.has_cervix) == rules
    return _Cause("setting" if same and person.id not in then.known.apart else "chart", None, "changed", None)


def _line(person: Person, named: dict[int, Named], one: Judged | None, other: Judged | None, cause: _Cause) -> Line:
    owed = _either((one, other))
    cells: tuple[Any, ...] = (
        *person_cells(person, named),
        owed.requirement,
        owed.slot,
        date.fromordinal(owed.due),
        _outcome(one),
        _outcome(other),
        _done(one),
        _done(other),
        *cause,
    )
    return Line(cells, person.id, person.public_id)


def _either(pair: tuple[Judged | None, Judged | None]) -> Any:
    found = pair[0] or pair[1]
    assert found is not None
    return found.obligation


def _outcome(one: Judged | None) -> str | None:
    return one.outcome.value if one else None


def _done(one: Judged | None) -> date | None:
    return date.fromordinal(one.obligation.done) if one and one.obligation.done is not None else None


def _key(one: Judged) -> Key:
    return one.obligation.requirement, one.obligation.slot


def _place(pair: tuple[Judged | None, Judged | None]) -> tuple[str, int, str]:
    one = _either(pair)
    return one.requirement, one.due, one.slot
