"""A course is authorized by the neurologist on its baseline set, verified by the facility."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.treatment import Authorization, Deviation
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services.authorizations import authorize_course, verify_authorization, withdraw_authorization
from clinic_tracker.services.courses import CoursePlan, plan_course
from clinic_tracker.services.deviations import ReasonNeeded
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    return add_patient(cast, scope_for)


def row(public_id):
    return db.session.execute(select(Authorization).where(Authorization.public_id == public_id)).scalar_one()


def test_an_authorization_expires_with_the_earliest_item_to_lapse(treated):
    treated.plan(date(2026, 1, 26))
    authorization = row(treated.authorize())
    # Collected on 10-Jan: holds for a start until 9-Feb, before the 30 days of the authorization are over.
    assert authorization.expires_on == date(2026, 2, 9)
    assert {item["state"] for item in authorization.baseline if item["code"] == "cbc_diff"} == {"met"}


def test_something_missing_needs_the_neurologists_reason_and_is_a_deviation(treated):
    report = db.session.execute(select(LabReport).where(LabReport.panel == "tsh")).scalar_one()
    report.state, report.withdrawn_at = "entered_in_error", treated.scope.now
    db.session.commit()
    treated.plan()
    with pytest.raises(ReasonNeeded, match="Thyroid function"):
        treated.authorize()
    authorization = row(treated.authorize(override_reason="Result by phone, 1.2"))
    assert authorization.override_reason == "Result by phone, 1.2"
    assert db.session.execute(select(Deviation.code)).scalars().all() == ["baseline_tsh"]


def test_what_the_neurologist_explained_is_not_asked_of_the_nurse_again(treated):
    report = db.session.execute(select(LabReport).where(LabReport.panel == "tsh")).scalar_one()
    report.state, report.withdrawn_at = "entered_in_error", treated.scope.now
    db.session.commit()
    treated.plan()
    authorization = treated.authorize(override_reason="Result by phone, 1.2")
    verify_authorization(treated.scope, treated.patient, authorization, verified_on=treated.scope.today, method="web")
    treated.prepare()
    treated.start()


def test_a_patient_with_hiv_is_not_authorized_whatever_the_reason(treated):
    exam = db.session.execute(select(Exam).where(Exam.kind == "hiv_test")).scalar_one()
    exam.outcome = "positive"
    db.session.commit()
    treated.plan()
    with pytest.raises(RuleViolation) as refused:
        treated.authorize(override_reason="Insists")
    assert not isinstance(refused.value, ReasonNeeded)


def test_without_a_planned_start_or_enrollment_nothing_is_authorized(cast, scope_for, treated):
    plan = CoursePlan(planned_start_on=None, prescriber=None)
    treated.course = plan_course(treated.scope, treated.patient, plan)
    with pytest.raises(RuleViolation, match="Plan the start"):
        treated.authorize()
    other = add_patient(cast, scope_for, enrolled=False)
    other.plan()
    with pytest.raises(RuleViolation, match="not enrolled"):
        other.authorize(override_reason="Soon")


def test_an_authorization_more_than_thirty_days_ahead_needs_a_reason(treated):
    treated.plan(treated.scope.today + timedelta(days=45))
    with pytest.raises(ReasonNeeded, match="counts from"):
        treated.authorize()


def test_a_prescriber_who_is_not_certified_on_that_date_needs_a_reason(treated, cast):
    cast.prescriber.certification_ends_on = date(2026, 1, 1)
    db.session.commit()
    treated.plan()
    with pytest.raises(ReasonNeeded, match="not certified"):
        treated.authorize()


def test_authorizing_again_replaces_the_first_authorization(treated):
    treated.plan()
    first, second = treated.authorize(), treated.authorize()
    assert (row(first).state, row(second).replaces_id) == ("corrected", row(first).id)


def test_the_same_form_sent_twice_authorizes_once(treated):
    treated.plan()
    assert treated.authorize(form_token="twice") == treated.authorize(form_token="twice")


def test_only_a_neurologist_authorizes(treated, cast):
    treated.plan()
    with pytest.raises(PermissionDenied):
        authorize_course(
            treated.scope,
            treated.patient,
            treated.course,
            prescriber=cast.prescriber.public_id,
            authorized_on=treated.scope.today,
        )


def test_a_future_authorization_is_refused(treated):
    treated.plan()
    with pytest.raises(RuleViolation) as refused:
        treated.authorize(authorized_on=treated.scope.today + timedelta(days=1))
    assert refused.value.field == "authorized_on"


def test_the_facility_verifies_once_and_not_before_the_authorization(treated):
    treated.plan()
    authorization = treated.authorize()
    common = {"method": "phone"}
    with pytest.raises(RuleViolation) as early:
        verify_authorization(
            treated.scope,
            treated.patient,
            authorization,
            verified_on=treated.scope.today - timedelta(days=1),
            **common,
        )
    assert early.value.field == "verified_on"
    verify_authorization(treated.scope, treated.patient, authorization, verified_on=treated.scope.today, **common)
    with pytest.raises(RuleViolation, match="verified already"):
        verify_authorization(treated.scope, treated.patient, authorization, verified_on=treated.scope.today, **common)


def test_a_withdrawal_needs_a_reason(treated):
    treated.plan()
    authorization = treated.authorize()
    with pytest.raises(RuleViolation, match="reason"):
        withdraw_authorization(treated.neurologist, treated.patient, authorization, reason="")
    withdraw_authorization(treated.neurologist, treated.patient, authorization, reason="Relapse, other drug")
    assert row(authorization).state == "entered_in_error"


def test_after_a_long_gap_a_course_is_authorized_for_the_day_on_which_it_goes_on(cast, scope_for):
    treated = add_patient(cast, scope_for, baseline_on=date(2025, 11, 20))
    first = date(2025, 12, 10)
    treated.plan(first)
    treated.record_past(treated.past(1, first), reason="Paper sheet", decided_by="Dr. Rey")
    with pytest.raises(ReasonNeeded) as refused:
        treated.authorize()
    assert {note.code for note in refused.value.notes} >= {"baseline_tsh", "baseline_cbc_diff"}
    assert "authorization_expired" not in {note.code for note in refused.value.notes}
    again = row(treated.authorize(override_reason="Drawn today, results tonight"))
    assert (again.planned_start_on, again.expires_on) == (treated.scope.today, date(2026, 2, 21))
    # The reason of the neurologist holds for the day; the one from before the gap does not.
    treated.prepare()
    with pytest.raises(ReasonNeeded) as asked:
        treated.start(2)
    assert {note.code for note in asked.value.notes} == {"resumed_late", "not_verified"}


def test_an_authorization_filed_later_is_for_the_first_day(cast, scope_for):
    treated = add_patient(cast, scope_for, baseline_on=date(2025, 11, 20))
    first = date(2025, 12, 10)
    treated.plan(first)
    treated.record_past(treated.past(1, first), reason="Paper sheet", decided_by="Dr. Rey")
    filed = row(treated.authorize(authorized_on=date(2025, 12, 8)))
    assert filed.planned_start_on == first
