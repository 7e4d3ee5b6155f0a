"""People, prescribers, certification, settings: what administrators do."""

from datetime import date

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import ClinicSetting, User
from clinic_tracker.models.base import db
from clinic_tracker.queries.administration import clinic_details, members, prescribers
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.services import clinics, people
from clinic_tracker.services.prescribers import add_prescriber, edit_prescriber


@pytest.fixture
def administrator(scope_for, cast):
    return scope_for(cast.administrator)


def public_id(person):
    return db.session.get(User, person.user_id).public_id


def invite(scope, email="new@northside.example", **changes):
    return people.invite(scope, **{"email": email, "name": "New Person", "role": Role.STAFF, **changes})


def test_a_new_person_gets_a_one_time_password(administrator):
    invited = invite(administrator)

    row = next(row for row in members(administrator) if row.email == "new@northside.example")
    assert len(invited.one_time_password) >= 12
    assert (row.role, row.must_change_password) == (Role.STAFF, True)


def test_somebody_of_another_clinic_keeps_the_password(administrator, cast):
    invited = invite(administrator, cast.stranger.email)

    assert invited.one_time_password is None
    assert {row.email for row in members(administrator)} >= {cast.stranger.email}


@pytest.mark.parametrize(
    "changes, field",
    [({"email": "no address"}, "email"), ({"name": " "}, "name"), ({"password": "short"}, "new")],
)
def test_a_bad_invitation_is_refused_with_its_field(administrator, changes, field):
    with pytest.raises(RuleViolation) as refused:
        invite(administrator, **changes)

    assert refused.value.field == field


def test_nobody_is_invited_twice(administrator, cast):
    with pytest.raises(RuleViolation):
        invite(administrator, cast.staff.email)


@pytest.mark.parametrize("role", ["staff", "neurologist", "auditor"])
def test_only_administrators_manage_people(scope_for, cast, role):
    with pytest.raises(PermissionDenied):
        invite(scope_for(cast.person(role)))


def test_a_role_is_changed_by_a_new_dated_membership(administrator, cast):
    people.set_role(administrator, public_id(cast.staff), Role.AUDITOR)

    rows = [row for row in members(administrator) if row.email == cast.staff.email]
    assert [(row.role, row.ended_on is None) for row in rows] == [(Role.AUDITOR, True), (Role.STAFF, False)]


def test_nobody_changes_the_own_role_and_a_clinic_keeps_an_administrator(administrator, cast, scope_for):
    with pytest.raises(RuleViolation):
        people.set_role(administrator, public_id(cast.administrator), Role.STAFF)
    second = invite(administrator, role=Role.ADMINISTRATOR, password="walnut-signal-orbit-77")
    other = scope_for(
        cast.administrator, user_id=db.session.scalar(db.select(User.id).where(User.public_id == second.user))
    )
    people.set_role(other, public_id(cast.administrator), Role.STAFF)

    with pytest.raises(RuleViolation) as refused:
        people.end_membership(administrator, second.user, reason="left")
    assert refused.value.code == "last_administrator"


def test_whoever_leaves_is_signed_out_and_stays_in_the_history(administrator, cast, page, clock):
    page.sign_in(cast.staff)

    people.end_membership(administrator, public_id(cast.staff), reason="Moved away")

    page.get("/today", status=303)
    assert [row.ended_on for row in members(administrator) if row.email == cast.staff.email] == [clock.today]


def test_another_clinics_people_are_not_found(administrator, cast):
    for act in (people.reset_password, people.end_sessions):
        with pytest.raises(NotFound):
            act(administrator, public_id(cast.stranger))


def test_a_reset_password_must_be_changed_at_the_first_sign_in(administrator, cast, page):
    password = people.reset_password(administrator, public_id(cast.staff))

    page.submit("/sign-in", email=cast.staff.email, password=password)

    assert page.get("/today", status=303).location.endswith("/password")
    page.submit(
        "/password", action="/password", current=password, new="walnut-signal-orbit-77", again="walnut-signal-orbit-77"
    )
    page.get("/today")


def test_an_administrator_cannot_open_the_account_of_somebody_who_works_in_another_clinic_too(
    administrator, cast, scope_for
):
    invite(administrator, cast.stranger.email)
    before = db.session.get(User, cast.stranger.user_id).password_hash

    with pytest.raises(RuleViolation) as refused:
        people.reset_password(administrator, public_id(cast.stranger))

    assert refused.value.code == "other_clinic"
    db.session.expire_all()
    assert db.session.get(User, cast.stranger.user_id).password_hash == before
    with pytest.raises(PermissionDenied):
        people.reset_password_anywhere(administrator, cast.stranger.email)


def test_a_membership_of_the_past_does_not_stand_against_a_new_password(administrator, cast, scope_for):
    invite(administrator, cast.stranger.email)
    head = invite(scope_for(cast.stranger, permissions=administrator.permissions), "head@southside.example")
    assert head.one_time_password
    southside = scope_for(cast.stranger, permissions=administrator.permissions, user_id=cast.administrator.user_id)
    people.end_membership(southside, public_id(cast.stranger), reason="Moved to Northside")

    assert people.reset_password(administrator, public_id(cast.stranger))


def test_an_npi_belongs_to_one_prescriber(administrator, cast):
    particulars = {"rems_prescriber_id": None, "certified_on": None, "certification_ends_on": None}

    with pytest.raises(RuleViolation) as taken:
        add_prescriber(administrator, name="Dr. Two", npi=cast.prescriber.npi, **particulars)
    with pytest.raises(RuleViolation) as malformed:
        add_prescriber(administrator, name="Dr. Two", npi="12", **particulars)

    assert (taken.value.field, malformed.value.field) == ("npi", "npi")


def test_two_administrators_edit_one_prescriber_and_the_second_is_told(administrator, cast):
    row = prescribers(administrator)[0]
    particulars = {
        "npi": row.npi,
        "rems_prescriber_id": None,
        "certified_on": date(2025, 1, 1),
        "certification_ends_on": None,
        "user": None,
        "is_active": False,
    }
    edit_prescriber(administrator, row.public_id, version=row.version, name="First", **particulars)

    with pytest.raises(StaleVersion):
        edit_prescriber(administrator, row.public_id, version=row.version, name="Second", **particulars)
    assert prescribers(administrator)[0].name == "First"


def test_a_setting_holds_from_its_date_and_official_ones_cannot_be_changed(administrator):
    clinics.change_setting(
        administrator, name="psf_months", value=12, effective_from=date(2026, 1, 10), reason="Confirmed by phone"
    )

    assert protocol_in_force(administrator).value("psf_months") == 12
    assert protocol_in_force(administrator, on=date(2026, 1, 9)).value("psf_months") == 6
    with pytest.raises(RuleViolation):
        clinics.change_setting(
            administrator, name="observation_min", value=60, effective_from=administrator.today, reason="Busy"
        )


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"effective_from": date(2026, 1, 23)}, "effective_from"),
        ({"reason": " "}, "reason"),
        ({"value": 0}, "psf_months"),
        ({"name": "no_such"}, "no_such"),
    ],
)
def test_a_bad_setting_is_refused_with_its_field(administrator, changes, field):
    good = {"name": "psf_months", "value": 12, "effective_from": date(2026, 1, 10), "reason": "Confirmed"}

    with pytest.raises(RuleViolation) as refused:
        clinics.change_setting(administrator, **{**good, **changes})

    assert refused.value.field == field
    assert not list(db.session.scalars(db.select(ClinicSetting.id)))


def test_values_that_do_not_go_together_are_refused_before_there_is_any_patient(administrator):
    change = {"effective_from": administrator.today, "reason": "Confirmed"}
    clinics.change_setting(administrator, name="early_days_quarterly", value=60, **change)

    with pytest.raises(RuleViolation) as refused:
        clinics.change_setting(administrator, name="lft_months", value=1, **change)

    assert refused.value.code == "settings_conflict"
    assert protocol_in_force(administrator).value("lft_months") == 3


def test_one_clinics_setting_is_not_anothers(administrator, scope_for, cast):
    clinics.change_setting(
        administrator, name="psf_months", value=12, effective_from=administrator.today, reason="Confirmed"
    )

    assert protocol_in_force(scope_for(cast.stranger)).value("psf_months") == 6


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"protocol_id": "lemtrada-xx"}, "protocol_id"),
        ({"name": ""}, "name"),
    ],
)
def test_a_clinic_keeps_a_name_a_zone_and_a_protocol(administrator, changes, field):
    details = clinic_details(administrator)
    good = {
        "version": details.version,
        "name": details.name,
        "time_zone": details.time_zone,
        "protocol_id": details.protocol_id,
        "rems_facility_id": None,
        "phone": None,
    }

    with pytest.raises(RuleViolation) as refused:
        clinics.edit_clinic(administrator, **{**good, **changes})

    assert refused.value.field == field
