"""What a laboratory sent, as it is kept beside what became of it: to JSON and back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from clinic_tracker.domain.messages import (
    Coded,
    Identifier,
    Identity,
    Observed,
    Problem,
    ReportState,
    SentReport,
)
from clinic_tracker.domain.vocabulary import Sex

_TEXTS = ("unit", "low", "high", "flag", "unit_text", "range_text", "key")
_texts_of = attrgetter(*_TEXTS)


def pack_identity(identity: Identity) -> dict[str, Any]:
    """An identity as JSON."""
    return {
        "identifiers": [list(identifier) for identifier in identity.identifiers],
        "family_name": identity.family_name,
        "given_name": identity.given_name,
        "birth_date": identity.birth_date.isoformat() if identity.birth_date else None,
        "sex": identity.sex.value,
    }


def unpack_identity(packed: Mapping[str, Any]) -> Identity:
    """The identity that was packed."""
    return Identity(
        identifiers=tuple(Identifier(*identifier) for identifier in packed.get("identifiers", ())),
        family_name=packed.get("family_name", ""),
        given_name=packed.get("given_name", ""),
        birth_date=_date(packed.get("birth_date")),
        sex=Sex(packed.get("sex", Sex.UNKNOWN)),
    )


def pack_report(report: SentReport) -> dict[str, Any]:
    """A report as JSON; what is empty is left out."""
    packed: dict[str, Any] = {
        "key": report.key,
        "codes": [list(coded) for coded in report.codes],
        "state": report.state.value,
        "collected_on": report.collected_on.isoformat() if report.collected_on else None,
        "values": [_pack_line(line) for line in report.values],
    }
    if report.collected_at:
        packed["collected_at"] = report.collected_at.isoformat()
    if report.issued_at:
        packed["issued_at"] = report.issued_at.isoformat()
    for name in ("order_key", "specimen"):
        if text := getattr(report, name):
            packed[name] = text
    if report.notes:
        packed["notes"] = list(report.notes)
    if report.problems:
        packed["problems"] = [list(problem) for problem in report.problems]
    return packed


def unpack_report(packed: Mapping[str, Any]) -> SentReport:
    """The report that was packed."""
    return SentReport(
        key=packed["key"],
        codes=_codes(packed["codes"]),
        state=ReportState(packed["state"]),
        collected_on=_date(packed["collected_on"]),
        collected_at=_instant(packed.get("collected_at")),
        issued_at=_instant(packed.get("issued_at")),
        order_key=packed.get("order_key", ""),
        values=tuple(_unpack_line(line) for line in packed["values"]),
        notes=tuple(packed.get("notes", ())),
        specimen=packed.get("specimen", ""),
        problems=tuple(Problem(*problem) for problem in packed.get("problems", ())),
    )


def says_the_same(one: SentReport, other: SentReport) -> bool:
    """Whether two reports say the same, whenever they were issued."""
    return replace(one, issued_at=None, problems=()) == replace(other, issued_at=None, problems=())


def _pack_line(line: Observed) -> dict[str, Any]:
    packed: dict[str, Any] = {"codes": line.codes, "text": line.text}  # JSON knows tuples as lists
    packed |= {name: text for name, text in zip(_TEXTS, _texts_of(line), strict=True) if text}
    if line.state is not ReportState.FINAL:
        packed["state"] = line.state.value
    if line.notes:
        packed["notes"] = list(line.notes)
    if line.value_codes:
        packed["value_codes"] = [list(coded) for coded in line.value_codes]
    return packed


def _unpack_line(packed: Mapping[str, Any]) -> Observed:
    return Observed(
        codes=_codes(packed["codes"]),
        text=packed["text"],
        state=ReportState(packed.get("state", ReportState.FINAL)),
        notes=tuple(packed.get("notes", ())),
        value_codes=_codes(packed.get("value_codes", ())),
        **{name: packed.get(name, "") for name in _TEXTS},
    )


def _codes(packed: Any) -> tuple[Coded, ...]:
    return tuple(Coded(*coded) for coded in packed)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
