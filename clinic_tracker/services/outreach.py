"""Attempts to reach a patient. They are written beside what is owed and never move a due date."""

import uuid
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.local_time import local_date, show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import OutreachChannel, OutreachOutcome
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Outreach, OutreachItem
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import already_recorded, check_reason, user_name, when
from clinic_tracker.services.unit_of_work import unit_of_work

#: A row may be set aside for so long; a local convention, so that nobody is put to sleep for a season.
MOST_SNOOZE_DAYS = 30
MOST_AHEAD_DAYS = 365


def record_contact(
    scope: Scope,
    patient: uuid.UUID,
    *,
    channel: OutreachChannel,
    outcome: OutreachOutcome,
    contacted_at: datetime | None = None,
    requirements: Collection[str] | None = None,
    expected_on: date | None = None,
    snooze_until: date | None = None,
    note: str | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Write down a contact and what it was about: the named requirements, or everything open today.

    A requirement that is no longer owed (evidence came in meanwhile) is left out. RuleViolation for a contact in the
    future, a promise without its day, a promised day that is past, and a snooze longer than MOST_SNOOZE_DAYS.
    """
    scope.require(Permission.CONTACT_PATIENTS)
    at = contacted_at or scope.now
    _check(scope, at, outcome, expected_on, snooze_until, note)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        if (before := already_recorded(scope, Outreach, form_token)) is not None:
            return before.public_id
        contact = Outreach(
            clinic_id=scope.clinic_id,
            patient_id=person.id,
            contacted_at=at,
            channel=channel.value,
            outcome=outcome.value,
            expected_on=expected_on,
            snooze_until=snooze_until,
            note=note,
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
            form_token=form_token,
        )
        db.session.add(contact)
        audit.record(scope, AuditAction.OUTREACH_RECORDED, contact)
        _add_items(scope, contact, requirements)
    return contact.public_id


def withdraw_contact(scope: Scope, patient: uuid.UUID, contact: uuid.UUID, reason: str | None) -> None:
    """Mark a contact as entered in error: it stays in the history and counts for nothing on the lists."""
    scope.require(Permission.CONTACT_PATIENTS)
    words = check_reason(scope, reason)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        row = db.session.execute(
            select(Outreach).where(
                Outreach.public_id == contact,
                Outreach.clinic_id == scope.clinic_id,
                Outreach.patient_id == person.id,
            )
        ).scalar_one_or_none()
        if row is None:
            raise NotFound("outreach")
        if row.withdrawn_at is not None:
            who, at = user_name(scope, row.withdrawn_by_id), when(scope, row.withdrawn_at)
            raise RuleViolation("already_changed", None, f"This contact was already withdrawn by {who} on {at}.")
        before = audit.snapshot(row)
        row.withdrawn_by_id, row.withdrawn_at, row.withdrawn_reason = scope.user_id, scope.now, words
        audit.record(scope, AuditAction.OUTREACH_WITHDRAWN, row, before=before, reason=words)


def _check(
    scope: Scope,
    at: datetime,
    outcome: OutreachOutcome,
    expected_on: date | None,
    snooze_until: date | None,
    note: str | None,
) -> None:
    if at > scope.now:
        raise RuleViolation("future_contact", "contacted_at", "The contact is in the future.")
    if outcome is OutreachOutcome.WILL_COME and expected_on is None:
        raise RuleViolation("expected_on_required", "expected_on", "Enter the day on which the patient will come.")
    if outcome is OutreachOutcome.OTHER and not (note or "").strip():
        raise RuleViolation("note_required", "note", "Say in the note what came of the contact.")
    contacted_on = local_date(at, scope.time_zone)
    if expected_on is not None and not contacted_on <= expected_on <= scope.today + timedelta(days=MOST_AHEAD_DAYS):
        raise RuleViolation(
            "expected_on_range",
            "expected_on",
            f"The expected day must be between the contact ({show_date(contacted_on)}) and a year from today.",
        )
    if snooze_until is not None:
        _check_snooze(scope, snooze_until)


def _check_snooze(scope: Scope, until: date) -> None:
    latest = scope.today + timedelta(days=MOST_SNOOZE_DAYS)
    if until <= scope.today:
        raise RuleViolation("snooze_past", "snooze_until", "Choose a day after today on which the row comes back.")
    if until > latest:
        raise RuleViolation(
            "snooze_too_long",
            "snooze_until",
            f"A row can be set aside for {MOST_SNOOZE_DAYS} days at most, until {show_date(latest)}. "
            "For longer, a prescriber must waive the requirement.",
        )


def _add_items(scope: Scope, contact: Outreach, requirements: Collection[str] | None) -> None:
    """Attach the contact to what is open today, by natural keys that survive a rebuild."""
    for requirement, anchor, occurrence in _open_items(scope, contact.patient_id):
        if requirements is None or requirement in requirements:
            db.session.add(
                OutreachItem(
                    clinic_id=scope.clinic_id,
                    outreach_id=contact.id,
                    requirement=requirement,
                    anchor=anchor,
                    occurrence=occurrence,
                )
            )


def _open_items(scope: Scope, patient_id: int) -> list[tuple[Any, ...]]:
    rows = db.session.execute(
        select(Standing.requirement, Standing.anchor, Standing.occurrence).where(
            Standing.clinic_id == scope.clinic_id,
            Standing.patient_id == patient_id,
            Standing.opens_on <= scope.today,
            Standing.anchor.is_not(None),
        )
    )
    return list(rows)
