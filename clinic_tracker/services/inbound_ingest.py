"""The reports of a message recorded, many in a transaction: each one whole or not at all, and each one once.

A chunk of messages is one transaction, and how far the file is is committed with it, so that what a killed process had
not finished is done by the next one, and nothing twice. Where anything goes wrong in a chunk it is taken by halves
until what is wrong stands alone: that part is refused, and everything else goes on.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.messages import Outcome, Parsed
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundKind, InboundMessageState
from clinic_tracker.models.base import db
from clinic_tracker.models.engine import count_rows
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource
from clinic_tracker.models.monitoring import Exam, LabReport, LabValue
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound import new_message, source_in_use
from clinic_tracker.services.inbound_chunk import Chunk, Origin, Part, refused
from clinic_tracker.services.inbound_faults import is_of_the_database, note_fault
from clinic_tracker.services.unit_of_work import unit_of_work

AT_ONCE = 1000
MANY = 200  # parts of a file, from which on the plans of the database are worth a look at how much there is
COUNTED = tuple(one.__table__ for one in (Patient, TreatmentCourse, Infusion, Exam, LabReport, LabValue, InboundResult))


@dataclass(slots=True)
class Ingested:
    """What became of a message: how many reports by state, and the outcome of each part for the answer."""

    counts: Counter[str] = field(default_factory=Counter)
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, other: "Ingested") -> None:
        """Take in what became of further parts."""
        self.counts.update(other.counts)
        self.outcomes += other.outcomes


Take = Callable[[Sequence[Part]], Ingested]


def ingest(scope: Scope, message_id: int, parsed: Sequence[Parsed], *, at_once: int = AT_ONCE) -> Ingested:
    """Record what was parsed of a stored message, from where it was left; what became of the parts taken now.

    Each part is recorded whole, waits in a queue, or is refused with its reason.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    parts, done = _parts(parsed), Ingested()
    for begin in range(0, len(parts), at_once):
        done.add(_by_halves(scope, parts[begin : begin + at_once], lambda some: _record(scope, message_id, some)))
    return done


def rehearse(
    scope: Scope,
    source: uuid.UUID | InboundKind,
    raw: bytes,
    parsed: Sequence[Parsed],
    *,
    look: Callable[[InboundMessage], None] | None = None,
) -> Ingested:
    """What would become of a message, as if it were sent now by a source, or by a new one: nothing of it is kept.

    ``look`` is called with the message while everything of it is there.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    parts, done = _parts(parsed), Ingested()
    with unit_of_work(scope) as work:
        work.discard()
        origin = _new_source(scope, source) if isinstance(source, InboundKind) else source_in_use(scope, source)
        message = new_message(scope, origin, raw, digest=f"rehearsal {uuid.uuid4()}")
        came_from = Origin(message.id, origin.id, origin.kind, scope.now)

        def take(some: Sequence[Part]) -> Ingested:
            with db.session.begin_nested():
                chunk = Chunk(scope, work, came_from)
                return Ingested(outcomes=chunk.take(some), counts=chunk.counts)

        for begin in range(0, len(parts), AT_ONCE):
            done.add(_by_halves(scope, parts[begin : begin + AT_ONCE], take))
        if look is not None:
            look(message)
    return done


def _new_source(scope: Scope, kind: InboundKind) -> InboundSource:
    row = InboundSource(
        clinic_id=scope.clinic_id, name=f"rehearsal {uuid.uuid4()}", kind=kind.value, created_at=scope.now
    )
    db.session.add(row)
    db.session.flush()
    return row


def _parts(parsed: Sequence[Parsed]) -> list[Part]:
    """What was parsed, with its place in the file and in the log."""
    parts, position = [], 0
    for place, one in enumerate(parsed):
        parts.append(Part(place, position, one))
        position += max(1, len(getattr(one, "reports", ())))
    return parts


def _by_halves(scope: Scope, parts: Sequence[Part], take: Take) -> Ingested:
    """Have parts taken, by halves where that fails, until what cannot be taken stands alone."""
    try:
        return take(parts)
    except Exception as error:  # whatever it is, it must not keep the rest of the file out
        if is_of_the_database(scope, error):
            raise
    if len(parts) == 1:
        return _again(scope, parts[0], take)
    middle = len(parts) // 2
    done = _by_halves(scope, parts[:middle], take)
    done.add(_by_halves(scope, parts[middle:], take))
    return done


def _again(scope: Scope, part: Part, take: Take) -> Ingested:
    """Once more, because what another process recorded in the same moment is there now; else it is refused."""
    try:
        return take([part])
    except Exception as error:
        if is_of_the_database(scope, error):
            raise
        note_fault(scope, error, f"part {part.place + 1} of a file")
    return take([refused(scope, part)])


def _record(scope: Scope, message_id: int, parts: Sequence[Part]) -> Ingested:
    """Record the parts that are not recorded yet, in one transaction."""
    with unit_of_work(scope) as work:
        message, origin = _locked(scope, message_id)
        left = [part for part in parts if part.place >= message.done]
        if not left or message.state != InboundMessageState.RECEIVED.value:
            return Ingested()
        chunk = Chunk(scope, work, origin)
        outcomes = chunk.take(left)
        if message.done < MANY <= left[-1].place + 1:
            count_rows(db.session.connection(), COUNTED)
        chunk.judge()
        message.done = left[-1].place + 1
    return Ingested(chunk.counts, outcomes)


def _locked(scope: Scope, message_id: int) -> tuple[InboundMessage, Origin]:
    """The message, locked: two processes that work on one message take turns."""
    message = db.session.execute(
        select(InboundMessage)
        .where(InboundMessage.id == message_id, InboundMessage.clinic_id == scope.clinic_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if message is None:
        raise NotFound("message")
    kind = db.session.execute(select(InboundSource.kind).where(InboundSource.id == message.source_id)).scalar_one()
    return message, Origin(message.id, message.source_id, kind, message.received_at)
