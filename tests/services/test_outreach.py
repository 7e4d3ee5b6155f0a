"""Contacts: one covers everything that is owed, none moves a due date, and none is lost."""

import uuid
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import OutreachChannel, OutreachOutcome, Role
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Outreach
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.outreach import contact_marks, patient_contacts
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services import projection
from clinic_tracker.services.outreach import MOST_SNOOZE_DAYS, record_contact, withdraw_contact
from tests.monitored import add_lab, project, treated

TODAY = date(2026, 1, 22)
CALLED = {"channel": OutreachChannel.PHONE, "outcome": OutreachOutcome.NO_ANSWER}


@pytest.fixture
def staff(cast, scope_for):
    return scope_for(cast.staff)


@pytest.fixture
def patient(staff):
    made = treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10))
    project(staff)
    return made


def due_dates(patient):
    rows = db.session.execute(sa.select(Standing.requirement, Standing.next_due_on).filter_by(patient_id=patient.id))
    return dict(tuple(row) for row in rows)


def test_one_contact_covers_everything_open(staff, patient):
    record_contact(staff, patient.public_id, **CALLED)
    (contact,) = patient_contacts(staff, patient.id)
    open_now = {name for name, due in due_dates(patient).items() if due is not None and due < TODAY}
    assert open_now <= {item.requirement for item in contact.items}
    assert contact.recorded_by == staff.actor_name


def test_a_promise_never_moves_a_due_date(staff, patient):
    before = due_dates(patient)
    promise = {"outcome": OutreachOutcome.WILL_COME, "expected_on": TODAY + timedelta(days=3)}
    record_contact(staff, patient.public_id, channel=OutreachChannel.PHONE, **promise)
    assert due_dates(patient) == before


def test_a_contact_may_be_about_some_items_only(staff, patient):
    record_contact(staff, patient.public_id, **CALLED, requirements=["creatinine", "no_such_thing"])
    assert [item.requirement for item in patient_contacts(staff, patient.id)[0].items] == ["creatinine"]


def test_a_rebuild_of_the_schedule_detaches_nothing(staff, patient):
    record_contact(staff, patient.public_id, **CALLED)
    before = contact_marks(staff, [patient.id])
    db.session.execute(sa.delete(Standing))
    projection.rebuild(staff)
    db.session.commit()
    assert contact_marks(staff, [patient.id]) == before != {}


def test_what_came_in_is_no_longer_spoken_of(staff, patient):
    record_contact(staff, patient.public_id, **CALLED, requirements=["cbc_diff"])
    add_lab(staff, patient, "cbc_diff", TODAY)
    project(staff)
    assert contact_marks(staff, [patient.id]) == {}
    assert len(patient_contacts(staff, patient.id)) == 1


def test_a_form_sent_twice_is_one_contact(staff, patient):
    first = record_contact(staff, patient.public_id, **CALLED, form_token="t-1")
    assert record_contact(staff, patient.public_id, **CALLED, form_token="t-1") == first
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Outreach)) == 1


@pytest.mark.parametrize(
    "values, code, field",
    [
        ({"outcome": OutreachOutcome.WILL_COME}, "expected_on_required", "expected_on"),
        ({"expected_on": TODAY - timedelta(days=1)}, "expected_on_range", "expected_on"),
        ({"expected_on": TODAY + timedelta(days=400)}, "expected_on_range", "expected_on"),
        ({"snooze_until": TODAY}, "snooze_past", "snooze_until"),
        ({"snooze_until": TODAY + timedelta(days=MOST_SNOOZE_DAYS + 1)}, "snooze_too_long", "snooze_until"),
        ({"outcome": OutreachOutcome.OTHER}, "note_required", "note"),
    ],
)
def test_what_is_refused_leaves_nothing(staff, patient, values, code, field):
    with pytest.raises(RuleViolation) as refused:
        record_contact(staff, patient.public_id, **{**CALLED, **values})
    assert (refused.value.code, refused.value.field) == (code, field)
    assert patient_contacts(staff, patient.id) == []


def test_a_contact_in_the_future_is_refused(staff, patient):
    with pytest.raises(RuleViolation, match="future"):
        record_contact(staff, patient.public_id, **CALLED, contacted_at=staff.now + timedelta(minutes=1))


def test_the_longest_snooze_is_taken(staff, patient):
    record_contact(staff, patient.public_id, **CALLED, snooze_until=TODAY + timedelta(days=MOST_SNOOZE_DAYS))
    assert patient_contacts(staff, patient.id)[0].snooze_until == TODAY + timedelta(days=MOST_SNOOZE_DAYS)


def test_a_withdrawn_contact_stays_in_the_history_and_off_the_lists(staff, patient):
    contact = record_contact(staff, patient.public_id, **CALLED, snooze_until=TODAY + timedelta(days=3))
    withdraw_contact(staff, patient.public_id, contact, "Called somebody else")
    (kept,) = patient_contacts(staff, patient.id)
    assert (kept.withdrawn_reason, kept.withdrawn_by) == ("Called somebody else", staff.actor_name)
    assert contact_marks(staff, [patient.id]) == {}
    actions = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions[-2:] == ["outreach.recorded", "outreach.withdrawn"]


def test_withdrawing_needs_a_reason_and_happens_once(staff, patient):
    contact = record_contact(staff, patient.public_id, **CALLED)
    with pytest.raises(RuleViolation) as refused:
        withdraw_contact(staff, patient.public_id, contact, " ")
    assert refused.value.code == "reason_required"
    withdraw_contact(staff, patient.public_id, contact, "Wrong chart")
    with pytest.raises(RuleViolation) as again:
        withdraw_contact(staff, patient.public_id, contact, "Wrong chart")
    assert again.value.code == "already_changed"


def test_another_clinic_and_another_chart_are_not_found(cast, scope_for, staff, patient):
    stranger = scope_for(cast.stranger)
    with pytest.raises(NotFound):
        record_contact(stranger, patient.public_id, **CALLED)
    contact = record_contact(staff, patient.public_id, **CALLED)
    other = treated(staff, date(2025, 6, 2))
    project(staff)
    for where, what in ((other.public_id, contact), (patient.public_id, uuid.uuid4())):
        with pytest.raises(NotFound):
            withdraw_contact(staff, where, what, "Wrong chart")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_who_may_not_contact_patients_is_refused(cast, scope_for, patient, role):
    with pytest.raises(PermissionDenied):
        record_contact(scope_for(cast.person(role)), patient.public_id, **CALLED)
