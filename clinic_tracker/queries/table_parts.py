"""What would become of the rows of a table that is being checked, as it was worked out last."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from clinic_tracker.domain.lab_doubts import DoubtKind
from clinic_tracker.domain.message_json import unpack_identity
from clinic_tracker.domain.messages import Identity
from clinic_tracker.domain.panels import spelling
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import TablePart
from clinic_tracker.queries.inbound_codes import current_codes
from clinic_tracker.queries.inbound_uploads import Upload
from clinic_tracker.queries.scope import Scope

WRONG = (InboundState.REFUSED, InboundState.NOT_UNDERSTOOD, InboundState.UNMATCHED)
UNKNOWN = (DoubtKind.UNKNOWN_CODE, DoubtKind.UNKNOWN_UNIT)
MOST_COMPLAINTS = 8
MOST_READ = 2000


class PartRow(NamedTuple):
    """Rows of a table that are one report, or a row that cannot be read. ``place`` is the column of the wrong cell."""

    position: int
    state: InboundState
    patient_id: int | None
    lines: tuple[int, ...]
    identity: Identity | None
    collected: date | None
    values: tuple[str, ...]
    problems: tuple[dict[str, Any], ...]
    title: str
    place: int | None
    cell: str


class UnknownInFile(NamedTuple):
    """A code or a unit that nobody has explained: in how many reports, and the line and problem where it is first."""

    words: str
    is_unit: bool
    line: int
    problem: int
    reports: int


class Progress(NamedTuple):
    """How far the check is. ``is_current`` tells whether it was made for what is chosen, and known of codes, now."""

    total: int
    counts: Mapping[InboundState, int]
    is_current: bool
    at: datetime | None

    @property
    def checked(self) -> int:
        """How many parts were checked."""
        return sum(self.counts.values())

    @property
    def is_done(self) -> bool:
        """Whether what is shown holds for the whole file."""
        return self.is_current and self.checked >= self.total

    @property
    def wrong(self) -> int:
        """How many parts would not be recorded whole."""
        return sum(self.counts.get(state, 0) for state in WRONG)

    @property
    def refused(self) -> int:
        """How many rows cannot be read."""
        return self.counts.get(InboundState.REFUSED, 0)


def choices_of(scope: Scope, upload: Upload) -> str:
    """A digest of what was chosen for a file, and of what the codes of its source are said to mean."""
    codes = [(one.kind, one.system, one.code, one.target) for one in current_codes(scope, upload.row.source)]
    said = json.dumps([upload.draft.as_mapping(), codes], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def progress_of(scope: Scope, upload: Upload) -> Progress:
    """How far the check of a file is."""
    rows = db.session.execute(_parts(scope, upload, TablePart.state, func.count()).group_by(TablePart.state))
    counts = Counter({InboundState(state): int(number) for state, number in rows})
    checked = upload.draft.checked
    at = datetime.fromisoformat(checked["at"]) if checked else None
    return Progress(checked.get("total", 0), counts, checked.get("of") == choices_of(scope, upload), at)


def parts_of(scope: Scope, upload: Upload, *, wrong: bool, begin: int, limit: int) -> list[PartRow]:
    """Some parts in the order of the file, of all of them or of those that would not be recorded whole."""
    statement = _parts(scope, upload, TablePart).order_by(TablePart.position).offset(begin).limit(limit)
    if wrong:
        statement = statement.where(TablePart.state.in_([state.value for state in WRONG]))
    return [_read(row) for row in db.session.execute(statement).scalars()]


def part_at(scope: Scope, upload: Upload, position: int) -> PartRow | None:
    """The part that begins with a line."""
    row = db.session.execute(
        _parts(scope, upload, TablePart).where(TablePart.position == position)
    ).scalar_one_or_none()
    return None if row is None else _read(row)


def parts_with_problem(scope: Scope, upload: Upload, problem: Mapping[str, Any]) -> int:
    """How many parts wait for the very same code or unit."""
    wanted = _asked(problem)
    shown = db.session.execute(
        _parts(scope, upload, TablePart.shown).where(TablePart.state == InboundState.NOT_UNDERSTOOD.value)
    ).scalars()
    return sum(any(_asked(one) == wanted for one in part["problems"]) for part in shown)


def unknown_in(scope: Scope, upload: Upload) -> list[UnknownInFile]:
    """The unknown codes and units of a file, the most frequent first; of its first parts where very many wait."""
    statement = _parts(scope, upload, TablePart.position, TablePart.shown)
    statement = statement.where(TablePart.state == InboundState.NOT_UNDERSTOOD.value)
    found: dict[tuple[Any, ...], UnknownInFile] = {}
    for position, shown in db.session.execute(statement.order_by(TablePart.position).limit(MOST_READ)):
        asked = {_asked(one): (number, one) for number, one in enumerate(shown["problems"]) if one["kind"] in UNKNOWN}
        for key, (number, one) in asked.items():
            words = one.get("unit" if one["kind"] == DoubtKind.UNKNOWN_UNIT else "code") or ""
            before = found.get(key, UnknownInFile(words, one["kind"] == DoubtKind.UNKNOWN_UNIT, position, number, 0))
            found[key] = before._replace(reports=before.reports + 1)
    return sorted((one for one in found.values() if one.words), key=lambda one: (-one.reports, one.words))


def complaints_of(scope: Scope, upload: Upload) -> list[tuple[str, int]]:
    """What is wrong with cells that cannot be read, and how often, the most frequent first."""
    statement = _parts(scope, upload, TablePart.complaint, func.count()).where(TablePart.complaint.is_not(None))
    rows = db.session.execute(
        statement.group_by(TablePart.complaint)
        .order_by(func.count().desc(), TablePart.complaint)
        .limit(MOST_COMPLAINTS)
    )
    return [(str(complaint), int(number)) for complaint, number in rows]


def refused_lines(scope: Scope, upload: Upload) -> list[int]:
    """The lines that cannot be read."""
    statement = _parts(scope, upload, TablePart.position).where(TablePart.state == InboundState.REFUSED.value)
    return list(db.session.execute(statement.order_by(TablePart.position)).scalars())


def _parts(scope: Scope, upload: Upload, *columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).where(TablePart.clinic_id == scope.clinic_id, TablePart.message_id == upload.row.id)


def _asked(problem: Mapping[str, Any]) -> tuple[Any, ...]:
    """The code or the unit that a problem is about."""
    if problem["kind"] == DoubtKind.UNKNOWN_UNIT:
        return problem["kind"], spelling(problem.get("unit") or "")
    return problem["kind"], problem.get("system"), problem.get("code")


def _read(row: TablePart) -> PartRow:
    shown = row.shown
    collected = shown["collected"]
    return PartRow(
        row.position,
        InboundState(row.state),
        row.patient_id,
        tuple(shown["lines"]),
        None if shown["identity"] is None else unpack_identity(shown["identity"]),
        date.fromisoformat(collected) if collected else None,
        tuple(shown["values"]),
        tuple(shown["problems"]),
        shown["title"],
        shown["place"],
        shown["cell"],
    )
