"""ORU^R01 read into messages of the domain: one for each patient that a message tells of."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from clinic_tracker.domain.messages import (
    Identifier,
    Identity,
    Parsed,
    Reason,
    ResultMessage,
    Unreadable,
)
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.integrations.hl7v2.envelope import MalformedHeader, RawMessage, open_envelope, open_message
from clinic_tracker.integrations.hl7v2.fields import Reader, Row
from clinic_tracker.integrations.hl7v2.reports import Line, ReportGroup, note_text, read_report
from clinic_tracker.integrations.wire import LARGEST_FILE, check_zone, read_moment, wall_offset

_SEXES = {"F": Sex.FEMALE, "FEMALE": Sex.FEMALE, "M": Sex.MALE, "MALE": Sex.MALE}
_NOT_OF_THE_PATIENT = frozenset({"SS", "AN", "VN", "XX"})  # social security, account, visit
_TESTS = {"T": "training", "D": "debugging"}
_VERSION = re.compile(r"2(\.\d+)*")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)$", re.ASCII)


@dataclass(slots=True)
class PatientGroup:
    """The segments about one patient; ``person`` is ``None`` where the PID is missing."""

    person: Row | None = None
    notes: list[Row] = field(default_factory=list)
    reports: list[ReportGroup] = field(default_factory=list)
    stray: list[Row] = field(default_factory=list)  # values before the first OBR


def parse(raw: bytes, zone_name: str) -> list[Parsed]:
    """The results in a file or message of HL7 version 2; what cannot be read is in the list with place and reason.

    Times without an offset are on the clock of the zone. Never raises for any bytes (R-70: no result is lost quietly).
    """
    check_zone(zone_name)
    if len(raw) > LARGEST_FILE:
        return [Unreadable(0, "", "file", f"The file is larger than {LARGEST_FILE >> 20} MB.", Reason.TOO_LARGE)]
    opened = open_envelope(raw)
    found: list[Parsed] = []
    if opened.stray or not opened.messages:
        line = opened.stray[0] if opened.stray else 1
        message = (
            "A message begins with MSH, and this line belongs to none." if opened.stray else "There is no message."
        )
        found.append(Unreadable(0, "", f"line {line}", message, Reason.MISSING))
    for message_ in opened.messages:
        found += _read_message(message_, zone_name, len(found))
    for where, announced, really in opened.announced:
        words = f"The batch announces {announced} messages and has {really}: part of the file may be missing."
        found.append(Unreadable(len(found), "", where, words, Reason.MISSING))
    return found


def _read_message(message: RawMessage, zone_name: str, position: int) -> list[Parsed]:
    entries = (message.number,)
    try:
        segments = open_message(message)
    except MalformedHeader as error:
        where = f"MSH-{error.field} of message {message.number + 1}"
        return [Unreadable(position, "", where, str(error), Reason.INVALID, entries)]
    reader = Reader(segments, message.number, zone_name)
    header = segments.rows[0]
    control_id = reader.plain(reader.raw(header, 10))
    refused = _refused_header(reader, header) or _refused_body(reader)
    if refused:
        number, words, reason = refused
        where = reader.where(header, number) if isinstance(number, int) else f"{number} of message {message.number + 1}"
        return [Unreadable(position, control_id, where, words, reason, entries)]
    return [
        _read_patient(reader, group, control_id, position + offset)
        for offset, group in enumerate(_group(segments.rows))
    ]


def _refused_header(reader: Reader, header: Row) -> tuple[int | str, str, Reason] | None:
    kind = [part.upper() for part in reader.components(reader.first(header, 9))]
    version = reader.text(header, 12)
    if not kind[0]:
        return 9, "The type of the message is missing; results are ORU^R01.", Reason.MISSING
    if kind[0] != "ORU" or (len(kind) > 1 and kind[1] not in ("", "R01")):
        return 9, "Only results are read: ORU^R01.", Reason.UNSUPPORTED
    if version and not _VERSION.fullmatch(version):
        return 12, "Only version 2 of HL7 is read.", Reason.UNSUPPORTED
    if test := _TESTS.get(reader.text(header, 11).upper()):
        return 11, f"The sender marks the message as {test}: it is not recorded in a chart.", Reason.UNSUPPORTED
    return None


def _refused_body(reader: Reader) -> tuple[int | str, str, Reason] | None:
    segments = reader.segments
    if segments.broken_line:
        return f"line {segments.broken_line}", "This is neither a segment nor the text of one.", Reason.INVALID
    names = {row[0] for row in segments.rows}
    if any(row[0] == "DSC" and reader.text(row, 1) for row in segments.rows) or "ADD" in names:
        return "DSC" if "DSC" in names else "ADD", "Messages in several parts are not read.", Reason.UNSUPPORTED
    for needed, words in (("PID", "who the patient is"), ("OBR", "which test it is")):
        if needed not in names:
            return needed, f"The segment that says {words} is missing.", Reason.MISSING
    return None


def _group(rows: list[Row]) -> list[PatientGroup]:
    """The segments by patient and ordered test. Each PID begins a patient, each OBR a report."""
    groups = [PatientGroup()]
    order: Row | None = None
    for row in rows:
        name, group = row[0], groups[-1]
        if name == "PID":
            order = None
            if group.person is None and not (group.reports or group.stray):
                group.person = row
            else:
                groups.append(PatientGroup(person=row))
        elif name == "ORC":
            order = row
        elif name == "OBR":
            group.reports.append(ReportGroup(row) if order is None else ReportGroup(row, order))
            order = None
        elif name in ("OBX", "NTE", "SPM"):
            _add(group, name, row)
    return groups


def _add(group: PatientGroup, name: str, row: Row) -> None:
    """Put a segment where it belongs; a note belongs to what stands before it."""
    report = group.reports[-1] if group.reports else None
    if report is None:
        (group.stray if name == "OBX" else group.notes).append(row)
    elif name == "OBX":
        report.last = Line(row)
        (report.about_specimen if report.results_ended else report.lines).append(report.last)
    elif name == "SPM":
        report.specimens.append(row)
        report.last = None
        report.results_ended = bool(report.lines)
    else:
        (report.notes if report.last is None else report.last.notes).append(row)


def _read_patient(reader: Reader, group: PatientGroup, control_id: str, position: int) -> Parsed:
    entries = (reader.number,)
    missing = "PID" if group.person is None else "OBR" if not group.reports else ""
    if missing or group.person is None:
        words = "The segment that says who the patient is comes after results, or is missing."
        if group.person is not None:
            words = "A patient without any ordered test."
        where = f"{missing} of message {reader.number + 1}"
        return Unreadable(position, control_id, where, words, Reason.MISSING, entries)
    header = reader.segments.rows[0]
    reader.problems.clear()
    sent = reader.moment(header, 7)
    reader.default_offset = _default_offset(reader, header)
    identity = _identity(reader, group.person)
    for row in group.stray:
        reader.note(row, 3, "A value before the first ordered test is not read.")
    sent_at = sent.at if sent else None
    reports = tuple(read_report(reader, one, sent_at) for one in group.reports)
    return ResultMessage(
        position,
        control_id,
        identity,
        reports,
        laboratory=reader.text(header, 4) or reader.text(header, 3),
        sent_at=sent_at,
        notes=tuple(text for row in group.notes if row[0] == "NTE" for text in note_text(reader, row)),
        entries=entries,
        problems=tuple(reader.problems),
    )


def _default_offset(reader: Reader, header: Row) -> str:
    """The offset in MSH-7 holds for all times of the message that have none.

    If it is the one of the clinic at that moment, the clinic's zone is meant, which has another in the other season.
    """
    sent = reader.text(header, 7)
    match = _OFFSET.search(sent)
    if match is None:
        return ""
    try:
        at = read_moment(sent, reader.zone_name).at
    except ValueError:
        return ""
    offset = timedelta(hours=int(match[2]), minutes=int(match[3])) * (-1 if match[1] == "-" else 1)
    return "" if at is None or wall_offset(at, reader.zone_name) == offset else match[0]


def _identity(reader: Reader, person: Row) -> Identity:
    names = reader.repetitions(person, 5)
    legal = (name for name in names if reader.component(name, 7).upper() == "L")
    name = next(legal, names[0] if names else "")
    return Identity(
        identifiers=_identifiers(reader, person),
        family_name=reader.component(name, 1),
        given_name=reader.component(name, 2),
        birth_date=reader.birth_date(person, 7),
        sex=_SEXES.get(reader.text(person, 8).upper(), Sex.UNKNOWN),
    )


def _identifiers(reader: Reader, person: Row) -> tuple[Identifier, ...]:
    """The numbers of the patient from PID-3, and PID-2 and PID-4 of old versions; not those of a visit or account."""
    found: dict[Identifier, None] = {}
    for number in (3, 2, 4):
        for sent in reader.repetitions(person, number):
            value, kind = reader.component(sent, 1), reader.component(sent, 5).upper()
            if value and kind not in _NOT_OF_THE_PATIENT:
                found[Identifier(value, _authority(reader, sent), kind)] = None
    return tuple(found)


def _authority(reader: Reader, sent: str) -> str:
    """Who gave a number: the name, or else the universal identifier."""
    delimiters = reader.segments.delimiters
    parts = sent.split(delimiters.component)
    if len(parts) < 4:  # noqa: PLR2004
        return ""
    named = [reader.plain(part) for part in parts[3].split(delimiters.part)]
    return next(filter(None, named), "")
