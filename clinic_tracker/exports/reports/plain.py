"""Reports as CSV and as JSON, written as they are read."""

import json
from typing import Any, BinaryIO

from clinic_tracker.exports.reports.reading import Made, Reading


def write_csv(reading: Reading, stream: BinaryIO, _made: Made) -> None:
    """A bare table (RFC 4180), header first, safe to open in a spreadsheet."""
    stream.write(reading.header.encode())
    stream.writelines(part.table for part in reading.parts())


def write_json(reading: Reading, stream: BinaryIO, made: Made) -> None:
    """One object: what was asked, the columns with their definitions, the lines as objects, count and checksum."""
    head, columns = reading.report.head, reading.report.columns
    before = {
        "report": head.name,
        "title": head.title,
        "question": head.question,
        "clinic": head.clinic,
        "time_zone": head.time_zone,
        "as_of": head.as_of.isoformat(),
        "known_at": head.known_at,
        "parameters": dict(head.parameters),
        "protocol": head.protocol,
        "deidentified": head.deidentified,
        "notes": list(head.notes),
        "made": {"by": made.by, "on": made.on.isoformat()},
        "columns": [
            {"name": one.name, "title": one.title, "kind": one.kind.value, "definition": one.definition}
            for one in columns
        ],
    }
    names = [column.name for column in columns]
    stream.write(_text(before).removesuffix("}").encode() + b',"lines":[')
    separator = "\n"
    for part in reading.parts():
        lines = ",\n".join(_text(dict(zip(names, row, strict=True))) for row in part.rows)
        stream.write((separator + lines).encode("utf-8", "replace"))
        separator = ",\n"
    totals = {names[place]: total for place, total in reading.totals.items()}
    after = {"count": reading.count, "totals": totals, "checksum": reading.checksum}
    stream.write(("\n]," + _text(after).removeprefix("{") + "\n").encode())


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
