"""Acknowledgments: ACK^R01 for each message of a file, in the delimiters and characters it came in.

AA: taken. AE: something in it could not be read, with an ERR for each. AR: a kind of message that is not taken here at
all, or nothing could be kept for now. To be sent only after the results are kept.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from clinic_tracker.domain.messages import Outcome, Problem, Reason
from clinic_tracker.integrations.hl7v2.delimiters import USUAL, Delimiters, delimiters_of
from clinic_tracker.integrations.hl7v2.envelope import RawMessage, open_envelope
from clinic_tracker.integrations.wire import safe

_WITHOUT_ERL = ("2.1", "2.2", "2.3", "2.4")  # versions whose ERR has only its first field
_STRUCTURED_TYPE = ("2.4", "2.5", "2.6", "2.7", "2.8", "2.9")
_VERSION = re.compile(r"2\.\d(?:\.\d)?")
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+))?(?:\[(\d+)\])? of message \d+")
_CODES = {  # table 0357
    Reason.MISSING: ("101", "Required field missing"),
    Reason.INVALID: ("102", "Data type error"),
    Reason.UNSUPPORTED: ("200", "Unsupported message type"),
    Reason.TOO_LARGE: ("207", "Application internal error"),
    Reason.NOT_STORED: ("207", "Application internal error"),
}
_REJECTS = frozenset({Reason.UNSUPPORTED, Reason.TOO_LARGE, Reason.NOT_STORED})  # not because of what was sent
_MOST_ERRORS = 50
_WIDEST_TEXT = 200


def acknowledge(raw: bytes, outcomes: Sequence[Outcome], now: datetime) -> bytes:
    """The answer to a file or message: one ACK for each message in it, in a batch if it was one.

    What has no message at all (bytes that are not HL7) is answered by one ACK without a control id. A message without
    any outcome is answered with AE: the sender should send it again.
    """
    opened = open_envelope(raw)
    of_file = [one for one in outcomes if not one.entries]
    messages = opened.messages or [RawMessage(0, [b"MSH|^~\\&|||||||||"])]
    answers = []
    mark = hashlib.sha256(raw).hexdigest()[:12].upper()
    of_message: dict[int, list[Outcome]] = {}
    for one in outcomes:
        for number in one.entries:
            of_message.setdefault(number, []).append(one)
    for message in messages:
        own = of_message.get(message.number, [])
        if len(messages) == 1:
            own = [*own, *of_file]
        answers.append(_answer(message, own, now, f"{mark}{message.number + 1}"))
    if len(answers) == 1 and not opened.is_batch:
        return answers[0]
    return _batch(answers, of_file if len(messages) > 1 else [], now)


def _batch(answers: list[bytes], of_file: list[Outcome], now: datetime) -> bytes:
    header = f"BHS|^~\\&|||||{_time(now)}"
    remarks = "; ".join(_line(problem, USUAL) for one in of_file for problem in one.problems)
    trailer = f"BTS|{len(answers)}|{remarks}" if remarks else f"BTS|{len(answers)}"
    return b"".join([header.encode(), b"\r", *answers, trailer.encode(), b"\r"])


def _answer(message: RawMessage, outcomes: list[Outcome], now: datetime, own_id: str) -> bytes:
    """MSH, MSA and an ERR for each problem; the control id is echoed byte by byte."""
    header = message.lines[0].decode("latin-1")
    delimiters = delimiters_of(header[:16])
    fields = header.split(delimiters.field) if delimiters else []
    fields += [""] * (19 - len(fields))
    delimiters = delimiters or USUAL
    code = _code(outcomes)
    problems = [problem for one in outcomes for problem in one.problems]
    rows = [
        _header(fields, delimiters, now, own_id),
        [
            "MSA",
            code,
            fields[9].strip(),
            *([] if code == "AA" else [_line(problems[0], delimiters) if problems else ""]),
        ],
        *_errors(problems[:_MOST_ERRORS], outcomes, fields[11].strip(), delimiters),
    ]
    return b"".join(delimiters.field.join(row).encode("latin-1", errors="replace") + b"\r" for row in rows)


def _header(fields: list[str], delimiters: Delimiters, now: datetime, own_id: str) -> list[str]:
    """MSH with sender and receiver changed places. ``fields`` leaves out MSH-1, so its index is one less."""
    version = fields[11].strip()
    known = version if _VERSION.match(version) else "2.5.1"
    kind = ["ACK", "R01", "ACK"] if known.startswith(_STRUCTURED_TYPE) else ["ACK", "R01"]
    named = delimiters.component + delimiters.repetition + delimiters.escape + delimiters.part
    row = ["MSH", named, fields[4], fields[5], fields[2], fields[3], _time(now), ""]
    row += [delimiters.component.join(kind), own_id, fields[10].strip() or "P", known]
    return [*row, "", "", "", "", "", fields[17]] if fields[17].strip() else row


def _code(outcomes: list[Outcome]) -> str:
    refused = [one for one in outcomes if not one.taken]
    if outcomes and not refused:
        return "AA"
    problems = [problem for one in refused for problem in one.problems]
    if not outcomes or len(refused) < len(outcomes) or not problems:
        return "AE"
    return "AR" if all(one.reason in _REJECTS or one.where.startswith("MSH") for one in problems) else "AE"


def _errors(problems: list[Problem], outcomes: list[Outcome], version: str, marks: Delimiters) -> list[list[str]]:
    """An ERR for each problem: an error where something was not taken, a warning where it only waits for a person."""
    refused = {id(problem) for one in outcomes if not one.taken for problem in one.problems}
    rows = []
    for problem in problems:
        code, title = _CODES[problem.reason]
        place = _PLACE.fullmatch(problem.where)
        segment, nth, number, repetition = place.groups() if place else ("", None, None, None)
        if version.startswith(_WITHOUT_ERL):
            said = marks.part.join([code, title, "HL70357"])
            rows.append(["ERR", marks.component.join([segment, nth or "1", number or "", said])])
            continue
        erl = marks.component.join([segment, nth or "1", number or "", repetition or "1"]) if segment else ""
        said = marks.component.join([code, title, "HL70357"])
        severity = "E" if id(problem) in refused else "W"
        rows.append(["ERR", "", erl, said, severity, "", "", "", _line(problem, marks)])
    return rows


def _line(problem: Problem, marks: Delimiters) -> str:
    """A problem in one line, with the delimiters escaped."""
    text = safe(f"{problem.where}: {problem.message}" if problem.where else problem.message).replace("\n", " ")
    escapes = {
        marks.escape: "E",
        marks.field: "F",
        marks.component: "S",
        marks.repetition: "R",
        marks.part: "T",
    }
    return "".join(
        f"{marks.escape}{escapes[one]}{marks.escape}" if one in escapes else one if one.isascii() else "?"
        for one in text[:_WIDEST_TEXT]
    )


def _time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
