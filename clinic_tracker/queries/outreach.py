"""Contacts with patients: the latest about what is owed, for the lists, and all of them, for the chart."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.vocabulary import OutreachChannel, OutreachOutcome
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Outreach, OutreachItem
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.scope import Scope

#: Outcomes after which the patient still knows nothing.
UNANSWERED = frozenset({OutreachOutcome.NO_ANSWER, OutreachOutcome.LEFT_MESSAGE, OutreachOutcome.WRONG_NUMBER})

ItemKey = tuple[str, int | None, int | None]


class ContactMark(NamedTuple):
    """What a list says of the latest contact about an item. It never changes a due date.

    ``attempts`` counts the contacts in a row, up to this one, that did not reach the patient. ``expected_on`` is the
    last day that was promised, even where later calls found nobody. ``snooze_until`` is of the latest contact only: a
    new contact ends an earlier snooze.
    """

    contacted_at: datetime
    outcome: OutreachOutcome
    attempts: int
    expected_on: date | None
    snooze_until: date | None

    def snoozed_on(self, day: date) -> bool:
        """Whether the row is set aside on a day; it is awake again on the day itself."""
        return self.snooze_until is not None and self.snooze_until > day


class ContactItem(NamedTuple):
    """What a contact was about, by the natural key of an obligation."""

    requirement: str
    anchor: int
    occurrence: int


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as it was written down, withdrawn ones included."""

    id: int
    public_id: UUID
    contacted_at: datetime
    channel: OutreachChannel
    outcome: OutreachOutcome
    expected_on: date | None
    snooze_until: date | None
    note: str | None
    recorded_by: str | None
    recorded_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    items: tuple[ContactItem, ...] = ()


def contact_marks(scope: Scope, patient_ids: Collection[int]) -> dict[int, dict[ItemKey, ContactMark]]:
    """For each patient and item still owed, the latest contact about it that stands. One statement."""
    rows = db.session.execute(
        select(
            Outreach.patient_id,
            OutreachItem.requirement,
            OutreachItem.anchor,
            OutreachItem.occurrence,
            Outreach.contacted_at,
            Outreach.outcome,
            Outreach.expected_on,
            Outreach.snooze_until,
        )
        .join(OutreachItem, OutreachItem.outreach_id == Outreach.id)
        .join(
            Standing,
            and_(
                Standing.patient_id == Outreach.patient_id,
                Standing.requirement == OutreachItem.requirement,
                Standing.anchor == OutreachItem.anchor,
                Standing.occurrence == OutreachItem.occurrence,
            ),
        )
        .where(
            Outreach.clinic_id == scope.clinic_id,
            Outreach.patient_id.in_(sorted(set(patient_ids))),
            Outreach.withdrawn_at.is_(None),
        )
        .order_by(Outreach.contacted_at, Outreach.id)
    )
    marks: defaultdict[int, dict[ItemKey, ContactMark]] = defaultdict(dict)
    for patient, requirement, anchor, occurrence, contacted_at, outcome, expected_on, snooze_until in rows:
        key = (requirement, anchor, occurrence)
        told = OutreachOutcome(outcome)
        before = marks[patient].get(key)
        attempts = (before.attempts if before else 0) + 1 if told in UNANSWERED else 0
        promised = expected_on or (before.expected_on if before else None)
        marks[patient][key] = ContactMark(contacted_at, told, attempts, promised, snooze_until)
    return dict(marks)


def patient_contacts(scope: Scope, patient_id: int, most: int | None = None) -> list[Contact]:
    """The contacts of a patient, newest first, each with what it was about."""
    author, withdrawer = aliased(User), aliased(User)
    rows = db.session.execute(
        select(
            Outreach.id,
            Outreach.public_id,
            Outreach.contacted_at,
            Outreach.channel,
            Outreach.outcome,
            Outreach.expected_on,
            Outreach.snooze_until,
            Outreach.note,
            author.name,
            Outreach.recorded_at,
            withdrawer.name,
            Outreach.withdrawn_at,
            Outreach.withdrawn_reason,
        )
        .outerjoin(author, author.id == Outreach.recorded_by_id)
        .outerjoin(withdrawer, withdrawer.id == Outreach.withdrawn_by_id)
        .where(Outreach.clinic_id == scope.clinic_id, Outreach.patient_id == patient_id)
        .order_by(Outreach.contacted_at.desc(), Outreach.id.desc())
        .limit(most)
    ).all()
    items = _items(scope, [row[0] for row in rows])
    return [
        Contact(*(key, public_id, at, OutreachChannel(channel), OutreachOutcome(outcome), *rest, tuple(items[key])))
        for key, public_id, at, channel, outcome, *rest in rows
    ]


def _items(scope: Scope, outreach_ids: list[int]) -> defaultdict[int, list[ContactItem]]:
    found: defaultdict[int, list[ContactItem]] = defaultdict(list)
    rows = db.session.execute(
        select(OutreachItem.outreach_id, OutreachItem.requirement, OutreachItem.anchor, OutreachItem.occurrence)
        .where(OutreachItem.clinic_id == scope.clinic_id, OutreachItem.outreach_id.in_(outreach_ids))
        .order_by(OutreachItem.requirement, OutreachItem.anchor, OutreachItem.occurrence)
    )
    for outreach, requirement, anchor, occurrence in rows:
        found[outreach].append(ContactItem(requirement, anchor, occurrence))
    return found
