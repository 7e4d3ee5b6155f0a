"""Merging two charts of one person, undoing it, and noting that they are two people."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import ExamKind, FormKind, Panel
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import Base, db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.patients import Enrollment, NotADuplicate, Patient, PatientMerge
from clinic_tracker.models.schedule import Obligation, Standing
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.duplicates import duplicate_pairs
from clinic_tracker.queries.merging import MERGED_TABLES
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.enrollment import withdraw_enrollment
from clinic_tracker.services.exams import ExamEntry, record_exam, withdraw_exam
from clinic_tracker.services.merging import mark_not_duplicate, merge_patients, undo_merge
from clinic_tracker.services.projection import check
from tests.factories import Chart, register
from tests.fixtures.people import Cast

ScopeFor = Callable[..., Scope]
SKIN = ExamEntry(ExamKind.SKIN_EXAM, date(2026, 1, 12), "normal")
# Rows that are computed, logs that stay true, and the log of merges itself.
NOT_MOVED = {"standing", "obligation", "patient_schedule", "table_part", "audit_event", "access_event"}


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def administrator(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.administrator)


@pytest.fixture
def kept(staff: Scope) -> Chart:
    return register(staff, mrn="100", family_name="Ruiz", given_name="Elena", birth_date=date(1990, 7, 14))


@pytest.fixture
def treated(staff: Scope, cast: Cast) -> Chart:
    """A second chart of the same person, with a course, results, an exam and a form."""
    chart = register(staff, mrn="200", family_name="Ruis", given_name="Elena", birth_date=date(1990, 7, 14))
    chart.enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2)).results(date(2025, 7, 7))
    return chart.exam("skin_exam", date(2025, 6, 1)).form(FormKind.INFUSION_CHECKLIST, date(2025, 6, 9), course=1)


def refusal(call: Callable[[], object]) -> RuleViolation:
    with pytest.raises(RuleViolation) as caught:
        call()
    return caught.value


def held(chart: Chart) -> dict[str, int]:
    """How many rows of each table the chart holds."""
    counts = {}
    for table in MERGED_TABLES:
        found = db.session.execute(select(table.c.id).where(table.c.patient_id == chart.row.id)).all()
        if found:
            counts[table.name] = len(found)
    return counts


def projected(chart: Chart) -> int:
    return sum(db.session.query(model).filter_by(patient_id=chart.row.id).count() for model in (Standing, Obligation))


def give(chart: Chart, number: int, day: date) -> None:
    """A course of one infusion, straight into the tables: a number that the pages would not let one begin with."""
    scope = chart.scope
    common = {"clinic_id": scope.clinic_id, "patient_id": chart.row.id}
    course = TreatmentCourse(**common, number=number, planned_days=3, planned_at=scope.now)
    db.session.add(course)
    db.session.flush()
    infusion = Infusion(
        **common,
        course_id=course.id,
        day_number=1,
        infused_on=day,
        dose_mg=12.0,
        started_at=scope.now,
        observation_minutes=120,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
    )
    db.session.add(infusion)
    db.session.commit()


def test_results_are_read_in_the_light_of_the_other_charts_and_as_before_after_an_undo(
    administrator: Scope, kept: Chart, treated: Chart
) -> None:
    kept.results(date(2025, 7, 20), Panel.CBC_DIFF, platelets="110")

    def rules() -> set[str]:
        found = select(LabReport.findings).where(LabReport.collected_on == date(2025, 7, 20))
        return {finding["rule"] for finding in db.session.execute(found).scalar_one()}

    alone = rules()
    merge = merge_patients(administrator, kept.id, treated.id, reason="One person")
    together = rules()
    undo_merge(administrator, merge, reason="Two people after all")

    assert "platelets_halved" in together - alone, "less than half of what the other chart had two weeks before"
    assert rules() == alone


def test_every_table_with_a_patient_is_moved_or_named_as_left_out():
    tables = {table.name for table in Base.metadata.tables.values() if "patient_id" in table.c}
    assert tables == {table.name for table in MERGED_TABLES} | NOT_MOVED


def test_everything_of_the_duplicate_moves_and_both_schedules_are_computed_anew(kept, treated, administrator):
    before, owed = held(treated), projected(treated)
    assert owed
    merge_patients(administrator, kept.id, treated.id, reason="Same birth date, phone and address")
    assert held(kept) == before
    assert held(treated) == {}
    assert treated.row.merged_into_id == kept.row.id
    assert (projected(kept), projected(treated)) == (owed, 0)
    assert check(administrator) == []


def test_both_charts_tell_of_the_merge(kept, treated, administrator):
    merge_patients(administrator, kept.id, treated.id, reason="Same person")
    events = db.session.query(AuditEvent).filter_by(action="patient.merged").all()
    assert {event.patient_id for event in events} == {kept.row.id, treated.row.id}
    assert {event.reason for event in events} == {"Same person"}
    told = next(event for event in events if event.patient_id == kept.row.id)
    assert told.after["rows"]["infusion"] == 5


def test_a_merged_chart_takes_no_more_entries(kept, treated, administrator, staff):
    merge_patients(administrator, kept.id, treated.id, reason="Same person")
    with pytest.raises(NotFound):
        record_exam(staff, treated.id, SKIN)
    with pytest.raises(NotFound):
        merge_patients(administrator, kept.id, treated.id, reason="Again")


def test_charts_with_the_same_course_are_refused_in_words(kept, treated, administrator, cast):
    kept.enroll(cast.prescriber, date(2025, 1, 2)).infuse(date(2025, 2, 3))
    enrollment = db.session.query(Enrollment).filter_by(patient_id=kept.row.id).one()
    withdraw_enrollment(kept.scope, kept.id, enrollment.public_id, reason="Twice")
    violation = refusal(lambda: merge_patients(administrator, kept.id, treated.id, reason="Same person"))
    assert violation.code == "merge_conflict"
    assert "Both charts have a course 1" in violation.message
    assert db.session.query(PatientMerge).count() == 0


def test_two_infusions_on_one_day_are_refused_in_words(kept, treated, administrator):
    give(kept, 2, date(2025, 6, 2))
    violation = refusal(lambda: merge_patients(administrator, kept.id, treated.id, reason="Same person"))
    assert "Both charts have an infusion on 02-Jun-2025" in violation.message


def test_courses_out_of_order_are_refused_in_words(kept, treated, administrator):
    give(kept, 2, date(2024, 3, 4))
    violation = refusal(lambda: merge_patients(administrator, kept.id, treated.id, reason="Same person"))
    assert "Course 2 would begin on 04-Mar-2024, not after the end of course 1 on 06-Jun-2025" in violation.message


def test_two_current_enrollments_are_refused_in_words(kept, treated, administrator, cast):
    kept.enroll(cast.prescriber, date(2025, 1, 2))
    violation = refusal(lambda: merge_patients(administrator, kept.id, treated.id, reason="Same person"))
    assert "Both charts have a current enrollment (02-Jan-2025 and 01-May-2025)" in violation.message


def test_charts_of_different_protocols_are_refused_in_words(kept, treated, administrator):
    kept.row.protocol_id = "lemtrada-eu"
    db.session.commit()
    violation = refusal(lambda: merge_patients(administrator, kept.id, treated.id, reason="Same person"))
    assert "different protocols" in violation.message


def test_a_planned_course_that_the_chart_to_keep_has_too_stays_behind(kept, treated, administrator, staff):
    planned = register(staff).plan(date(2026, 3, 2))
    merge_patients(administrator, treated.id, planned.id, reason="Same person")
    assert db.session.query(TreatmentCourse).filter_by(patient_id=planned.row.id).count() == 1
    assert db.session.query(TreatmentCourse).filter_by(patient_id=treated.row.id).count() == 1


def test_an_undo_puts_everything_back(kept, treated, administrator):
    before, owed = held(treated), projected(treated)
    merge = merge_patients(administrator, kept.id, treated.id, reason="Same person")
    undo_merge(administrator, merge, reason="Twins")
    assert (held(kept), held(treated)) == ({}, before)
    assert treated.row.merged_into_id is None
    assert (projected(kept), projected(treated)) == (0, owed)
    assert check(administrator) == []
    assert db.session.query(AuditEvent).filter_by(action="patient.merge_undone").count() == 2
    assert refusal(lambda: undo_merge(administrator, merge, reason="Again")).code == "already_undone"


def test_what_the_surviving_chart_got_by_itself_stays_there(kept, treated, administrator, staff):
    record_exam(staff, kept.id, SKIN)
    merge = merge_patients(administrator, kept.id, treated.id, reason="Same person")
    kept.results(date(2026, 1, 12))
    undo_merge(administrator, merge, reason="Twins")
    assert held(kept) == {"exam": 1, "lab_report": 5}


def test_an_undo_is_refused_when_something_that_moved_was_changed_since(kept, treated, administrator, staff):
    merge = merge_patients(administrator, kept.id, treated.id, reason="Same person")
    exam = db.session.query(Exam).filter_by(patient_id=kept.row.id).one()
    withdraw_exam(staff, kept.id, exam.public_id, reason="Misread")
    violation = refusal(lambda: undo_merge(administrator, merge, reason="Twins"))
    assert violation.code == "changed_since"
    assert "exam" in violation.message
    assert treated.row.merged_into_id == kept.row.id


def test_an_undo_is_refused_when_something_new_hangs_on_a_moved_course(kept, treated, administrator):
    merge = merge_patients(administrator, kept.id, treated.id, reason="Same person")
    kept.form(FormKind.PATIENT_AUTHORIZATION_FORM, date(2026, 1, 12), course=1)
    assert refusal(lambda: undo_merge(administrator, merge, reason="Twins")).code == "changed_since"


def test_merges_of_merges_are_undone_from_the_last(kept, treated, administrator, staff):
    first = merge_patients(administrator, kept.id, treated.id, reason="Same person")
    other = register(staff)
    second = merge_patients(administrator, other.id, kept.id, reason="Same person")
    assert refusal(lambda: undo_merge(administrator, first, reason="Twins")).code == "merged_again"
    undo_merge(administrator, second, reason="Twins")
    undo_merge(administrator, first, reason="Twins")
    assert held(treated)["infusion"] == 5


def test_merging_and_undoing_need_a_reason(kept, treated, administrator):
    assert refusal(lambda: merge_patients(administrator, kept.id, treated.id, reason=" ")).code == "reason_required"
    merge = merge_patients(administrator, kept.id, treated.id, reason="Same person")
    assert refusal(lambda: undo_merge(administrator, merge, reason="")).code == "reason_required"


def test_a_chart_is_not_merged_with_itself(kept, administrator):
    assert refusal(lambda: merge_patients(administrator, kept.id, kept.id, reason="x")).code == "same_chart"


def test_only_those_who_may_merge_do(kept, treated, administrator, cast, scope_for: ScopeFor):
    merge = merge_patients(administrator, kept.id, treated.id, reason="Same person")
    for person in (cast.staff, cast.neurologist, cast.auditor):
        with pytest.raises(PermissionDenied):
            merge_patients(scope_for(person), kept.id, treated.id, reason="x")
        with pytest.raises(PermissionDenied):
            undo_merge(scope_for(person), merge, reason="x")
        with pytest.raises(PermissionDenied):
            mark_not_duplicate(scope_for(person), kept.id, treated.id)


def test_charts_and_merges_of_another_clinic_are_not_found(kept, treated, administrator, cast, scope_for: ScopeFor):
    elsewhere = register(scope_for(cast.stranger))
    with pytest.raises(NotFound):
        merge_patients(administrator, kept.id, elsewhere.id, reason="x")
    with pytest.raises(NotFound):
        mark_not_duplicate(administrator, elsewhere.id, kept.id)
    with pytest.raises(NotFound):
        undo_merge(administrator, uuid4(), reason="x")
    assert held(elsewhere) == {}


def test_two_people_are_noted_once_and_no_longer_listed(kept, treated, administrator):
    assert len(duplicate_pairs(administrator)) == 1
    mark_not_duplicate(administrator, treated.id, kept.id)
    mark_not_duplicate(administrator, kept.id, treated.id)
    assert db.session.query(NotADuplicate).count() == 1
    assert duplicate_pairs(administrator) == ()
    events = db.session.query(AuditEvent).filter_by(action="patient.not_a_duplicate").all()
    assert {event.patient_id for event in events} == {kept.row.id, treated.row.id}


def test_a_merged_pair_is_no_longer_listed(kept, treated, administrator):
    merge_patients(administrator, kept.id, treated.id, reason="Same person")
    assert duplicate_pairs(administrator) == ()


def test_the_surviving_chart_keeps_its_own_numbers(kept, treated, administrator):
    merge_patients(administrator, kept.id, treated.id, reason="Same person")
    numbers = [row.mrn for row in db.session.query(Patient).order_by(Patient.mrn)]
    assert numbers == ["100", "200"]
