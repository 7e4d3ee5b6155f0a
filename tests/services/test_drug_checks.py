"""Patient, product, dose and expiry are checked by people with names before the start (R-55)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.drug_check import Product
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import User
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, DrugCheck
from clinic_tracker.services.clinics import change_setting
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.drug_checks import Colleague, record_drug_check
from clinic_tracker.services.infusion_parts import Target, VitalsTaken, record_vital_signs, withdraw_part
from clinic_tracker.services.infusions import correct_infusion, withdraw_infusion
from tests.fixtures.people import PASSWORD, add_person
from tests.treated import Treated, add_patient

VIAL = Product(12.0, "A1234", date(2027, 6, 30))


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.prepare()
    return ready


@pytest.fixture
def wanted(cast, scope_for):
    def want(people):
        scope = scope_for(cast.administrator)
        change_setting(
            scope, name="drug_check_people", value=people, effective_from=scope.today, reason="Two pairs of eyes"
        )

    return want


def check(treated, product=VIAL, **values):
    values = {"patient_confirmed": True, **values}
    record_drug_check(treated.scope, treated.patient, treated.course, product, **values)


def neurologist(cast, password=PASSWORD):
    return Colleague(cast.neurologist.email, password)


def rows():
    return list(db.session.execute(select(DrugCheck).order_by(DrugCheck.id)).scalars())


def test_two_people_at_one_screen_check_and_the_rows_join_the_infusion(treated, wanted, cast):
    wanted(2)
    check(treated)
    check(treated, colleague=neurologist(cast))
    infusion = treated.start()
    found = rows()
    assert [row.checked_by_id for row in found] == [cast.staff.user_id, cast.neurologist.user_id]
    assert len({row.infusion_id for row in found}) == 1
    assert found[0].infusion_id is not None
    assert infusion


@pytest.mark.parametrize("checks", [0, 1])
def test_a_missing_check_is_for_a_prescriber_to_decide(treated, wanted, checks):
    wanted(2)
    for _ in range(checks):
        check(treated)
    with pytest.raises(RuleViolation, match=r"prescriber|reason"):
        treated.start()
    treated.start(given=Reasons("Second nurse called away", "Dr. Tomas Rey"))


def test_a_clinic_that_wants_no_check_is_asked_for_none(treated):
    treated.start()
    assert rows() == []


def test_a_check_that_comes_after_the_start_is_refused(treated):
    treated.start()
    with pytest.raises(RuleViolation) as refused:
        check(treated)
    assert refused.value.code == "already_started"


def test_one_person_does_not_check_twice(treated, cast):
    check(treated)
    with pytest.raises(RuleViolation, match="checked already"):
        check(treated)
    with pytest.raises(RuleViolation, match="checked already"):
        check(treated, colleague=Colleague(cast.staff.email, PASSWORD))


def test_two_people_must_read_the_same_vial(treated, cast):
    check(treated)
    with pytest.raises(RuleViolation, match="Nia Brandt read lot A1234") as refused:
        check(treated, VIAL._replace(lot_number="B77"), colleague=neurologist(cast))
    assert refused.value.field == "lot_number"


def test_what_is_given_is_what_was_checked(treated):
    check(treated)
    with pytest.raises(RuleViolation, match="Nia Brandt checked lot A1234") as refused:
        treated.start(lot_number="B77")
    assert refused.value.field == "lot_number"


@pytest.mark.parametrize(
    "product, confirmed, field",
    [
        (VIAL, False, "patient_confirmed"),
        (VIAL._replace(lot_number=" "), True, "lot_number"),
        (VIAL._replace(lot_expires_on=None), True, "lot_expires_on"),
        (VIAL._replace(lot_expires_on=date(2026, 1, 21)), True, "lot_expires_on"),
    ],
)
def test_an_incomplete_check_is_none(treated, product, confirmed, field):
    with pytest.raises(RuleViolation) as refused:
        check(treated, product, patient_confirmed=confirmed)
    assert refused.value.field == field
    assert rows() == []


def test_a_wrong_check_is_withdrawn_and_made_anew(treated):
    check(treated, VIAL._replace(lot_number="B77"))
    target = Target(treated.patient, course=treated.course)
    withdraw_part(treated.scope, target, "check", rows()[0].public_id, reason="Misread")
    check(treated)
    treated.start()
    assert [row.withdrawn_at is None for row in rows()] == [False, True]


def test_the_checks_of_an_infusion_entered_in_error_count_for_no_other_start(treated, wanted):
    wanted(1)
    check(treated)
    entered = treated.start()
    withdraw_infusion(treated.scope, treated.patient, entered, reason="Another patient's")
    treated.prepare()
    with pytest.raises(ReasonNeeded) as refused:
        treated.start()
    assert [note.code for note in refused.value.notes] == ["drug_not_checked"]


def test_a_check_of_yesterday_does_not_count_today(treated, wanted, clock):
    wanted(1)
    check(treated)
    clock.forward(days=1)
    treated.prepare()
    with pytest.raises(RuleViolation, match=r"prescriber|reason"):
        treated.start()


def test_a_form_sent_twice_is_one_check(treated):
    for _ in range(2):
        check(treated, form_token="once")
    assert len(rows()) == 1


def test_a_corrected_infusion_keeps_its_checks_and_a_moved_one_takes_them_along(treated, cast):
    check(treated)
    check(treated, colleague=neurologist(cast))
    infusion = treated.start()
    before = treated.facts(at=treated.at("10:30", treated.scope.today - timedelta(days=1)))
    correct_infusion(
        treated.scope,
        treated.patient,
        infusion,
        before,
        reason="It was yesterday",
        given=Reasons("Dates were mixed up", "Dr. Tomas Rey"),
    )
    db.session.expire_all()
    standing = [row for row in rows() if row.withdrawn_at is None]
    assert {row.for_on for row in standing} == {before.started_at.date()}
    assert [row.checked_by_id for row in standing] == [cast.staff.user_id, cast.neurologist.user_id]


# -------------------------------------------------------------------------------------------- who the colleague is


@pytest.mark.parametrize("who", ["nobody", "stranger", "auditor", "inactive"])
def test_only_a_colleague_who_may_treat_here_can_check(treated, cast, clock, who):
    person = {"stranger": cast.stranger, "auditor": cast.auditor}.get(who, cast.neurologist)
    if who == "inactive":
        db.session.get(User, person.user_id).is_active = False
        db.session.commit()
    email = "nobody@northside.example" if who == "nobody" else person.email
    with pytest.raises(RuleViolation) as refused:
        check(treated, colleague=Colleague(email, PASSWORD))
    assert refused.value.field == "password"
    assert rows() == []


def test_five_wrong_passwords_lock_the_colleague_as_for_signing_in(treated, cast, clock):
    for _ in range(5):
        with pytest.raises(RuleViolation, match="not right"):
            check(treated, colleague=neurologist(cast, "wrong"))
    with pytest.raises(RuleViolation, match="Too many"):
        check(treated, colleague=neurologist(cast))
    clock.forward(minutes=31)
    check(treated, colleague=neurologist(cast))


def test_a_password_for_one_use_signs_nothing(treated, cast, clock):
    person = add_person(clock, cast.northside, "Ivo Lund", Role.STAFF, must_change_password=True)
    db.session.commit()
    with pytest.raises(RuleViolation, match="choose your own"):
        check(treated, colleague=Colleague(person.email, PASSWORD))


def test_the_password_is_nowhere_to_be_found(treated, cast):
    colleague = neurologist(cast)
    check(treated, colleague=colleague)
    assert PASSWORD not in repr(colleague)
    told = db.session.execute(select(AuditEvent.before, AuditEvent.after, AuditEvent.reason)).all()
    assert PASSWORD not in repr(told)


def lacking():
    statement = select(Deviation).where(Deviation.code == "drug_not_checked", Deviation.withdrawn_at.is_(None))
    return [(row.message, row.reason) for row in db.session.execute(statement).scalars()]


def test_a_check_withdrawn_after_the_start_is_a_deviation_that_stays(treated, wanted, cast):
    wanted(2)
    check(treated)
    check(treated, colleague=neurologist(cast))
    infusion = treated.start()
    assert lacking() == []
    target = Target(treated.patient, infusion=infusion)
    withdraw_part(treated.scope, target, "check", rows()[0].public_id, reason="Another vial")
    words = "Fewer checks of the drug before the start than the clinic wants: 1 of 2."
    assert lacking() == [(words, "Another vial")]
    record_vital_signs(treated.scope, target, VitalsTaken(taken_at=treated.scope.now, pulse=70))
    moved = treated.facts(at=treated.at("10:20", treated.scope.today - timedelta(days=1)))
    given = Reasons("It was yesterday", "Dr. Tomas Rey")
    correct_infusion(treated.scope, treated.patient, infusion, moved, reason="It was yesterday", given=given)
    assert lacking() == [(words, "Another vial")], "what was not done on the day is not done on another date"


def test_a_check_that_nobody_asked_for_is_withdrawn_without_a_deviation(treated):
    check(treated)
    infusion = treated.start()
    withdraw_part(
        treated.scope, Target(treated.patient, infusion=infusion), "check", rows()[0].public_id, reason="Another vial"
    )
    assert lacking() == []
