"""Enrolling, correcting and ending an enrollment."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment
from clinic_tracker.models.schedule import Standing
from clinic_tracker.models.treatment import Deviation
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.deviations import ReasonNeeded
from clinic_tracker.services.enrollment import (
    EnrollmentDetails,
    correct_enrollment,
    end_enrollment,
    enroll_patient,
    withdraw_enrollment,
)
from tests.factories import Chart, register
from tests.fixtures.people import Cast

DAY = date(2026, 1, 5)
ScopeFor = Callable[..., Scope]


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff)


@pytest.fixture
def signed(cast: Cast) -> EnrollmentDetails:
    """A form with every step done on one day."""
    return EnrollmentDetails(cast.prescriber.public_id, DAY, DAY, DAY, DAY, DAY, DAY, copy_given=True)


def rows(chart: Chart) -> list[Enrollment]:
    return (
        db.session.query(Enrollment)
        .filter_by(patient_id=chart.row.id)
        .order_by(Enrollment.id)
        .populate_existing()
        .all()
    )


def refusal(call: Callable[[], object]) -> RuleViolation:
    with pytest.raises(RuleViolation) as caught:
        call()
    return caught.value


def test_enrolling_makes_the_prescriber_responsible_and_takes_the_rems_id(chart, signed, staff, cast):
    enroll_patient(staff, chart.id, replace(signed, rems_patient_id="R-900"))
    assert chart.row.prescriber_id == cast.prescriber.id
    assert chart.row.rems_patient_id == "R-900"
    assert [row.state for row in rows(chart)] == ["recorded"]
    actions = {event.action for event in db.session.query(AuditEvent).filter_by(patient_id=chart.row.id)}
    assert {"enrollment.recorded", "patient.edited"} <= actions


@pytest.mark.parametrize(
    "changes,code,field",
    [
        ({"enrolled_on": date(2026, 1, 23)}, "future_date", "enrolled_on"),
        ({"guide_given_on": date(1960, 1, 1)}, "before_birth", "guide_given_on"),
        ({"patient_signed_on": date(2026, 1, 6)}, "out_of_order", "patient_signed_on"),
        ({"counseled_on": date(2026, 1, 6)}, "out_of_order", "counseled_on"),
    ],
)
def test_dates_that_cannot_be_are_refused_and_nothing_is_stored(chart, signed, staff, changes, code, field):
    violation = refusal(lambda: enroll_patient(staff, chart.id, replace(signed, **changes), reason="no matter"))
    assert (violation.code, violation.field) == (code, field)
    assert rows(chart) == []


def test_a_missing_step_needs_a_reason_and_is_kept_as_a_deviation(chart, signed, staff):
    without_card = replace(signed, card_given_on=None)
    with pytest.raises(ReasonNeeded):
        enroll_patient(staff, chart.id, without_card)
    enroll_patient(staff, chart.id, without_card, reason="Card to be mailed")
    kept = db.session.query(Deviation).filter_by(patient_id=chart.row.id).one()
    assert (kept.code, kept.requirement, kept.reason) == ("missing_step", "R-12", "Card to be mailed")


def test_a_patient_is_enrolled_once_at_a_time(chart, signed, staff):
    enroll_patient(staff, chart.id, signed)
    violation = refusal(lambda: enroll_patient(staff, chart.id, signed))
    assert violation.code == "already_enrolled"
    assert "05-Jan-2026" in violation.message


def test_the_same_form_sent_twice_enrolls_once(chart, signed, staff):
    first = enroll_patient(staff, chart.id, signed, form_token="form-1")
    assert enroll_patient(staff, chart.id, signed, form_token="form-1") == first
    assert len(rows(chart)) == 1


def test_after_an_end_the_patient_may_be_enrolled_again_but_not_earlier(chart, signed, staff):
    first = enroll_patient(staff, chart.id, signed)
    end_enrollment(staff, chart.id, first, ended_on=date(2026, 1, 10), reason="Moved away")
    steps = ("counseled_on", "guide_given_on", "card_given_on", "patient_signed_on", "prescriber_signed_on")
    during = replace(signed, enrolled_on=date(2026, 1, 8))
    assert refusal(lambda: enroll_patient(staff, chart.id, during)).code == "already_enrolled"
    later = replace(signed, enrolled_on=date(2026, 1, 15), **dict.fromkeys(steps, date(2026, 1, 12)))
    enroll_patient(staff, chart.id, later)
    assert len(rows(chart)) == 2


def test_a_correction_replaces_and_both_stay(chart, signed, staff):
    old = enroll_patient(staff, chart.id, signed)
    correct_enrollment(staff, chart.id, old, replace(signed, enrolled_on=date(2026, 1, 7)), reason="Misread")
    first, second = rows(chart)
    assert (first.state, first.withdrawn_reason, first.withdrawn_by_id) == ("corrected", "Misread", staff.user_id)
    assert (second.state, second.replaces_id, second.enrolled_on) == ("recorded", first.id, date(2026, 1, 7))


def test_an_entry_is_corrected_or_withdrawn_once(chart, signed, staff):
    old = enroll_patient(staff, chart.id, signed)
    withdraw_enrollment(staff, chart.id, old, reason="Wrong chart")
    assert rows(chart)[0].state == "entered_in_error"
    for call in (
        lambda: withdraw_enrollment(staff, chart.id, old, reason="Again"),
        lambda: correct_enrollment(staff, chart.id, old, signed, reason="Again"),
        lambda: end_enrollment(staff, chart.id, old, ended_on=DAY, reason="Again"),
    ):
        assert refusal(call).code == "already_changed"


def test_every_change_of_an_entry_needs_a_reason(chart, signed, staff):
    old = enroll_patient(staff, chart.id, signed)
    for call in (
        lambda: withdraw_enrollment(staff, chart.id, old, reason=" "),
        lambda: correct_enrollment(staff, chart.id, old, signed, reason=""),
        lambda: end_enrollment(staff, chart.id, old, ended_on=DAY, reason=""),
    ):
        assert refusal(call).code == "reason_required"
    assert [row.state for row in rows(chart)] == ["recorded"]


@pytest.mark.parametrize("ended_on,code", [(date(2026, 1, 4), "ends_before_start"), (date(2026, 1, 23), "future_date")])
def test_an_enrollment_ends_after_it_began_and_not_in_the_future(chart, signed, staff, ended_on, code):
    old = enroll_patient(staff, chart.id, signed)
    violation = refusal(lambda: end_enrollment(staff, chart.id, old, ended_on=ended_on, reason="Moved away"))
    assert (violation.code, violation.field) == (code, "ended_on")


def test_ending_the_enrollment_does_not_end_the_monitoring(staff, cast):
    chart = register(staff).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))
    owed = db.session.query(Standing).filter_by(patient_id=chart.row.id).count()
    assert owed
    end_enrollment(staff, chart.id, rows(chart)[0].public_id, ended_on=date(2026, 1, 20), reason="Moved away")
    assert rows(chart)[0].end_reason == "Moved away"
    assert db.session.query(Standing).filter_by(patient_id=chart.row.id).count() == owed
    again = refusal(
        lambda: end_enrollment(staff, chart.id, rows(chart)[0].public_id, ended_on=DAY, reason="Moved away")
    )
    assert again.code == "already_ended"


def test_an_end_can_be_taken_back_by_a_correction(chart, signed, staff):
    old = enroll_patient(staff, chart.id, signed)
    end_enrollment(staff, chart.id, old, ended_on=date(2026, 1, 10), reason="Moved away")
    correct_enrollment(staff, chart.id, old, signed, reason="Has not moved")
    assert rows(chart)[-1].ended_on is None


def test_a_rems_id_that_another_chart_has_is_refused(chart, signed, staff):
    register(staff, rems_patient_id="R-900")
    violation = refusal(lambda: enroll_patient(staff, chart.id, replace(signed, rems_patient_id="r-900")))
    assert violation.code == "rems_patient_id_taken"
    assert rows(chart) == []


def test_other_clinics_and_auditors_cannot_touch_an_enrollment(chart, signed, staff, cast, scope_for: ScopeFor):
    old = enroll_patient(staff, chart.id, signed)
    with pytest.raises(NotFound):
        withdraw_enrollment(scope_for(cast.stranger), chart.id, old, reason="x")
    with pytest.raises(NotFound):
        withdraw_enrollment(staff, register(staff).id, old, reason="x")
    auditor = scope_for(cast.auditor)
    for call in (
        lambda: enroll_patient(auditor, chart.id, signed),
        lambda: correct_enrollment(auditor, chart.id, old, signed, reason="x"),
        lambda: withdraw_enrollment(auditor, chart.id, old, reason="x"),
        lambda: end_enrollment(auditor, chart.id, old, ended_on=DAY, reason="x"),
    ):
        with pytest.raises(PermissionDenied):
            call()
