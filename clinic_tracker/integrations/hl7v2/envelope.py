"""From the bytes of a file to its messages: framing, batches, line ends, characters, delimiters."""

import codecs
import re
from dataclasses import dataclass, field
from functools import lru_cache

from clinic_tracker.integrations.hl7v2.delimiters import Delimiters, delimiters_of

_FRAMING = b"\x00\x0b\x1c\x1a\r\n\t "
_LINE_END = re.compile(rb"[\r\n\x0b\x1c]+")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_NEARLY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2}")
_MAY_BE_BARE = frozenset({"PID", "PD1", "PV1", "PV2", "ORC", "OBR", "OBX", "NTE", "SPM", "TQ1", "DSC"})
_CONTINUED = ("OBX", "NTE")  # whose text some systems break into lines without escaping them
_MOST_CONTINUED = 5000
_TEXT_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHARACTER_SETS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
    "ISO IR6": "utf-8",
}
_FALLBACK = "cp1252"  # Latin-1, with the quotation marks and dashes of Windows
_LATIN = re.compile(r"(?:ISO[- ]?)?8859[-/](\d{1,2})")


class MalformedHeader(ValueError):
    """The header of a message cannot be used; ``field`` is the number of the field that is wrong."""

    def __init__(self, field_number: int, message: str) -> None:
        """What is wrong with which field."""
        super().__init__(message)
        self.field = field_number


@dataclass(slots=True)
class RawMessage:
    """The lines of one message, from its MSH on; ``number`` counts from 0."""

    number: int
    lines: list[bytes]


@dataclass(slots=True)
class Envelope:
    """A file taken apart. ``announced`` is the count in each batch trailer, beside the messages really there."""

    messages: list[RawMessage] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)  # numbers of lines that belong to no message
    announced: list[tuple[str, int, int]] = field(default_factory=list)
    is_batch: bool = False


@dataclass(slots=True)
class Segments:
    """One message as text: its delimiters, the encoding it came in, and its segments, each a list of raw fields.

    A field number of the standard is the index of the field; that holds for MSH too, whose field 1 is the separator.
    """

    delimiters: Delimiters
    encoding: str
    rows: list[list[str]]
    broken_line: int = 0  # number of the first line that is no segment; 0 if all are
    continued: int = 0  # lines that went on with the text of another


def open_envelope(raw: bytes) -> Envelope:
    """Split a file into messages, whatever frames and batches are around them."""
    if raw.startswith(_TEXT_16):
        raw = raw.decode("utf-16", errors="replace").encode()
    raw = raw.removeprefix(codecs.BOM_UTF8).strip(_FRAMING)
    opened = Envelope()
    batch_begins = 0
    ended = False
    for number, line in enumerate(_LINE_END.split(raw), start=1):
        kind = line[:3] if line[:1] != b" " else line.lstrip()[:3]
        if kind == b"MSH":
            opened.messages.append(RawMessage(len(opened.messages), [line.lstrip()]))
            ended = False
        elif kind in (b"FHS", b"BHS", b"BTS", b"FTS"):
            opened.is_batch = ended = True
            if kind == b"BHS":
                batch_begins = len(opened.messages)
            elif kind == b"BTS":
                _note_count(opened, line, len(opened.messages) - batch_begins)
        elif line.strip():
            if opened.messages and not ended:
                opened.messages[-1].lines.append(line)
            else:
                opened.stray.append(number)
    return opened


def _note_count(opened: Envelope, line: bytes, really: int) -> None:
    count = line[4:].split(line[3:4] or b"|")[0].strip()
    if count.isdigit() and len(count) < 9 and int(count) != really:  # noqa: PLR2004 - longer is no count
        opened.announced.append(("BTS-1", int(count), really))


def open_message(message: RawMessage) -> Segments:
    """A message as fields. Raises ``MalformedHeader`` if its own first line does not tell how to read it."""
    header = message.lines[0]
    delimiters = delimiters_of(header[:16].decode("latin-1"))
    if delimiters is None:
        raise MalformedHeader(2, "MSH-1 and MSH-2 must be five different characters, for example |^~\\&.")
    encoding = _encoding(message.lines, delimiters)
    opened = Segments(delimiters, encoding, [])
    separator = delimiters.field
    for number, line in enumerate(message.lines, start=1):
        text = line.decode(encoding, errors="replace").lstrip()
        if not _is_segment(text, separator):
            _go_on(opened, text, number)
            if opened.broken_line:  # the message is refused
                break
            continue
        row = text.split(separator)
        if number == 1:
            row.insert(1, separator)
        opened.rows.append(row)
    return opened


def _is_segment(text: str, separator: str) -> bool:
    name = text[:3]
    if text[3:4] == separator:
        return _NAME.fullmatch(name) is not None
    return text.rstrip() in _MAY_BE_BARE


def _go_on(opened: Segments, text: str, number: int) -> None:
    """Text whose line ends were not escaped belongs to the line before; anything else is not a segment."""
    last, separator = opened.rows[-1], opened.delimiters.field
    nearly = text[3:4] == separator and _NEARLY_NAME.match(text)
    opened.continued += 1
    if last[0] in _CONTINUED and not nearly and opened.continued < _MOST_CONTINUED:
        words = text.split(separator)
        last[-1] = f"{last[-1]}\n{words[0]}"
        last.extend(words[1:])
    else:
        opened.broken_line = number


def _encoding(lines: list[bytes], delimiters: Delimiters) -> str:
    """UTF-8 where the bytes are; otherwise what MSH-18 names, and failing that Western European."""
    fields = lines[0].decode("latin-1").split(delimiters.field)
    declared = fields[17].split(delimiters.repetition)[0].strip().upper() if len(fields) > 17 else ""  # noqa: PLR2004
    encoding = _codec(declared)
    if all(line.isascii() for line in lines):
        return encoding
    try:
        for line in lines:
            line.decode(encoding)
    except ValueError:
        return _FALLBACK
    return encoding


@lru_cache(maxsize=64)
def _codec(declared: str) -> str:
    if known := _CHARACTER_SETS.get(declared):
        return known
    if match := _LATIN.fullmatch(declared):
        try:
            return codecs.lookup(f"iso8859-{match[1]}").name
        except LookupError:
            pass
    return "utf-8"
