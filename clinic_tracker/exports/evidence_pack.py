"""The evidence pack as one tagged PDF and as one archive of CSV files: the same data give the same bytes."""

import hashlib
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Head, Line
from clinic_tracker.domain.reporting.deidentify import Context, deidentified, order_of
from clinic_tracker.domain.reporting.evidence import CALENDAR, PATIENTS, FilledTable
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.ordering import ordered
from clinic_tracker.domain.reporting.parameters import Identity, Parameters
from clinic_tracker.domain.reporting.words import head_rows, shown
from clinic_tracker.exports.pdf import document
from clinic_tracker.exports.reports.reading import Watch
from clinic_tracker.exports.reports.writing import Made, Written
from clinic_tracker.exports.tables import csv_text
from clinic_tracker.queries.evidence.pack import filled_tables, who_of
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports.heads import first_infusions
from clinic_tracker.queries.scope import Scope

MOST_IN_FULL = 100  # patients: more would be a document that nobody reads, and the archive holds them all
NEVER_PRINTED = frozenset({"recorded_at", "recorded_by", "entered_afterwards", "late_reaction_advice", "opens_on"})
_STATUSES = ("done", "waived", "due", "overdue", "missed")
_EXPLAINED = ("file", "column", "title", "definition")


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack with its head, its tables, and the titles of the requirements by code."""

    head: Head
    filled: Sequence[FilledTable]
    titles: Mapping[str, str]

    @property
    def people(self) -> FilledTable:
        """The table of the patients."""
        return next(one for one in self.filled if one.table is PATIENTS)

    @property
    def files(self) -> dict[str, str]:
        """The tables as CSV by the names of their files."""
        zone = ZoneInfo(self.head.time_zone)
        return {
            f"{number:02}-{one.table.name}.csv": csv_text(
                [column.name for column in one.columns],
                ([_local(value, zone) for value in line.cells] for line in one.lines),
            )
            for number, one in enumerate(self.filled, start=1)
        }

    @property
    def checksum(self) -> str:
        """SHA-256 over the head and the tables as they stand in the archive, whoever made it and when."""
        digest = hashlib.sha256(json.dumps(list(head_rows(self.head)), sort_keys=True).encode())
        for name, text in self.files.items():
            digest.update(name.encode() + text.encode())
        return digest.hexdigest()


def pack_zip(pack: Pack, made: Made) -> bytes:
    """Every table as CSV, ``columns.csv`` that explains each column, and ``manifest.json`` with the hash of each."""
    files = pack.files
    explained = [
        (name, column.name, column.title, column.definition)
        for name, one in zip(files, pack.filled, strict=True)
        for column in one.columns
    ]
    counts = {name: len(one.lines) for name, one in zip(files, pack.filled, strict=True)}
    files["columns.csv"] = csv_text(_EXPLAINED, explained)
    files["manifest.json"] = _manifest(pack, made, files, counts)
    stream = io.BytesIO()
    day = (made.on.year, made.on.month, made.on.day, 0, 0, 0)
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, day), text.encode(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def pack_pdf(pack: Pack, made: Made) -> bytes:
    """The pack to read and to print: the facility, the prescribers, and each patient by chapter.

    Above MOST_IN_FULL patients it holds one line for each of them, and says that the archive holds the rest.
    """
    people = pack.people.lines
    in_full = len(people) <= MOST_IN_FULL
    note = f"The pack concerns {len(people)} patients: the archive (ZIP) holds every table of each of them."
    values: dict[str, Any] = {
        "title": pack.head.title,
        "date": [made.on.year, made.on.month, made.on.day],
        "about": _about(pack),
        "clinic": pack.head.clinic,
        "made": f"Made by {made.by} on {show_date(made.on)}",
        "facts": [*map(list, head_rows(pack.head)), ["Checksum of the contents", pack.checksum]],
        "notes": list(pack.head.notes),
        "tables": [_printed(pack, one) for one in pack.filled if not one.table.of_patients],
        "summary": _summary(pack) if len(people) > 1 else None,
        "patients": [_chapter(pack, line) for line in people] if in_full else [],
        "note": "" if in_full else note,
        "nobody": "" if people else PATIENTS.empty,
    }
    return document("evidence", values)


def _about(pack: Pack) -> str:
    people = pack.people.lines
    return _name(pack, people[0]) if len(people) == 1 else f"Site: {len(people)} patients"


def _name(pack: Pack, person: Line) -> str:
    """Whose a chapter is: last and first name with MRN, or the study number."""
    cells = dict(zip((column.name for column in pack.people.columns), person.cells, strict=True))
    if "family_name" in cells:
        return f"{cells['family_name'].upper()}, {cells['given_name']}, MRN {cells['mrn']}"
    return str(cells["study_number"])


def _chapter(pack: Pack, person: Line) -> dict[str, Any]:
    facts = [
        [column.title, _words(pack, column, value) or "Not recorded"]
        for column, value in zip(pack.people.columns, person.cells, strict=True)
    ]
    tables = [
        _printed(pack, one, person.patient_id)
        for one in pack.filled
        if one.table.of_patients and one.table is not PATIENTS
    ]
    return {"name": _name(pack, person), "facts": facts, "tables": tables}


def _printed(pack: Pack, filled: FilledTable, patient_id: int | None = None) -> dict[str, Any]:
    """A table as it is printed: without the columns that are empty in every line, or that only the archive holds."""
    columns, rows = filled.own, filled.own_cells(patient_id)
    kept = [
        place
        for place, column in enumerate(columns)
        if column.name not in NEVER_PRINTED and any(row[place] is not None for row in rows)
    ]
    return {
        "title": filled.table.title,
        "columns": [columns[place].title for place in kept],
        "rows": [[_words(pack, columns[place], row[place]) for place in kept] for row in rows],
        "empty": filled.table.empty,
    }


def _summary(pack: Pack) -> dict[str, Any]:
    """One line for each patient: what was due in the period and what became of it."""
    calendar = next(one for one in pack.filled if one.table is CALENDAR)
    place = [column.name for column in calendar.columns].index("status")
    counts: defaultdict[int | None, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in calendar.lines:
        counts[line.patient_id][line.cells[place]] += 1
    return {
        "title": "Patients of the period, and the obligations that fell due in it",
        "columns": ["Patient", *(status.capitalize() for status in _STATUSES)],
        "rows": [
            [_name(pack, line), *(str(counts[line.patient_id][status]) for status in _STATUSES)]
            for line in pack.people.lines
        ],
        "empty": PATIENTS.empty,
    }


def _words(pack: Pack, column: Column, value: Any) -> str:
    """A value as it is printed; codes in words."""
    text = shown(value, column, pack.head.time_zone)
    return pack.titles.get(text, text.replace("_", " ")) if column.kind is Kind.CODE else text


def _manifest(pack: Pack, made: Made, files: Mapping[str, str], counts: Mapping[str, int]) -> str:
    return json.dumps(
        {
            **dict(head_rows(pack.head)),
            "report": pack.head.title,
            "made_by": made.by,
            "made_on": made.on.isoformat(),
            "checksum": pack.checksum,
            "files": [
                {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "lines": counts.get(name)}
                for name, text in files.items()
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _local(value: Any, zone: ZoneInfo) -> Any:
    return value.astimezone(zone) if isinstance(value, datetime) else value


def write_pack(
    scope: Scope,
    head: Head,
    parameters: Parameters,
    form: ReportFormat,
    stream: BinaryIO,
    made: Made,
    watch: Watch | None = None,
) -> Written:
    """Write the pack of a patient, or of the site, as PDF or ZIP.

    Call it inside ``make_report``, which gives the head and the snapshot. ``watch`` is told after each table how many
    lines were read; what it raises ends the making. NotFound for an unknown patient.
    """
    filled: list[FilledTable] = []
    count = 0
    for one in filled_tables(scope, who_of(scope, parameters)):
        filled.append(_without_identity(scope, one, parameters))
        count += len(one.lines)
        if watch is not None:
            watch(count, None)
    pack = Pack(head, filled, _titles())
    stream.write(pack_zip(pack, made) if form is ReportFormat.ZIP else pack_pdf(pack, made))
    people = frozenset(line.patient_id for line in pack.people.lines if line.patient_id is not None)
    return Written(count, pack.checksum, people)


def _without_identity(scope: Scope, filled: FilledTable, parameters: Parameters) -> FilledTable:
    """The table as the parameters ask for it: with or without identity."""
    if parameters.identity is Identity.FULL:
        return filled
    first = first_infusions(scope, None) if parameters.identity is Identity.INTERVALS else {}
    context = Context(parameters.identity, scope.time_zone, first)
    columns, lines = deidentified(filled.columns, filled.lines, context)
    return FilledTable(filled.table, columns, tuple(ordered(lines, order_of(filled.columns))))


def _titles() -> dict[str, str]:
    """The titles of all requirements by code."""
    return {one.code: one.title for protocol in packaged_protocols().values() for one in protocol.requirements}
