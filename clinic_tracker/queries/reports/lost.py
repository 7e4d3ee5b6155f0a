"""Patients in monitoring of whom nothing has been heard for too long, with what was done to reach them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Outreach
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.history import histories_on
from clinic_tracker.queries.knowledge import Knowledge, Person
from clinic_tracker.queries.last_evidence import last_evidence
from clinic_tracker.queries.outreach import UNANSWERED
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports.asked import Asked
from clinic_tracker.queries.reports.obligations import person_cells
from clinic_tracker.queries.reports.people import PERSON, begins_at, ends_at, in_chunks
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocols_in_force

LIMIT = "no_evidence_days"

DEFINITION = Definition(
    name="lost",
    title="Lost to follow-up",
    question="Of which patients in monitoring has nothing come for a long time, and were they contacted?",
    columns=(
        *PERSON,
        Column("phone", "Phone", Kind.TEXT, "Telephone number in the chart.", Privacy.IDENTITY),
        Column("last_on", "Last evidence", Kind.DATE, "Latest infusion, valid result, exam or form.", Privacy.DATED),
        Column("days", "Days without", Kind.COUNT, "Days from there to the date asked about.", Privacy.DATED),
        Column(
            "ends_on",
            "Monitoring ends",
            Kind.DATE,
            "Reckoned from the last infusion, or extended; once past, the sign-off is missing.",
            Privacy.DATED,
        ),
        Column("contacted_at", "Last contact", Kind.INSTANT, "Latest contact on file, reached or not.", Privacy.DATED),
        Column("channel", "How", Kind.CODE, "How that contact was made."),
        Column("outcome", "Outcome", Kind.CODE, "What came of it."),
        Column("contacts", "Contacts", Kind.COUNT, "Contacts on file since the last evidence."),
        Column("attempts", "Unanswered", Kind.COUNT, "The latest contacts in a row that did not reach the patient."),
    ),
    takes=frozenset({Takes.AS_OF, Takes.PRESCRIBER, Takes.PATIENT}),
    notes=(
        (
            "Listed are patients with an infusion, not signed off, and without a result, exam, form or infusion for "
            "more than the clinic's number of days (90 unless changed; local convention, C, setting no_evidence_days). "
            "A result counts that is final or corrected, also one that is incomplete: the patient was there."
        ),
        (
            "Nobody leaves the list because monitoring has ended meanwhile: only evidence or the prescriber's sign-off "
            "ends it. The home page and the dashboard count the same patients. The REMS is to be told of patients "
            "lost (R-82, unconfirmed)."
        ),
    ),
)


class _Contact(NamedTuple):
    contacted_at: datetime
    channel: str
    outcome: str


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """Those who are lost, the longest first, then by name."""
    known, as_of = Knowledge(scope), parameters.as_of
    named = known.prescribers()
    last = last_evidence(scope, by=as_of)
    protocols = protocols_in_force(scope, packaged_protocols(), as_of)
    silent = [person for person in Asked.of(parameters).people(known) if _is_silent(person, last, protocols, as_of)]
    lost = sorted(_lost(known, silent, last, protocols, as_of), key=lambda one: -one[1])
    contacts = _contacts(scope, [person.id for person, _, _ in lost], as_of)
    phones = _phones(scope, [person.id for person, _, _ in lost])
    for person, days, ends_on in lost:
        made = contacts.get(person.id, [])
        cells = (phones[person.id], last[person.id], days, ends_on, *_told(scope, made, last[person.id]))
        yield Line((*person_cells(person, named), *cells), person.id, person.public_id)


def _is_silent(person: Person, last: dict[int, date], protocols: dict[str, Protocol], as_of: date) -> bool:
    limit = protocols[person.protocol_id].value(LIMIT)
    return person.id in last and (as_of - last[person.id]).days > limit


def _lost(
    known: Knowledge, silent: Sequence[Person], last: dict[int, date], protocols: dict[str, Protocol], as_of: date
) -> Iterator[tuple[Person, int, date]]:
    """Of those of whom nothing was heard the ones not signed off, with days of silence and the end of monitoring."""
    for person, history in histories_on(known, silent, as_of):
        answer = forecast(history, protocols[person.protocol_id])
        if answer.monitoring_ends is not None and answer.closed_on is None:
            yield person, (as_of - last[person.id]).days, date.fromordinal(answer.monitoring_ends)


def _contacts(scope: Scope, keys: Collection[int], as_of: date) -> dict[int, list[_Contact]]:
    """The contacts of these patients by a date, in the order of time."""
    table = Outreach
    found: defaultdict[int, list[_Contact]] = defaultdict(list)
    for some in in_chunks(keys):
        statement = (
            select(table.patient_id, table.contacted_at, table.channel, table.outcome)
            .where(
                table.clinic_id == scope.clinic_id,
                table.patient_id.in_(some),
                table.withdrawn_at.is_(None),
                table.contacted_at < ends_at(scope, as_of),
            )
            .order_by(table.contacted_at, table.id)
        )
        for patient, at, channel, outcome in db.session.execute(statement):
            found[patient].append(_Contact(at, channel, outcome))
    return found


def _phones(scope: Scope, keys: Collection[int]) -> dict[int, str | None]:
    found: dict[int, str | None] = {}
    for some in in_chunks(keys):
        statement = select(Patient.id, Patient.phone).where(Patient.clinic_id == scope.clinic_id, Patient.id.in_(some))
        found.update({patient: phone for patient, phone in db.session.execute(statement)})  # noqa: C416 - rows
    return found


def _told(scope: Scope, made: Sequence[_Contact], last_on: date) -> tuple[Any, ...]:
    latest: tuple[Any, ...] = made[-1] if made else (None, None, None)
    since = sum(contact.contacted_at >= begins_at(scope, last_on) for contact in made)
    attempts = 0
    for contact in reversed(made):
        if contact.outcome not in UNANSWERED:
            break
        attempts += 1
    return (*latest, since, attempts)
