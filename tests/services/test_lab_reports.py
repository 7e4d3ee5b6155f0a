"""Results are recorded by panel, judged against what is on record, and replaced, never changed."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.lab_entry import TypedPanel, TypedValue
from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.vocabulary import FactState, Panel, ResultStatus
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.schedule import Obligation, Standing
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.lab_reports import correct_report, record_reports, withdraw_report
from clinic_tracker.services.lab_sheets import EntryRefused, SameDay, SameDayAnswer, Sheet
from tests.factories import Chart, register, typed
from tests.fixtures.people import Cast

DRAWN = date(2026, 1, 12)
CBC = (("wbc", "6.1"), ("neutrophils", "3.9"), ("lymphocytes", "1.4"), ("platelets", "251"))


def cbc(**changed: Any) -> TypedPanel:
    values = dict(CBC) | changed
    return TypedPanel(Panel.CBC_DIFF, tuple(TypedValue(code, text) for code, text in values.items()))


def sheet(*panels: TypedPanel, on: date = DRAWN, **more: Any) -> Sheet:
    return Sheet(on, panels, **more)


@pytest.fixture
def scope(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def treated(scope: Scope, cast: Cast) -> Chart:
    """Course 1 from 08 to 12 December 2025: the first monthly window opens on 02 January 2026, due on the 12th."""
    return register(scope).enroll(cast.prescriber, date(2025, 11, 20)).infuse(date(2025, 12, 8))


def only_report(**where: Any) -> LabReport:
    return db.session.query(LabReport).filter_by(**where).populate_existing().one()


def refusals(scope: Scope, chart: Chart, *panels: TypedPanel, **more: Any) -> dict[str | None, str]:
    with pytest.raises(EntryRefused) as refused:
        record_reports(scope, chart.id, sheet(*panels, **more))
    assert db.session.query(LabReport).count() == 0
    return {violation.field: violation.message for violation in refused.value.violations}


def test_one_sheet_makes_one_report_a_panel_and_does_their_obligations(scope: Scope, treated: Chart) -> None:
    creatinine = TypedPanel(Panel.CREATININE, (TypedValue("creatinine", "70", "umol/L", "53", "97"),))
    empty = TypedPanel(Panel.TSH, (TypedValue("tsh", " "),))
    ids = record_reports(scope, treated.id, sheet(cbc(), creatinine, empty, laboratory="Lake Lab"))
    assert len(ids) == 2
    assert {report.panel for report in db.session.query(LabReport)} == {"cbc_diff", "creatinine"}
    done = db.session.query(Obligation).filter_by(done_on=DRAWN).all()
    assert {(row.requirement, row.slot) for row in done} == {("cbc_diff", "C1M1"), ("creatinine", "C1M1")}
    value = db.session.query(LabValue).filter_by(analyte="creatinine").one()
    assert value.unit == "mg/dL"
    assert value.number == pytest.approx(0.792, abs=0.001)
    assert value.text == "70 umol/L"
    assert value.low == pytest.approx(0.5995, abs=0.001)
    assert value.flag == "N"


@pytest.mark.parametrize(
    "panel, missing",
    [
        (cbc(neutrophils="", lymphocytes=""), "no differential"),
        (cbc()._replace(problem=SpecimenProblem.CLUMPED), "clumped"),
        (TypedPanel(Panel.CBC_DIFF, (), problem=SpecimenProblem.QUANTITY_NOT_SUFFICIENT), "not sufficient"),
        (TypedPanel(Panel.URINALYSIS_CELLS, (TypedValue("urine_blood", "trace"),)), "no cell counts (dipstick only)"),
    ],
)
def test_an_incomplete_panel_is_stored_with_what_is_missing_and_does_nothing(
    scope: Scope, treated: Chart, panel: TypedPanel, missing: str
) -> None:
    record_reports(scope, treated.id, sheet(panel))
    report = only_report()
    assert not report.is_complete
    assert missing in (report.missing or "")
    standing = db.session.query(Standing).filter_by(requirement=panel.panel.value).one()
    assert standing.next_due_on == date(2026, 1, 12)
    assert standing.last_done_on is None


@pytest.mark.parametrize("status", [ResultStatus.PRELIMINARY, ResultStatus.CANCELLED])
def test_only_final_and_corrected_results_count(scope: Scope, treated: Chart, status: ResultStatus) -> None:
    record_reports(scope, treated.id, sheet(cbc()._replace(status=status)))
    assert db.session.query(Obligation).filter(Obligation.done_on.is_not(None)).count() == 0


def test_a_cancelled_panel_needs_no_values_but_any_other_does(scope: Scope, treated: Chart) -> None:
    preliminary = TypedPanel(Panel.TSH, (), ResultStatus.PRELIMINARY)
    assert "tsh_problem" in refusals(scope, treated, preliminary)
    record_reports(scope, treated.id, sheet(TypedPanel(Panel.TSH, (), ResultStatus.CANCELLED)))
    assert only_report().result_status == "cancelled"


def test_every_wrong_row_is_named_and_nothing_is_recorded(scope: Scope, treated: Chart) -> None:
    panel = TypedPanel(
        Panel.CBC_DIFF,
        (
            TypedValue("platelets", "251", "mg/dL"),
            TypedValue("wbc", "six"),
            TypedValue("hemoglobin", "138"),
            TypedValue("neutrophils", "3.9", low="8", high="1.5"),
            TypedValue("lymphocytes", "1.4", low="one"),
        ),
    )
    told = refusals(scope, treated, panel, on=DRAWN + timedelta(days=30))
    assert set(told) == {
        "collected_on", "platelets_unit", "wbc_value", "hemoglobin_confirmed", "neutrophils_low", "lymphocytes_low",
    }  # fmt: skip
    assert "Platelets" in told["platelets_unit"] or "platelets" in told["platelets_unit"]
    assert "White cells" in told["wbc_value"]
    assert "g/L" in told["hemoglobin_confirmed"]


def test_a_date_before_birth_is_refused(scope: Scope) -> None:
    chart = register(scope, birth_date=date(1990, 5, 1))
    assert "collected_on" in refusals(scope, chart, cbc(), on=date(1990, 4, 30))


def test_a_sheet_without_any_value_is_refused(scope: Scope, treated: Chart) -> None:
    assert refusals(scope, treated, cbc(wbc="", neutrophils="", lymphocytes="", platelets="")) == {
        None: "Enter at least one value."
    }


def test_an_unusual_value_is_taken_once_it_is_confirmed(scope: Scope, treated: Chart) -> None:
    rows = (*cbc().values[:3], TypedValue("platelets", "2"))
    assert "platelets_confirmed" in refusals(scope, treated, TypedPanel(Panel.CBC_DIFF, rows))
    confirmed = TypedPanel(Panel.CBC_DIFF, (*rows[:3], rows[3]._replace(confirmed=True)))
    record_reports(scope, treated.id, sheet(confirmed))
    assert only_report().worst_level == "red"


def test_the_same_panel_twice_on_a_date_asks_what_it_is(scope: Scope, treated: Chart) -> None:
    record_reports(scope, treated.id, sheet(cbc()))
    with pytest.raises(EntryRefused) as refused:
        record_reports(scope, treated.id, sheet(cbc(platelets="250")))
    assert refused.value.field == "cbc_diff_same_day"
    second = {Panel.CBC_DIFF: SameDayAnswer(SameDay.SECOND_SPECIMEN)}
    record_reports(scope, treated.id, sheet(cbc(platelets="250"), same_day=second))
    assert db.session.query(LabReport).filter_by(state="recorded").count() == 2


def test_a_correction_by_the_sheet_keeps_what_was_left_empty(scope: Scope, treated: Chart) -> None:
    """The count came first, the differential an hour later: nothing is typed twice."""
    record_reports(scope, treated.id, sheet(cbc(neutrophils="", lymphocytes="")))
    late = TypedPanel(Panel.CBC_DIFF, (TypedValue("neutrophils", "3.9"), TypedValue("lymphocytes", "1.1")))
    answer = {Panel.CBC_DIFF: SameDayAnswer(SameDay.CORRECTION, "The differential came later")}
    record_reports(scope, treated.id, sheet(late, same_day=answer))
    new, old = only_report(state="recorded"), only_report(state="corrected")
    assert new.is_complete
    assert new.replaces_id == old.id
    assert old.withdrawn_reason == "The differential came later"
    assert db.session.query(LabValue).filter_by(lab_report_id=new.id, analyte="platelets").one().number == 251
    assert db.session.query(Obligation).filter_by(requirement="cbc_diff", done_on=DRAWN).count() == 1


def test_a_correction_by_the_sheet_needs_a_reason(scope: Scope, treated: Chart) -> None:
    record_reports(scope, treated.id, sheet(cbc()))
    with pytest.raises(EntryRefused) as refused:
        record_reports(scope, treated.id, sheet(cbc(), same_day={Panel.CBC_DIFF: SameDayAnswer(SameDay.CORRECTION)}))
    assert refused.value.field == "cbc_diff_reason"


def test_the_same_form_twice_records_once(scope: Scope, treated: Chart) -> None:
    first = record_reports(scope, treated.id, sheet(cbc()), form_token="t-1")
    assert record_reports(scope, treated.id, sheet(cbc()), form_token="t-1") == first
    assert db.session.query(LabReport).count() == 1


def test_a_correction_replaces_and_moves_the_schedule(scope: Scope, treated: Chart) -> None:
    (old,) = record_reports(scope, treated.id, sheet(cbc()))
    new = correct_report(scope, treated.id, old, sheet(cbc(), on=date(2025, 12, 30)), reason="Wrong date")
    assert only_report(public_id=old).state == FactState.CORRECTED
    assert only_report(public_id=new).replaces_id == only_report(public_id=old).id
    assert db.session.query(Obligation).filter(Obligation.done_on.is_not(None)).count() == 0
    event = db.session.query(AuditEvent).filter_by(action="lab_report.corrected").one()
    assert event.reason == "Wrong date"
    assert event.before["collected_on"] == "2026-01-12"
    assert event.after["collected_on"] == "2025-12-30"
    assert {row["analyte"] for row in event.after["values"]} == dict(CBC).keys()


@pytest.mark.parametrize(
    "changed, reason, code", [({}, "A reason", "no_change"), ({"platelets": "250"}, " ", "reason_required")]
)
def test_a_correction_needs_a_change_and_a_reason(
    scope: Scope, treated: Chart, changed: dict[str, str], reason: str, code: str
) -> None:
    (old,) = record_reports(scope, treated.id, sheet(cbc()))
    with pytest.raises(RuleViolation) as refused:
        correct_report(scope, treated.id, old, sheet(cbc(**changed)), reason=reason)
    assert refused.value.code == code


def test_the_second_of_two_who_correct_the_same_report_is_told(
    scope: Scope, scope_for: Callable[..., Scope], cast: Cast, treated: Chart
) -> None:
    (old,) = record_reports(scope, treated.id, sheet(cbc()))
    correct_report(scope_for(cast.neurologist), treated.id, old, sheet(cbc(platelets="215")), reason="Typing error")
    with pytest.raises(RuleViolation, match="corrected by Tomas Rey") as refused:
        correct_report(scope, treated.id, old, sheet(cbc(platelets="125")), reason="Typing error")
    assert refused.value.code == "already_changed"


def test_two_at_the_same_moment_leave_one_correction(app: Flask, scope: Scope, treated: Chart) -> None:
    (old,) = record_reports(scope, treated.id, sheet(cbc()))
    start, outcomes = threading.Barrier(2), []

    def correct(platelets: str) -> None:
        with app.app_context():
            start.wait()
            try:
                correct_report(scope, treated.id, old, sheet(cbc(platelets=platelets)), reason="Typing error")
                outcomes.append("done")
            except RuleViolation as refused:
                outcomes.append(refused.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=correct, args=(text,)) for text in ("215", "125")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["already_changed", "done"]
    db.session.rollback()
    assert db.session.query(LabReport).filter_by(state="recorded").count() == 1


def test_a_correction_moved_onto_the_date_of_another_report_asks_what_it_is(scope: Scope, treated: Chart) -> None:
    record_reports(scope, treated.id, sheet(cbc()))
    (old,) = record_reports(scope, treated.id, sheet(cbc(), on=date(2026, 1, 5)))
    moved = sheet(cbc())
    codes = []
    for answer in ({}, {Panel.CBC_DIFF: SameDayAnswer(SameDay.CORRECTION, "Twice")}):
        with pytest.raises(RuleViolation) as refused:
            correct_report(scope, treated.id, old, replace(moved, same_day=answer), reason="Wrong date")
        codes.append(refused.value.code)
    assert codes == ["same_day", "two_replaced"]
    second = {Panel.CBC_DIFF: SameDayAnswer(SameDay.SECOND_SPECIMEN)}
    correct_report(scope, treated.id, old, replace(moved, same_day=second), reason="Wrong date")
    assert db.session.query(LabReport).filter_by(state="recorded", collected_on=DRAWN).count() == 2


def test_a_withdrawn_report_is_owed_again(scope: Scope, treated: Chart) -> None:
    (report,) = record_reports(scope, treated.id, sheet(cbc()))
    withdraw_report(scope, treated.id, report, reason="Another patient's paper")
    assert only_report().state == FactState.ENTERED_IN_ERROR
    assert db.session.query(Standing).filter_by(requirement="cbc_diff").one().last_done_on is None
    with pytest.raises(RuleViolation) as refused:
        withdraw_report(scope, treated.id, report, reason="Again")
    assert refused.value.code == "already_changed"


def test_a_report_is_found_only_with_its_own_patient_and_clinic(
    scope: Scope, scope_for: Callable[..., Scope], cast: Cast, treated: Chart
) -> None:
    (report,) = record_reports(scope, treated.id, sheet(cbc()))
    other = register(scope)
    with pytest.raises(NotFound):
        withdraw_report(scope, other.id, report, reason="x")
    with pytest.raises(NotFound):
        record_reports(scope_for(cast.stranger), treated.id, sheet(cbc()))


def test_an_auditor_may_not_record(scope_for: Callable[..., Scope], cast: Cast, treated: Chart) -> None:
    with pytest.raises(PermissionDenied):
        record_reports(scope_for(cast.auditor), treated.id, sheet(cbc()))


def test_a_range_that_was_filled_in_keeps_its_unit_when_the_value_gets_another(scope: Scope, treated: Chart) -> None:
    """150 to 450 was filled in for K/uL; the paper gives cells/uL. The limits must not become 0.15 to 0.45."""
    platelets = TypedValue("platelets", "145000", "cells/uL", "150", "450", range_unit="K/uL")
    record_reports(scope, treated.id, sheet(cbc()._replace(values=(*cbc().values[:3], platelets))))
    value = db.session.query(LabValue).filter_by(analyte="platelets").one()
    assert (value.number, value.low, value.high, value.flag) == (145, 150, 450, "L")


def test_an_imported_report_keeps_its_origin_when_it_is_corrected(scope: Scope, treated: Chart) -> None:
    (old,) = record_reports(scope, treated.id, sheet(cbc()))
    row = only_report()
    row.source, row.external_id = "hl7", "A-77"
    db.session.commit()
    new = correct_report(scope, treated.id, old, sheet(cbc(platelets="215")), reason="Corrected by the laboratory")
    assert (only_report(public_id=new).source, only_report(public_id=new).external_id) == ("hl7", "A-77")


def test_an_imported_report_without_values_stays_evidence_when_its_date_is_corrected(
    scope: Scope, treated: Chart
) -> None:
    (old,) = record_reports(scope, treated.id, sheet(cbc()))
    db.session.query(LabValue).delete()
    db.session.commit()
    new = correct_report(scope, treated.id, old, sheet(cbc()._replace(values=()), on=date(2026, 1, 13)), reason="Date")
    assert only_report(public_id=new).is_complete
    assert db.session.query(Obligation).filter_by(requirement="cbc_diff", done_on=date(2026, 1, 13)).count() == 1


def test_typed_from_the_catalog_is_what_the_factories_type(scope: Scope, treated: Chart) -> None:
    panel = typed(Panel.LIVER_PANEL, {"alt": ""})
    record_reports(scope, treated.id, sheet(replace(sheet(), panels=(panel,)).panels[0]))
    assert only_report().missing == "no ALT"
