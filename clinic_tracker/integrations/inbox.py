"""The one door for results: bytes are kept, read, recorded, and answered only when all of that is committed."""

import gc
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from threading import Lock
from typing import Any

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.messages import Outcome, Parsed, Reason, ResultMessage, Unreadable
from clinic_tracker.domain.vocabulary import InboundKind, InboundMessageState
from clinic_tracker.queries.inbound import MessageRow, Origin, raw_of, source_row
from clinic_tracker.queries.inbound_outcomes import counts, outcomes
from clinic_tracker.queries.inbound_uploads import draft_of
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound import finish, store
from clinic_tracker.services.inbound_faults import note_fault
from clinic_tracker.services.inbound_ingest import AT_ONCE, Ingested, ingest, rehearse

CONTENT_TYPES = {
    InboundKind.HL7: "application/hl7-v2",
    InboundKind.FHIR: "application/fhir+json",
    InboundKind.TABLE: "application/json",
}

LARGE = 100_000  # bytes
UPSETTING = "It cannot be read here: the clinic has to look into it."


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message. ``known``: these bytes came before, and nothing was recorded again."""

    message: uuid.UUID | None
    kind: InboundKind
    known: bool
    counts: Mapping[str, int]
    outcomes: Sequence[Outcome]
    answer: bytes

    @property
    def content_type(self) -> str:
        """Of the answer."""
        return CONTENT_TYPES[self.kind]

    @property
    def refused(self) -> bool:
        """Whether nothing at all was taken."""
        return not any(outcome.taken for outcome in self.outcomes)


def receive(
    scope: Scope, source: uuid.UUID, raw: bytes, file_name: str | None = None, *, at_once: int = AT_ONCE
) -> Received:
    """Take what a source sent; everything is committed when this returns, and only then may it be answered.

    The same bytes of the same source are answered as before. Bytes whose work was interrupted are gone on with.
    ``at_once`` is how many reports a transaction takes: fewer let others write sooner, more take less time in all.
    """
    origin = source_row(scope, source)
    if origin.kind == InboundKind.TABLE and not origin.mapping:
        words = "What the columns of this source mean has not been chosen: upload one of its files on the page first."
        raise RuleViolation("no_columns", "source", words)
    stored = store(scope, source, raw, file_name=file_name)
    work = _Work(scope, origin, stored.id, raw, file_name, at_once)
    done = work.finish(begun=stored.done > 0) if stored.state is InboundMessageState.RECEIVED else work.told()
    return work.received(stored.public_id, done, known=not stored.is_new)


def rehearsed(scope: Scope, source: uuid.UUID | InboundKind, raw: bytes, file_name: str | None = None) -> Received:
    """What would become of it, from a source or from a new one of that kind: nothing is kept."""
    if isinstance(source, InboundKind):
        origin = Origin(0, uuid.uuid4(), "", source.value, is_active=True, mapping={})
    else:
        origin = source_row(scope, source)
    done = rehearse(scope, source, raw, parsed_of(scope, origin, raw, file_name))
    kind = InboundKind(origin.kind)
    return Received(None, kind, known=False, counts=done.counts, outcomes=done.outcomes, answer=b"")


def go_on(scope: Scope, message: MessageRow, *, at_once: int = AT_ONCE) -> Received:
    """Work off a message that was kept and not finished, from where it was left."""
    raw = raw_of(scope, message.public_id)
    work = _Work(scope, source_row(scope, message.source), message.id, raw, message.file_name, at_once)
    done = work.finish(begun=True) if message.state == InboundMessageState.RECEIVED else work.told()
    return work.received(message.public_id, done, known=True)


def answer_to(scope: Scope, kind: InboundKind, raw: bytes, told: Sequence[Outcome]) -> bytes:
    """The answer in the format of the source: ACK, OperationOutcome or Bundle, or counts."""
    match kind:
        case InboundKind.HL7:
            answered: bytes = import_module("clinic_tracker.integrations.hl7v2").acknowledge(raw, told, scope.now)
            return answered
        case InboundKind.FHIR:
            tree = import_module("clinic_tracker.integrations.fhir").answer(raw, told)
            return json.dumps(tree).encode()
        case InboundKind.TABLE:
            taken = sum(outcome.taken for outcome in told)
            return json.dumps({"taken": taken, "refused": len(told) - taken}).encode()


def parsed_of(scope: Scope, origin: Origin, raw: bytes, file_name: str | None) -> list[Parsed]:
    """What a source sent, read by the parser of its format.

    A file that upsets a parser is refused as a whole, so that it does not keep those after it waiting.
    """
    try:
        return _parsed(scope, origin, raw, file_name)
    except RuleViolation:
        raise
    except Exception as error:  # noqa: BLE001 - the parsers should never raise
        note_fault(scope, error, "a file")
        return [Unreadable(0, "", "file", UPSETTING, Reason.NOT_STORED)]


def _parsed(scope: Scope, origin: Origin, raw: bytes, file_name: str | None) -> list[Parsed]:
    """Read it. The parsers are loaded when they are needed."""
    parsed: list[Parsed]
    match InboundKind(origin.kind):
        case InboundKind.HL7:
            parsed = import_module("clinic_tracker.integrations.hl7v2").parse(raw, scope.time_zone)
        case InboundKind.FHIR:
            parsed = import_module("clinic_tracker.integrations.fhir").parse(raw, scope.time_zone)
        case InboundKind.TABLE:
            tables: Any = import_module("clinic_tracker.integrations.tables")
            parsed = tables.parse(raw, scope.time_zone, origin.mapping, file_name)
    return parsed


class _Collector:
    """A large file is in memory until it is done: the collector would only look through it again and again."""

    def __init__(self) -> None:
        self.lock, self.files = Lock(), 0

    @contextmanager
    def resting(self, raw: bytes) -> Iterator[None]:
        """Nothing is collected while any large file is taken in, by whatever thread."""
        if len(raw) < LARGE:
            yield
            return
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self.lock:
            self.files += more
            gc.disable() if self.files else gc.enable()


_COLLECTOR = _Collector()


@dataclass(frozen=True, slots=True)
class _Work:
    """The work on one message that is kept."""

    scope: Scope
    origin: Origin
    message_id: int
    raw: bytes
    file_name: str | None
    at_once: int

    def finish(self, *, begun: bool) -> Ingested:
        """Record what is left of it and close it; what became of all of it."""
        with _COLLECTOR.resting(self.raw):
            parsed = parsed_of(self.scope, self._as_chosen(), self.raw, self.file_name)
            done = ingest(self.scope, self.message_id, parsed, at_once=self.at_once)
        if begun or len(done.outcomes) < len(parsed):
            done = self.told()
        error = None
        if not any(isinstance(one, ResultMessage) for one in parsed):
            error = next((one.message for one in parsed if isinstance(one, Unreadable)), "There is nothing in it.")
        control_id = next((one.control_id for one in parsed if one.control_id), None)
        finish(self.scope, self.message_id, done.counts, control_id=control_id, error=error)
        return done

    def _as_chosen(self) -> Origin:
        """The source, with what a person chose for this file where one did."""
        draft = draft_of(self.scope, self.message_id)
        if draft is None:
            return self.origin
        if not draft.loading:
            raise RuleViolation("being_checked", None, "This file is being checked: load it on the page of its rows.")
        return self.origin._replace(mapping=draft.as_mapping())

    def told(self) -> Ingested:
        """What became of it, from the log."""
        return Ingested(counts(self.scope, self.message_id), outcomes(self.scope, self.message_id))

    def received(self, message: uuid.UUID, done: Ingested, *, known: bool) -> Received:
        """What to say about it."""
        kind = InboundKind(self.origin.kind)
        answer = answer_to(self.scope, kind, self.raw, done.outcomes)
        return Received(message, kind, known, done.counts, done.outcomes, answer)
