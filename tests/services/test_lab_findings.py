"""What results call for: against the ones before them and the baseline, and anew when the past changes."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.lab_entry import TypedPanel, TypedValue
from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.vocabulary import Panel, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.infusions import withdraw_infusion
from clinic_tracker.services.lab_reports import correct_report, record_reports, withdraw_report
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.patients import PatientDetails, edit_patient
from clinic_tracker.services.reviews import review_reports
from tests.factories import Chart, register, typed
from tests.fixtures.people import Cast
from tests.reviewed import answered

BASELINE, FIRST, SECOND = date(2025, 11, 25), date(2026, 1, 5), date(2026, 1, 19)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20)).infuse(date(2025, 12, 8))


def creatinine(chart: Chart, on: date, value: str) -> LabReport:
    panel = TypedPanel(Panel.CREATININE, (TypedValue("creatinine", value, "mg/dL"),))
    (public_id,) = record_reports(chart.scope, chart.id, Sheet(on, (panel,)))
    return report(public_id)


def report(public_id: object) -> LabReport:
    return db.session.query(LabReport).filter_by(public_id=public_id).populate_existing().one()


def test_a_rise_is_measured_from_the_value_before_the_first_infusion(chart: Chart) -> None:
    creatinine(chart, BASELINE, "0.6")
    creatinine(chart, FIRST, "0.8")
    found = creatinine(chart, SECOND, "0.95")
    assert found.worst_level == "red"
    assert "baseline 0.6" in found.findings[0]["words"]


def test_correcting_an_earlier_result_works_the_later_ones_out_anew(chart: Chart) -> None:
    earlier = creatinine(chart, BASELINE, "0.6")
    later = creatinine(chart, SECOND, "0.95")
    assert later.worst_level == "red"
    panel = TypedPanel(Panel.CREATININE, (TypedValue("creatinine", "0.9", "mg/dL"),))
    correct_report(chart.scope, chart.id, earlier.public_id, Sheet(BASELINE, (panel,)), reason="Typing error")
    assert report(later.public_id).worst_level is None


def test_a_reviewed_result_that_turns_out_worse_waits_for_review_again(
    chart: Chart, scope_for: Callable[..., Scope], cast: Cast
) -> None:
    later = creatinine(chart, SECOND, "0.95")
    review_reports(scope_for(cast.neurologist), [later.public_id])
    creatinine(chart, BASELINE, "0.6")
    assert report(later.public_id).worst_level == "red"
    assert report(later.public_id).reviewed_at is None


def test_a_reviewed_result_with_a_further_finding_waits_for_review_again(
    chart: Chart, scope_for: Callable[..., Scope], cast: Cast
) -> None:
    creatinine(chart, BASELINE, "0.6")
    first = creatinine(chart, SECOND, "1.0")
    answered(scope_for(cast.neurologist), chart, first)
    assert (report(first.public_id).worst_level, report(first.public_id).reviewed_at is None) == ("red", False)
    record_reports(chart.scope, chart.id, Sheet(SECOND, (typed(Panel.URINALYSIS_CELLS, {"urine_rbc": "12"}),)))
    assert "kidney_with_blood" in {item["rule"] for item in report(first.public_id).findings}
    assert report(first.public_id).reviewed_at is None


def test_correcting_the_first_infusion_moves_the_baseline(
    chart: Chart, scope_for: Callable[..., Scope], cast: Cast
) -> None:
    creatinine(chart, BASELINE, "0.6")
    creatinine(chart, date(2025, 12, 10), "0.9")
    later = creatinine(chart, SECOND, "0.95")
    assert later.worst_level == "red", "0.35 above the value before the first infusion"
    answered(scope_for(cast.neurologist), chart, later)

    first, *others = db.session.query(Infusion).order_by(Infusion.infused_on).all()
    for day in (first, *others[:2]):
        withdraw_infusion(chart.scope, chart.id, day.public_id, reason="Given three days later than written down")

    assert report(later.public_id).worst_level is None, "measured from 0.9, of before what is now the first infusion"


def test_a_first_infusion_written_down_late_makes_earlier_values_the_baseline(
    cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20))
    creatinine(chart, date(2025, 11, 20), "0.9")
    creatinine(chart, BASELINE, "0.6")
    later = creatinine(chart, SECOND, "0.95")
    review_reports(scope_for(cast.neurologist), [later.public_id])
    assert report(later.public_id).worst_level is None, "measured from the first value on record, 0.9"

    chart.infuse(date(2025, 12, 8))

    assert report(later.public_id).worst_level == "red", "measured from the last value before the infusion, 0.6"
    assert report(later.public_id).reviewed_at is None, "and back in the queue"


def test_a_corrected_sex_at_birth_changes_what_a_value_means(chart: Chart) -> None:
    creatinine(chart, BASELINE, "1.05")
    result = creatinine(chart, SECOND, "1.05")
    assert result.worst_level == "amber", "above the range of women"

    row = chart.row
    who = PatientDetails(row.mrn, row.family_name, row.given_name, row.birth_date, Sex.MALE)
    edit_patient(chart.scope, chart.id, who)

    assert report(result.public_id).worst_level is None


def test_withdrawing_the_previous_value_changes_what_the_next_one_means(chart: Chart) -> None:
    chart.results(FIRST, Panel.CBC_DIFF, platelets="300")
    chart.results(SECOND, Panel.CBC_DIFF, platelets="148")
    first, second = db.session.query(LabReport).order_by(LabReport.collected_on).all()
    assert second.findings[0]["rule"] == "platelets_halved"
    withdraw_report(chart.scope, chart.id, first.public_id, reason="Another patient's paper")
    assert report(second.public_id).findings[0]["rule"] == "platelets_reduced"


def test_creatinine_and_urine_of_one_day_are_read_together(chart: Chart) -> None:
    creatinine(chart, BASELINE, "0.6")
    panels = (typed(Panel.CREATININE, {"creatinine": "1.0"}), typed(Panel.URINALYSIS_CELLS, {"urine_rbc": "12"}))
    ids = record_reports(chart.scope, chart.id, Sheet(SECOND, panels))
    rules = [{item["rule"] for item in report(public_id).findings} for public_id in ids]
    assert rules[0] & rules[1], "both reports carry the combined finding"
    assert [report(public_id).worst_level for public_id in ids] == ["red", "red"]


def test_expected_lymphopenia_does_not_alarm(chart: Chart) -> None:
    chart.results(FIRST, Panel.CBC_DIFF, lymphocytes="0.2", wbc="2.9")
    row = db.session.query(LabReport).one()
    assert row.findings == []
    assert row.worst_level is None


def test_clumped_platelets_are_to_be_redrawn_and_raise_no_alarm_of_their_own(chart: Chart) -> None:
    panel = typed(Panel.CBC_DIFF, {"platelets": "41"})._replace(problem=SpecimenProblem.CLUMPED)
    record_reports(chart.scope, chart.id, Sheet(FIRST, (panel,)))
    row = db.session.query(LabReport).one()
    assert [item["rule"] for item in row.findings] == ["specimen_problem"]
    assert row.worst_level == "amber"
    assert "citrate" in row.findings[0]["action"]


def test_values_below_the_limit_of_detection_are_not_taken_as_measured(chart: Chart) -> None:
    panel = TypedPanel(Panel.TSH, (TypedValue("tsh", "<5", "mIU/L", "0.4", "4.5"),))
    record_reports(chart.scope, chart.id, Sheet(FIRST, (panel,)))
    assert db.session.query(LabReport).one().worst_level is None
