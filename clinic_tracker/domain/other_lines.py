"""Lines that a laboratory sent of tests that the clinic does not follow, as a reviewer is to see them."""

from collections.abc import Iterable
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_meaning import CodeTable
from clinic_tracker.domain.messages import Observed, ReportState, SentReport
from clinic_tracker.domain.readings import Flag, flag, parse_reading
from clinic_tracker.domain.vocabulary import LocalCodeKind

#: What laboratories flag a line with that is as it should be (HL7 table 0078).
_NOT_REMARKABLE = frozenset({"", "N", "NEG", "ND", "NR"})


class OtherLine(NamedTuple):
    """One line as it was sent. ``is_flagged``: the laboratory marked it, or its value is outside its range."""

    title: str
    text: str
    unit: str
    range: str
    flag: str
    is_flagged: bool


def is_remarkable(flags: str) -> bool:
    """Whether the flags of a line say that something is not as it should be."""
    return not {one.strip() for one in flags.upper().split(",")} <= _NOT_REMARKABLE


def other_lines(codes: CodeTable, reports: Iterable[SentReport]) -> tuple[OtherLine, ...]:
    """The lines of reports that stand for nothing that is followed here, those that are flagged first."""
    found = [
        _line(sent) for report in reports for sent in report.values if _says_something(sent) and _is_other(codes, sent)
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda line: not line.is_flagged))


def _says_something(sent: Observed) -> bool:
    return sent.state is not ReportState.CANCELLED and bool(sent.text.strip() or sent.value_codes)


def _is_other(codes: CodeTable, sent: Observed) -> bool:
    meaning = codes.meaning(sent.codes)
    return meaning is None or meaning.kind is LocalCodeKind.IGNORED


def _line(sent: Observed) -> OtherLine:
    title = next((coded.text for coded in sent.codes if coded.text), "") or next(
        (coded.code for coded in sent.codes), "A test without a name"
    )
    text = sent.text.strip() or " ".join(coded.text or coded.code for coded in sent.value_codes)
    low, high = _number(sent.low), _number(sent.high)
    printed = sent.range_text or " to ".join(one for one in (sent.low, sent.high) if one)
    is_flagged = is_remarkable(sent.flag) or _is_outside(text, low, high)
    return OtherLine(title, text, sent.unit or sent.unit_text, printed, sent.flag.strip(), is_flagged)


def _is_outside(text: str, low: float | None, high: float | None) -> bool:
    try:
        return flag(parse_reading(text), low, high) in (Flag.LOW, Flag.HIGH)
    except RuleViolation:
        return False


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
