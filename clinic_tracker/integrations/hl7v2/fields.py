"""Fields of HL7 by the data types that results use: codes, units, numbers with comparators, names, times."""

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from clinic_tracker.domain.messages import Coded, Problem, Reason
from clinic_tracker.integrations.hl7v2.delimiters import Delimiters, plain
from clinic_tracker.integrations.hl7v2.envelope import Segments
from clinic_tracker.integrations.wire import Moment, code_system, read_moment

Row = list[str]
_POWER_OF_TEN = re.compile(r"[xX]?10")
_ATTACHED = frozenset({"ED", "RP", "ELR"})
_FREE_TEXT = frozenset({"TX", "FT", "ST", "NM", "DT", "TM", "TS", "DTM", "ID", "SI", "GTS", ""})
_CODES = frozenset({"CE", "CWE", "CNE", "CF", "IS", "CNN"})
# Where a coded value of HL7 has its alternates: code, text and name of the system; 2.7 added a second one.
_ALTERNATES = ((0, 1, 2), (3, 4, 5), (9, 10, 11))
_ORIGINAL_TEXT = 8
_WORTH_KEEPING = 200


@dataclass(slots=True)
class Reader:
    """Reads fields of one message; what cannot be read is noted in ``problems`` with its place."""

    segments: Segments
    number: int  # of the message in the file, from 0
    zone_name: str
    default_offset: str = ""
    problems: list[Problem] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)  # which one of its kind a segment is

    def raw(self, row: Row, number: int) -> str:
        """A field as sent; "" where the segment is shorter."""
        return row[number] if len(row) > number else ""

    def text(self, row: Row, number: int, component: int = 1) -> str:
        """A component of a field's first repetition."""
        return self.component(self.first(row, number), component)

    def first(self, row: Row, number: int) -> str:
        """The first repetition of a field, as sent."""
        return row[number].split(self.segments.delimiters.repetition, 1)[0] if len(row) > number else ""

    def repetitions(self, row: Row, number: int) -> list[str]:
        """The repetitions of a field that say something, as sent."""
        sent = self.raw(row, number)
        if self.segments.delimiters.repetition not in sent:
            return [sent] if sent.strip() else []
        return [one for one in sent.split(self.segments.delimiters.repetition) if one.strip()]

    def component(self, sent: str, number: int) -> str:
        """A component, and of that the first part, as text."""
        delimiters = self.segments.delimiters
        if delimiters.component in sent:
            parts = sent.split(delimiters.component)
            sent = parts[number - 1] if len(parts) >= number else ""
        elif number > 1:
            return ""
        return self.plain(sent.split(delimiters.part, 1)[0])

    def components(self, sent: str) -> list[str]:
        """All components as text."""
        return [self.plain(one) for one in sent.split(self.segments.delimiters.component)]

    def plain(self, sent: str) -> str:
        """A piece without delimiters, as text."""
        return plain(sent, self.segments.delimiters, self.segments.encoding)

    def where(self, row: Row, number: int, repetition: int = 1) -> str:
        """The place of a field in words for its sender: OBX[2]-5 of message 3."""
        if not self._places:
            counts: dict[str, int] = {}
            for other in self.segments.rows:
                counts[other[0]] = self._places[id(other)] = counts.get(other[0], 0) + 1
        nth = self._places.get(id(row), 1)
        repeated = f"[{repetition}]" if repetition > 1 else ""
        return f"{row[0]}{f'[{nth}]' if nth > 1 else ''}-{number}{repeated} of message {self.number + 1}"

    def note(self, row: Row, number: int, message: str, reason: Reason = Reason.INVALID) -> None:
        """Remember that a field was left empty."""
        self.problems.append(Problem(self.where(row, number), message, reason))

    def moment(self, row: Row, number: int, component: int = 1) -> Moment | None:
        """A timestamp; ``None`` if there is none, or none that can be read, which is noted."""
        sent = self.text(row, number, component)
        if not sent:
            return None
        try:
            return read_moment(sent, self.zone_name, self.default_offset)
        except ValueError as error:
            self.note(row, number, str(error))
            return None

    def birth_date(self, row: Row, number: int) -> date | None:
        """A date that no time zone moves."""
        sent = self.text(row, number)
        if not sent:
            return None
        try:
            return read_moment(sent[:10] if "-" in sent[:5] else sent[:8], "UTC").on
        except ValueError as error:
            self.note(row, number, str(error))
            return None

    def codes(self, sent: str) -> tuple[Coded, ...]:
        """The codes of a concept, the same thing in up to three systems."""
        read = _codes if len(sent) < _WORTH_KEEPING else _codes.__wrapped__
        return read(sent, self.segments.delimiters, self.segments.encoding)

    def concept_text(self, sent: str) -> str:
        """A concept in words: its text, or the code where it has no text."""
        for coded in self.codes(sent):
            if coded.text:
                return coded.text
        parts = self.components(sent)
        if len(parts) > _ORIGINAL_TEXT and parts[_ORIGINAL_TEXT]:
            return parts[_ORIGINAL_TEXT]
        # A bare code of a named system is no number, whatever its digits are.
        return f"{parts[0]} ({parts[2]})" if len(parts) > 2 and parts[0] and parts[2] else parts[0]  # noqa: PLR2004

    def unit(self, sent: str) -> tuple[str, str]:
        """A unit, and its other spelling if one was sent."""
        read = _unit if len(sent) < _WORTH_KEEPING else _unit.__wrapped__
        return read(sent, self.segments.delimiters, self.segments.encoding)

    def value(self, kind: str, row: Row) -> tuple[str, tuple[Coded, ...], str]:
        """The value of an OBX as printed, its codes if it is a concept, and a remark if it cannot be shown."""
        sent = self.repetitions(row, 5)
        if kind in _ATTACHED:
            return "", (), "An attached document was sent; it is kept in the message and not read."
        if kind in _CODES:
            codes = tuple(coded for one in sent for coded in self.codes(one))
            return "\n".join(self.concept_text(one) for one in sent), codes, ""
        if kind == "SN":
            return "\n".join(self._structured(one) for one in sent), (), ""
        if kind not in _FREE_TEXT:
            self.note(row, 2, "This type of value is not read; its text is kept.", Reason.UNSUPPORTED)
        return "\n".join(self.plain(one) for one in sent), (), ""

    def _structured(self, sent: str) -> str:
        """A structured number: comparator, number, separator, number ("<" "0.1"; "1" ":" "64")."""
        comparator, first, separator, second, *_ = [*self.components(sent), "", "", "", ""]
        return ("" if comparator == "=" else comparator) + first + separator + second


# A laboratory sends the same few codes and units in every message, so what they mean is remembered.


@lru_cache(maxsize=2048)
def _codes(sent: str, delimiters: Delimiters, encoding: str) -> tuple[Coded, ...]:
    parts = [plain(one, delimiters, encoding) for one in sent.split(delimiters.component)]
    parts += [""] * (_ALTERNATES[-1][-1] + 1 - len(parts))
    found = [
        Coded(parts[code], code_system(parts[system]), parts[text])
        for code, text, system in _ALTERNATES
        if parts[code] or parts[text]
    ]
    if not found and parts[_ORIGINAL_TEXT]:
        found = [Coded("", "", parts[_ORIGINAL_TEXT])]
    return tuple(found)


@lru_cache(maxsize=1024)
def _unit(sent: str, delimiters: Delimiters, encoding: str) -> tuple[str, str]:
    """10^3/uL is often sent unescaped, and comes as two components: 10, 3/uL."""
    parts = [plain(one, delimiters, encoding) for one in sent.split(delimiters.component)]
    if len(parts) > 1 and _POWER_OF_TEN.fullmatch(parts[0]) and parts[1][:1].isdigit():
        return f"{parts[0]}^{parts[1]}", ""
    first, second = parts[0], parts[1] if len(parts) > 1 else ""
    return (first or second), (second if first and second != first else "")
