"""Results are signed off by those who may, one or many, and a sign-off can be taken back with a reason."""

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.lab_reports import correct_report
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.reviews import Reviewed, review_reports, undo_review
from tests.factories import Chart, register, typed
from tests.fixtures.people import Cast

DRAWN = date(2026, 1, 12)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).results(DRAWN)


@pytest.fixture
def doctor(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.neurologist)


def reports(**where: object) -> list[LabReport]:
    return db.session.query(LabReport).filter_by(**where).populate_existing().order_by(LabReport.id).all()


def ids(**where: object) -> list[UUID]:
    return [row.public_id for row in reports(**where)]


def test_many_are_reviewed_at_once_with_one_note(chart: Chart, doctor: Scope) -> None:
    assert review_reports(doctor, ids(), note=" All fine ") == Reviewed(5, 0)
    assert {(row.reviewed_by_id, row.review_note) for row in reports()} == {(doctor.user_id, "All fine")}
    assert db.session.query(AuditEvent).filter_by(action="lab_report.reviewed").count() == 5


def test_what_somebody_else_reviewed_before_is_left_and_counted(
    chart: Chart, doctor: Scope, scope_for: Callable[..., Scope], cast: Cast
) -> None:
    first, *others = ids()
    review_reports(doctor, [first], note="Mine")
    assert review_reports(doctor, [first, *others], note="All") == Reviewed(4, 1)
    assert reports(public_id=first)[0].review_note == "Mine"


def test_choosing_none_is_refused(doctor: Scope) -> None:
    with pytest.raises(RuleViolation) as refused:
        review_reports(doctor, [])
    assert refused.value.code == "nothing_chosen"


def test_one_of_another_clinic_spoils_the_lot(
    chart: Chart, doctor: Scope, scope_for: Callable[..., Scope], cast: Cast
) -> None:
    theirs = register(scope_for(cast.stranger)).results(DRAWN, "tsh")
    foreign = ids(patient_id=theirs.row.id)
    with pytest.raises(NotFound):
        review_reports(doctor, [*ids(patient_id=chart.row.id), *foreign])
    with pytest.raises(NotFound):
        review_reports(doctor, [uuid4()])
    assert all(row.reviewed_at is None for row in reports())


@pytest.mark.parametrize("role", ["staff", "administrator", "auditor"])
def test_only_those_who_may_review(chart: Chart, scope_for: Callable[..., Scope], cast: Cast, role: str) -> None:
    with pytest.raises(PermissionDenied):
        review_reports(scope_for(cast.person(role)), ids())


def test_a_correction_needs_a_review_of_its_own(chart: Chart, doctor: Scope) -> None:
    (tsh,) = ids(panel="tsh")
    review_reports(doctor, [tsh])
    sheet = Sheet(DRAWN, (typed(Panel.TSH, {"tsh": "2.1"}),))
    new = correct_report(chart.scope, chart.id, tsh, sheet, reason="Typing error")
    assert reports(public_id=new)[0].reviewed_at is None
    assert review_reports(doctor, [tsh, new]) == Reviewed(1, 1), "the replaced one is left as it was"


def test_a_review_is_taken_back_with_a_reason(chart: Chart, doctor: Scope) -> None:
    (tsh,) = ids(panel="tsh")
    review_reports(doctor, [tsh])
    with pytest.raises(RuleViolation, match="reason"):
        undo_review(doctor, chart.id, tsh, reason=" ")
    undo_review(doctor, chart.id, tsh, reason="Wrong row")
    assert reports(public_id=tsh)[0].reviewed_at is None
    assert db.session.query(AuditEvent).filter_by(action="lab_report.review_withdrawn").one().reason == "Wrong row"
    with pytest.raises(RuleViolation) as refused:
        undo_review(doctor, chart.id, tsh, reason="Again")
    assert refused.value.code == "not_reviewed"


def test_a_corrected_report_keeps_its_review(chart: Chart, doctor: Scope) -> None:
    (tsh,) = ids(panel="tsh")
    review_reports(doctor, [tsh])
    correct_report(chart.scope, chart.id, tsh, Sheet(DRAWN, (typed(Panel.TSH, {"tsh": "2.1"}),)), reason="Typing error")
    with pytest.raises(RuleViolation, match="changed by Nia Brandt"):
        undo_review(doctor, chart.id, tsh, reason="Too late")


def test_an_overlong_note_is_refused(chart: Chart, doctor: Scope) -> None:
    with pytest.raises(RuleViolation, match="2000 characters"):
        review_reports(doctor, ids(), note="x" * 2001)


def test_a_review_is_taken_back_only_on_the_chart_it_belongs_to(chart: Chart, doctor: Scope) -> None:
    (tsh,) = ids(panel="tsh")
    other = register(chart.scope)
    with pytest.raises(NotFound):
        undo_review(doctor, other.id, tsh, reason="x")
