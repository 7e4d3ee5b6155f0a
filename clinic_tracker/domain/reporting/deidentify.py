"""A copy of a report without identity: study numbers, and dates that are shifted or counted from the first infusion."""

import hashlib
from base64 import b32encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from clinic_tracker.domain.local_time import local_date, to_local
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.reporting.parameters import Identity

MOST_SHIFT = 180
MOVED = frozenset({Kind.DATE, Kind.INSTANT})  # other kinds of dated columns are left out
STUDY_NUMBER = Column(
    "study_number",
    "Study number",
    Kind.TEXT,
    "The same for a patient in every de-identified copy; made from a random number, not from anything about the person",
)
WORDS = {
    Identity.SHIFTED: "Study numbers in place of patients; names, numbers, staff and free text are left out; the dates "
    f"of a patient are all shifted by one and the same number of days, between 1 and {MOST_SHIFT} either way; near its "
    "ends the period asked about narrows that down: hand such a copy to people who are bound not to try",
    Identity.INTERVALS: "Study numbers in place of patients; names, numbers, staff and free text are left out; dates "
    "are days since the first infusion",
}
_NUMBER_LENGTH = 10


def study_number(patient: UUID) -> str:
    """The study number of a patient: stable, and not to be turned back without the chart."""
    return "S-" + b32encode(_digest(patient)).decode()[:_NUMBER_LENGTH]


def shift_of(patient: UUID) -> timedelta:
    """How far the dates of a patient are shifted: the same everywhere, never zero."""
    days = int.from_bytes(_digest(patient)[-8:]) % (2 * MOST_SHIFT) - MOST_SHIFT
    return timedelta(days=days if days < 0 else days + 1)


def _digest(patient: UUID) -> bytes:
    return hashlib.sha256(b"study" + patient.bytes).digest()


@dataclass(frozen=True, slots=True)
class Context:
    """What de-identifying needs to know: ``first_infusions`` by the key of the patient."""

    identity: Identity
    time_zone: str
    first_infusions: Mapping[int, date]


class _Kept(NamedTuple):
    """A column of the copy: where its value comes from, and what is done to it."""

    column: Column
    place: int
    change: Callable[[Any, Line], Any] | None


def deidentified(
    columns: tuple[Column, ...], lines: Iterable[Line], context: Context
) -> tuple[tuple[Column, ...], Iterator[Line]]:
    """The columns and lines of the copy, in the order given. The lines still say whose they are, for the access log."""
    kept = list(_kept(columns, context))
    return tuple(one.column for one in kept), _changed(kept, lines)


def order_of(columns: tuple[Column, ...]) -> Callable[[Line], str]:
    """By what the lines of a copy are put in order; ``columns`` are those of the report.

    The order of names or dates would tell what the copy leaves out: the number of a patient says nothing, nor do the
    cells that are left of a line that is about nobody.
    """
    named = any(column.privacy is Privacy.IDENTITY for column in columns)

    def key(line: Line) -> str:
        if line.patient is not None:
            return study_number(line.patient)
        return "\n".join(map(str, line.cells)) if named else ""

    return key


def _changed(kept: list[_Kept], lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        cells = line.cells
        yield Line(
            tuple(cells[place] if change is None else change(cells[place], line) for _column, place, change in kept),
            line.patient_id,
            line.patient,
        )


def _kept(columns: tuple[Column, ...], context: Context) -> Iterator[_Kept]:
    numbered = False
    for place, column in enumerate(columns):
        if column.privacy is Privacy.OPEN:
            yield _Kept(column, place, None)
        elif column.privacy is Privacy.PATIENT and not numbered:
            numbered = True
            yield _Kept(STUDY_NUMBER, place, _number)
        elif column.privacy is Privacy.DATED and column.kind in MOVED:
            yield _dated(column, place, context)


def _number(_value: Any, line: Line) -> str | None:
    return study_number(line.patient) if line.patient is not None else None


def _dated(column: Column, place: int, context: Context) -> _Kept:
    if context.identity is Identity.SHIFTED:
        words = f"{column.definition.rstrip('.')}; shifted by the patient's own number of days"
        return _Kept(replace(column, definition=words), place, _shift(context.time_zone))
    name = f"{column.name.removesuffix('_on').removesuffix('_at')}_day"
    words = f"{column.definition.rstrip('.')}; as days since the patient's first infusion, empty without one"
    counted = replace(column, name=name, title=f"{column.title} (day)", kind=Kind.COUNT, definition=words)
    return _Kept(counted, place, _count(context))


def _shift(time_zone: str) -> Callable[[Any, Line], Any]:
    def change(value: Any, line: Line) -> Any:
        if value is None or line.patient is None:
            return None
        shift = shift_of(line.patient)
        # By the clock on the wall: a visit at nine stays one at nine when the shift passes a change of clocks.
        return to_local(value, time_zone) + shift if isinstance(value, datetime) else value + shift

    return change


def _count(context: Context) -> Callable[[Any, Line], Any]:
    def change(value: Any, line: Line) -> int | None:
        first = context.first_infusions.get(line.patient_id) if line.patient_id is not None else None
        if value is None or first is None:
            return None
        day: date = local_date(value, context.time_zone) if isinstance(value, datetime) else value
        return (day - first).days

    return change
