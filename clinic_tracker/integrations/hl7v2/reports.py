"""One ordered test of HL7: its OBR, and the ORC, OBX, SPM and NTE that belong to it."""

from dataclasses import dataclass, field
from datetime import datetime

from clinic_tracker.domain.messages import Observed, Reason, ReportState, SentReport
from clinic_tracker.integrations.hl7v2 import states
from clinic_tracker.integrations.hl7v2.fields import Reader, Row
from clinic_tracker.integrations.wire import Moment, printed_range, state_of_lines

_NO_ROW: Row = [""]


@dataclass(slots=True)
class Line:
    """An OBX with its notes."""

    row: Row
    notes: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class ReportGroup:
    """The segments of one ordered test. ``about_specimen``: what was observed of the specimen, not of the patient.

    Those are the OBX after an SPM that itself comes after results. ``last`` is what a following note is about.
    """

    request: Row
    order: Row = field(default_factory=lambda: _NO_ROW)
    notes: list[Row] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    specimens: list[Row] = field(default_factory=list)
    about_specimen: list[Line] = field(default_factory=list)
    last: Line | None = None
    results_ended: bool = False


def read_report(reader: Reader, group: ReportGroup, sent_at: datetime | None) -> SentReport:
    """The report of a group; fields that cannot be read are left empty and noted in it."""
    before = len(reader.problems)
    own = _own_state(reader, group)
    values = tuple(_value(reader, line, own) for line in group.lines)
    state = _state(reader, group, own, values)
    collected = _collected(reader, group)
    issued = reader.moment(group.request, 22)
    notes = tuple(note for row in group.notes for note in note_text(reader, row))
    problems = tuple(reader.problems[before:])
    del reader.problems[before:]
    return SentReport(
        key=_number(reader, (group.request, 3), (group.order, 3), (group.request, 2)),
        codes=reader.codes(reader.first(group.request, 4)),
        state=state,
        collected_on=collected.on if collected else None,
        collected_at=collected.at if collected else None,
        issued_at=issued.at if issued and issued.at else sent_at,
        order_key=_number(reader, (group.request, 2), (group.order, 2)),
        values=values,
        notes=notes + _specimen_notes(reader, group),
        specimen=next(filter(None, (_specimen(reader, row) for row in group.specimens)), ""),
        problems=problems,
    )


def note_text(reader: Reader, row: Row) -> list[str]:
    """What an NTE says, one text for each of its repetitions together."""
    text = "\n".join(reader.plain(one) for one in reader.repetitions(row, 3)).strip()
    return [text] if text else []


def _number(reader: Reader, *places: tuple[Row, int]) -> str:
    """The first number given in these fields, with who gave it."""
    for row, number in places:
        parts = reader.components(reader.first(row, number))
        if parts[0]:
            return "^".join(part for part in parts[:2] if part)
    return ""


def _own_state(reader: Reader, group: ReportGroup) -> ReportState | None:
    """What OBR-25 says, or the order where it does not."""
    letter = reader.text(group.request, 25).upper()
    if not letter:
        return states.OF_ORDER.get(reader.text(group.order, 5).upper())
    if letter not in states.OF_REPORT:
        reader.note(group.request, 25, "This is not a status of a result.")
        return ReportState.PRELIMINARY
    return states.OF_REPORT[letter]


def _state(reader: Reader, group: ReportGroup, own: ReportState | None, values: tuple[Observed, ...]) -> ReportState:
    """The state of the whole: a final report with a corrected line is a correction, a refused specimen a rejection."""
    state = own or state_of_lines([value.state for value in values])
    if state is ReportState.FINAL and any(value.state is ReportState.CORRECTED for value in values):
        return ReportState.CORRECTED
    refused = any(reader.raw(row, 21) or reader.text(row, 20).upper() == "N" for row in group.specimens)
    has_value = any(value.text and value.state is not ReportState.REJECTED for value in values)
    if refused and not has_value:
        return ReportState.REJECTED
    if own is None and not values and group.specimens:
        return ReportState.COLLECTED
    return state


def _collected(reader: Reader, group: ReportGroup) -> Moment | None:
    """When the specimen was taken: OBR-7, or else SPM-17. Nothing else is taken for it."""
    collected = reader.moment(group.request, 7)
    if collected is None:
        for row in group.specimens:
            collected = collected or reader.moment(row, 17)
    if collected is None and not reader.text(group.request, 7):
        reader.note(group.request, 7, "The date of collection is missing.", Reason.MISSING)
    return collected


def _value(reader: Reader, line: Line, report_state: ReportState | None) -> Observed:
    row = line.row
    text, value_codes, remark = reader.value(reader.text(row, 2).upper(), row)
    unit, unit_text = reader.unit(reader.first(row, 6)) if reader.raw(row, 6) else ("", "")
    range_text = reader.plain(reader.raw(row, 7))
    low, high = printed_range(range_text, unit) if range_text else ("", "")
    flags = [reader.component(one, 1) for one in reader.repetitions(row, 8)]
    notes = [note for sent in line.notes for note in note_text(reader, sent)]
    return Observed(
        codes=reader.codes(reader.first(row, 3)),
        text=text,
        unit=unit,
        low=low,
        high=high,
        flag=",".join(filter(None, flags)),
        state=_value_state(reader, row, report_state),
        notes=tuple([remark, *notes] if remark else notes),
        unit_text=unit_text,
        range_text=range_text,
        value_codes=value_codes,
        key=reader.text(row, 21),
    )


def _value_state(reader: Reader, row: Row, report_state: ReportState | None) -> ReportState:
    letter = reader.text(row, 11).upper()
    if not letter:
        return report_state or ReportState.FINAL
    if letter not in states.OF_VALUE:
        reader.note(row, 11, "This is not a status of a result.")
        return ReportState.PRELIMINARY
    return states.OF_VALUE[letter]


def _specimen(reader: Reader, row: Row) -> str:
    """The number of a specimen: the laboratory's, or else the one of who ordered."""
    delimiters = reader.segments.delimiters
    parts = reader.first(row, 2).split(delimiters.component)
    given = [reader.plain(part.split(delimiters.part)[0]) for part in parts]
    return next((number for number in reversed(given[:2]) if number), "")


def _specimen_notes(reader: Reader, group: ReportGroup) -> tuple[str, ...]:
    """What is said of the specimens, in words."""
    said = []
    for row in group.specimens:
        for number, title in ((21, "Specimen rejected"), (24, "Specimen condition")):
            words = [_specimen_words(reader, one) for one in reader.repetitions(row, number)]
            said += [f"{title}: {', '.join(words)}"] if words else []
        said += [f"Specimen: {text}" for one in reader.repetitions(row, 14) if (text := reader.plain(one))]
    for line in group.about_specimen:
        text, _codes, _remark = reader.value(reader.text(line.row, 2).upper(), line.row)
        title = reader.concept_text(reader.first(line.row, 3))
        said += [f"Specimen, {title}: {text}", *(note for row in line.notes for note in note_text(reader, row))]
    return tuple(said)


def _specimen_words(reader: Reader, sent: str) -> str:
    codes = reader.codes(sent)
    if codes and codes[0].text:
        return codes[0].text
    return states.SPECIMEN_WORDS.get(codes[0].code.upper(), codes[0].code) if codes else ""
