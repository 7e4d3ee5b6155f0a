"""REMS forms: the submission is the evidence, and only a plausible one is taken."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import FormKind, FormMethod
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.schedule import Obligation, Standing
from clinic_tracker.models.treatment import Infusion, InfusionReaction
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.forms import Submission, correct_form, submit_form, withdraw_form
from tests.factories import Chart, register
from tests.fixtures.people import Cast

LAST = date(2025, 12, 12)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20)).infuse(date(2025, 12, 8))


def checklist(**changed: Any) -> Submission:
    values = {"kind": FormKind.INFUSION_CHECKLIST, "submitted_on": date(2025, 12, 17), "course": 1}
    return Submission(**{**values, "method": FormMethod.FAX, **changed})


def done() -> list[tuple[str, str]]:
    return [(row.requirement, row.slot) for row in db.session.query(Obligation).filter(Obligation.done_on.is_not(None))]


def test_a_checklist_does_the_one_of_its_course(chart: Chart) -> None:
    submit_form(chart.scope, chart.id, checklist(confirmation="FX-1"))
    assert done() == [("infusion_checklist", "C1")]
    assert db.session.query(AuditEvent).filter_by(action="form.submitted").count() == 1


def test_a_status_form_outside_its_window_is_kept_and_does_nothing(chart: Chart) -> None:
    submit_form(chart.scope, chart.id, Submission(FormKind.PATIENT_STATUS_FORM, date(2026, 1, 20)))
    assert done() == []
    assert db.session.query(Standing).filter_by(requirement="patient_status_form").one().next_due_on == date(2026, 6, 8)


@pytest.mark.parametrize(
    "changed, code, field",
    [
        ({"submitted_on": date(2026, 1, 23)}, "future_date", "submitted_on"),
        ({"submitted_on": date(1960, 1, 1)}, "before_birth", "submitted_on"),
        ({"completed_on": date(2025, 12, 18)}, "completed_after_sent", "completed_on"),
        ({"completed_on": date(1960, 1, 1)}, "before_birth", "completed_on"),
        ({"submitted_on": date(2025, 12, 11)}, "before_last_infusion", "submitted_on"),
        ({"course": None}, "course_required", "course"),
    ],
)
def test_what_cannot_be_is_refused(chart: Chart, changed: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(RuleViolation) as refused:
        submit_form(chart.scope, chart.id, checklist(**changed))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert db.session.query(FormSubmission).count() == 0


def test_the_refusal_of_an_early_checklist_explains_itself(chart: Chart) -> None:
    with pytest.raises(RuleViolation, match=r"last infusion of course 1 was on 12-Dec-2025"):
        submit_form(chart.scope, chart.id, checklist(submitted_on=date(2025, 12, 11)))


def test_a_course_without_infusions_has_nothing_to_report(chart: Chart) -> None:
    chart.plan(None)
    with pytest.raises(RuleViolation) as refused:
        submit_form(chart.scope, chart.id, checklist(course=2))
    assert refused.value.code == "course_not_given"
    with pytest.raises(NotFound):
        submit_form(chart.scope, chart.id, checklist(course=3))


def test_the_same_form_twice_records_once(chart: Chart) -> None:
    first = submit_form(chart.scope, chart.id, checklist(), form_token="t")
    assert submit_form(chart.scope, chart.id, checklist(), form_token="t") == first
    assert db.session.query(FormSubmission).count() == 1


def test_a_correction_replaces_and_the_second_one_is_told(
    chart: Chart, scope_for: Callable[..., Scope], cast: Cast
) -> None:
    old = submit_form(chart.scope, chart.id, checklist())
    new = correct_form(
        scope_for(cast.administrator), chart.id, old, checklist(submitted_on=date(2025, 12, 18)), reason="Wrong day"
    )
    row = db.session.query(FormSubmission).filter_by(public_id=new).one()
    assert row.replaces_id == db.session.query(FormSubmission).filter_by(public_id=old).one().id
    assert db.session.query(Obligation).filter_by(requirement="infusion_checklist").one().done_on == date(2025, 12, 18)
    with pytest.raises(RuleViolation, match="corrected by Ana Dow"):
        correct_form(chart.scope, chart.id, old, checklist(confirmation="X"), reason="Number")


def test_a_correction_is_of_the_same_form_and_needs_a_reason(chart: Chart) -> None:
    old = submit_form(chart.scope, chart.id, checklist())
    other = Submission(FormKind.PATIENT_STATUS_FORM, date(2026, 1, 5))
    for changed, reason, code in [(other, "x", "other_kind"), (checklist(), " ", "reason_required")]:
        with pytest.raises(RuleViolation) as refused:
            correct_form(chart.scope, chart.id, old, changed, reason=reason)
        assert refused.value.code == code
        db.session.rollback()


def test_a_withdrawn_submission_is_owed_again(chart: Chart) -> None:
    form = submit_form(chart.scope, chart.id, checklist())
    withdraw_form(chart.scope, chart.id, form, reason="Never sent")
    assert done() == []
    with pytest.raises(RuleViolation, match="entered in error by you"):
        withdraw_form(chart.scope, chart.id, form, reason="Again")


def test_who_may_not_and_whose_patient_it_is_not(chart: Chart, scope_for: Callable[..., Scope], cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        submit_form(scope_for(cast.auditor), chart.id, checklist())
    with pytest.raises(NotFound):
        submit_form(scope_for(cast.stranger), chart.id, checklist())
    form = submit_form(chart.scope, chart.id, checklist())
    with pytest.raises(NotFound):
        withdraw_form(chart.scope, register(chart.scope).id, form, reason="x")


def add_reaction(chart: Chart, **changed: Any) -> InfusionReaction:
    day = db.session.query(Infusion).filter_by(patient_id=chart.row.id, day_number=1).one()
    values = {"onset_at": day.started_at, "signs": "Rash", "grade": "severe", "is_serious": True, **changed}
    row = InfusionReaction(clinic_id=day.clinic_id, infusion_id=day.id, recorded_at=chart.scope.now, **values)
    db.session.add(row)
    db.session.commit()
    return row


def report(reaction: InfusionReaction, kind: FormKind = FormKind.ADVERSE_EVENT_FORM) -> Submission:
    return Submission(kind, date(2026, 1, 5), reaction=reaction.public_id)


def test_a_report_names_its_reaction_through_corrections(chart: Chart) -> None:
    row = add_reaction(chart)
    first = submit_form(chart.scope, chart.id, report(row))
    new = correct_form(chart.scope, chart.id, first, report(row), reason="Number")
    assert db.session.query(FormSubmission).filter_by(public_id=new).one().reaction_id == row.id


def test_a_reaction_that_was_withdrawn_or_is_not_this_patients_is_not_reported(
    chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    gone = add_reaction(chart, withdrawn_at=chart.scope.now)
    with pytest.raises(RuleViolation) as refused:
        submit_form(chart.scope, chart.id, report(gone))
    assert (refused.value.code, refused.value.field) == ("reaction_withdrawn", "reaction")
    other = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 6, 20)).infuse(date(2025, 7, 7))
    with pytest.raises(NotFound):
        submit_form(chart.scope, chart.id, report(add_reaction(other)))
    with pytest.raises(RuleViolation) as refused:
        submit_form(chart.scope, chart.id, report(add_reaction(chart), FormKind.PATIENT_STATUS_FORM))
    assert refused.value.code == "no_report"


def test_answers_that_contradict_each_other_are_refused(chart: Chart) -> None:
    answers = {"under_care": "no"}
    with pytest.raises(RuleViolation) as refused:
        submit_form(chart.scope, chart.id, Submission(FormKind.PATIENT_STATUS_FORM, date(2026, 1, 5), answers=answers))
    assert refused.value.code == "left_care_required"
    assert db.session.query(FormSubmission).count() == 0
