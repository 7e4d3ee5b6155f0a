"""What an evidence pack holds, patient by patient. The pack itself is a PDF or an archive of tables."""

from collections import Counter
from collections.abc import Iterator

from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.evidence import CALENDAR, INFUSIONS, PATIENT, TABLES, FilledTable
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.queries.evidence.pack import filled_tables, who_of
from clinic_tracker.queries.scope import Scope

NAME = "evidence-pack"
_COUNTED = {
    "enrollments": "Enrollments",
    "authorizations": "Authorizations",
    "infusions": "Infusions",
    "reactions": "Reactions",
    "deviations": "Departures",
    "forms": "Forms",
}
_LEFT_OUT = frozenset({"rems_patient_id"})  # on the page; the pack has it
_STATUSES = ("done", "waived", "due", "overdue", "missed")


def _count(name: str, title: str, definition: str) -> Column:
    return Column(name, title, Kind.COUNT, definition, totaled=True)


DEFINITION = Definition(
    name=NAME,
    title="REMS evidence pack",
    question="What can the clinic show for each patient: papers, infusions with observation, forms, monitoring?",
    columns=(
        *(column for column in PATIENT if column.name not in _LEFT_OUT),
        *(
            _count(table.name, _COUNTED[table.name], f"Lines of the table “{table.title}” in the pack.")
            for table in TABLES
            if table.name in _COUNTED
        ),
        _count(
            "incomplete", "Observation too short", "Infusions on record whose observation was shorter than required."
        ),
        *(
            _count(name, name.capitalize(), f"Obligations due in the period that are {name} today.")
            for name in _STATUSES
        ),
    ),
    takes=frozenset({Takes.PERIOD, Takes.PATIENT}),
    notes=(
        (
            "The pack holds the certification of facility and prescribers and, for everybody who was enrolled, treated "
            "or monitored in the period or for one patient: enrollment, authorizations with the baseline set as it was "
            "kept, infusions with observation and departures, reactions, forms sent, waivers and sign-offs, and the "
            "monitoring calendar. Entries that were corrected or withdrawn are listed with their state."
        ),
        "It is data of the clinic, not a form of the REMS.",
    ),
    formats=(ReportFormat.PDF, ReportFormat.ZIP),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """One line for each patient: how much the pack holds, and what became of what was due."""
    filled = {one.table.name: one for one in filled_tables(scope, who_of(scope, parameters))}
    counted = [Counter(line.patient_id for line in filled[name].lines) for name in _COUNTED]
    short = _counter(filled[INFUSIONS.name], "observation_complete", on_record=True)
    statuses = _counter(filled[CALENDAR.name], "status")
    for person in filled["patients"].lines:
        key = person.patient_id
        cells = [cell for column, cell in zip(PATIENT, person.cells, strict=False) if column.name not in _LEFT_OUT]
        numbers = [counter[key] for counter in counted]
        numbers += [short[key, False], *(statuses[key, name] for name in _STATUSES)]
        yield Line((*cells, *numbers), key, person.patient)


def _counter(filled: FilledTable, column: str, *, on_record: bool = False) -> Counter[tuple[int | None, object]]:
    """How many lines of each patient hold which value in a column; those on record only, where asked for."""
    names = [one.name for one in filled.columns]
    place, state = names.index(column), names.index("state") if on_record else 0
    return Counter(
        (line.patient_id, line.cells[place])
        for line in filled.lines
        if not on_record or line.cells[state] == "recorded"
    )
