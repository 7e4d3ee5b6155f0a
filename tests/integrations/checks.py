"""What holds for every answer of a parser, whatever bytes it got; and how bytes are spoiled."""

import dataclasses
import json
import random
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from clinic_tracker.domain.messages import Outcome, Parsed, ResultMessage, Unreadable, not_read
from clinic_tracker.integrations import fhir, hl7v2, tables
from tests.integrations import table_corpus

NOW = datetime(2026, 1, 22, tzinfo=UTC)
PIECES = [
    *(b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x0b", b"\x1c\r", b"\x00", b"\xff", b"\\X00\\", b"MSH|^~\\&|"),
    *(b"PID|", b"OBR|", b"OBX|1|SN|", b"SPM|1|", b"NTE|", b"BTS|9", b"DSC|1", b'"', b"{", b"}", b"[", b"]", b":", b","),
    *(b"null", b"1e999", b"\\ud800", b"\\u0000", b'{"a":1,"a":2}', b"-1", b"99999999999999", b'"#p1"', b" "),
    *(
        b'"Observation/o1"',
        b"\t",
        b";",
        b",",
        b'""',
        b"=1+1",
        b"1/2/2026",
        b"sep=;\n",
        b"<v>",
        b"</c>",
        b't="s"',
        b"A1",
    ),
]


def texts_of(value: Any) -> list[str]:
    if isinstance(value, Enum | datetime | date | int | None):
        return []
    if isinstance(value, str):
        return [value]
    if dataclasses.is_dataclass(value):
        return texts_of(tuple(getattr(value, one.name) for one in dataclasses.fields(value)))
    return [text for part in value for text in texts_of(part)]


def check(found: list[Parsed]) -> list[Outcome]:
    """What holds for every answer of a parser, and outcomes as the pipeline would have them."""
    assert found
    assert [part.position for part in found] == list(range(len(found)))
    check_parts(found)
    return [
        not_read(part) if isinstance(part, Unreadable) else Outcome(part.position, True, part.problems, part.entries)
        for part in found
    ]


def check_parts(found: list[Parsed]) -> None:
    """What was read can be stored, and every time has a zone."""
    for text in texts_of(tuple(found)):
        text.encode()  # no half characters
        assert "\x00" not in text
    for part in found:
        if isinstance(part, ResultMessage):
            assert part.reports
            for report in part.reports:
                assert report.collected_at is None or (report.collected_on and report.collected_at.tzinfo)


def check_hl7(raw: bytes, zone: str = "UTC") -> None:
    outcomes = check(hl7v2.parse(raw, zone))
    answer = hl7v2.acknowledge(raw, outcomes, NOW)
    assert answer.count(b"\rMSA") == max(1, len({entry for one in outcomes for entry in one.entries}))


def check_fhir(raw: bytes, zone: str = "UTC") -> None:
    found = fhir.parse(raw, zone)
    outcomes = check(found)
    json.dumps(fhir.answer(raw, outcomes))
    try:
        tree = json.loads(raw)
    except (ValueError, RecursionError):
        return
    entries = tree.get("entry") if isinstance(tree, dict) and tree.get("resourceType") == "Bundle" else None
    if isinstance(entries, list) and not any(not part.entries for part in found):
        told = {entry for part in found for entry in part.entries}
        for index, sent in enumerate(entries):  # every result is in a message, or refused
            kind = sent.get("resource") if isinstance(sent, dict) else None
            mode = sent.get("search") if isinstance(sent, dict) else None
            if isinstance(kind, dict) and kind.get("resourceType") in ("Observation", "DiagnosticReport") and not mode:
                assert index in told


def check_table(raw: bytes, zone: str = "UTC") -> None:
    """Bytes as a file of a table: each line is taken or refused once, and nothing raises."""
    for mapping in table_corpus.MAPPINGS:
        found = tables.parse(raw, zone, mapping)
        assert found
        places = [part.position for part in found]
        assert places == sorted(set(places))
        lines = [line for part in found for line in part.entries]
        assert len(lines) == len(set(lines))
        check_parts(found)


def check_sheet(content: bytes, zone: str = "UTC") -> None:
    """Bytes as the sheet of a workbook."""
    check_table(table_corpus.with_sheet(content), zone)


def mutated(raw: bytes, seed: int, times: int) -> bytes:
    """The bytes with some cut out, doubled, moved or replaced."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    made = bytearray(raw)
    for _ in range(times):
        start = rng.randrange(len(made) + 1)
        end = min(len(made), start + rng.choice((0, 1, 1, 2, 5, 30)))
        piece = rng.choice((rng.choice(PIECES), bytes(made[start:end]) * 2, b"", bytes([rng.randrange(256)])))
        made[start:end] = piece
    return bytes(made)
