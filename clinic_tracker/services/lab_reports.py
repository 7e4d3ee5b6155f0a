"""Laboratory results: recorded by panel, corrected by replacement, withdrawn; the findings follow."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_entry import ReadPanel
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import (
    check_reason,
    check_unchanged,
    find_fact,
    supersede,
    withdraw,
)
from clinic_tracker.services.lab_findings import refresh_findings
from clinic_tracker.services.lab_orders import answer_order, reopen_orders
from clinic_tracker.services.lab_sheets import SameDay, Sheet, completed, on_record, read_sheet, values_of
from clinic_tracker.services.review_withdrawal import withdraw_follow_up
from clinic_tracker.services.unit_of_work import unit_of_work


def record_reports(scope: Scope, patient: uuid.UUID, sheet: Sheet, *, form_token: str | None = None) -> list[uuid.UUID]:
    """Record one report for each panel that holds something; the public ids in the order of the sheet.

    EntryRefused lists every row and panel that cannot be recorded as it stands, with the field to correct; nothing is
    recorded then. A panel that is on record for that date needs a ``same_day`` answer: as a correction it replaces the
    report there, and what was left empty is kept from it. The same form sent twice records once.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if sent := _of_form(scope, row.id, form_token):
            return [report.public_id for report in sent]
        catalog = lab_catalog(scope)
        there = on_record(scope, row.id, sheet.collected_on)
        panels = [
            completed(scope, catalog, panel, there.get(panel.panel), sheet.same_day.get(panel.panel))
            for panel in sheet.panels
            if not panel.is_empty
        ]
        read = read_sheet(scope, catalog, row, sheet, panels, there)
        reports = [_record(scope, row, sheet, panel, there.get(panel.panel), form_token) for panel in read]
        refresh_findings(scope, row, sheet.collected_on)
    return [report.public_id for report in reports]


def correct_report(
    scope: Scope,
    patient: uuid.UUID,
    report: uuid.UUID,
    sheet: Sheet,
    *,
    reason: str | None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Replace a report by what the sheet (one panel) says; the replacement's public id.

    The replaced report stays as corrected, and its review with it: the new one waits for review. RuleViolation when
    somebody changed the report before (``already_changed``), when nothing differs (``no_change``), and as recording.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if sent := _of_form(scope, row.id, form_token):
            return sent[0].public_id
        old = find_fact(scope, LabReport, row.id, report)
        check_unchanged(scope, old)
        check_reason(scope, reason)
        sheet = replace(sheet, attested=old.is_complete and not values_of(scope, old))
        there = on_record(scope, row.id, sheet.collected_on, but=old.id)
        _refuse_two_replaced(sheet, there)
        (read,) = read_sheet(scope, lab_catalog(scope), row, sheet, sheet.panels, there)
        if _same(scope, old, sheet, read):
            raise RuleViolation("no_change", None, "Nothing was changed. Change what is wrong, or go back.")
        new = _new(scope, row, sheet, read, form_token)
        _replace(scope, old, new, read, reason)
        refresh_findings(scope, row, min(old.collected_on, sheet.collected_on))
    return new.public_id


def withdraw_report(scope: Scope, patient: uuid.UUID, report: uuid.UUID, *, reason: str | None) -> None:
    """Mark a report as entered in error (another patient's paper): it stays visible and counts for nothing.

    What was said about it and the open tasks that came from it are withdrawn, too, and its order waits again.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = find_fact(scope, LabReport, row.id, report)
        before = audit.snapshot(old)
        withdraw(scope, old, reason)
        audit.record(scope, AuditAction.LAB_REPORT_WITHDRAWN, old, before=before, reason=reason)
        reopen_orders(scope, old)
        withdraw_follow_up(scope, old, reason)
        refresh_findings(scope, row, old.collected_on)


def _of_form(scope: Scope, patient_id: int, form_token: str | None) -> list[LabReport]:
    """What this very form recorded before: a double click, or a page sent again."""
    if not form_token:
        return []
    return list(
        db.session.execute(
            select(LabReport)
            .where(
                LabReport.clinic_id == scope.clinic_id,
                LabReport.patient_id == patient_id,
                LabReport.form_token == form_token,
            )
            .order_by(LabReport.id)
        ).scalars()
    )


def _new(scope: Scope, patient: Patient, sheet: Sheet, read: ReadPanel, form_token: str | None) -> LabReport:
    return LabReport(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        panel=read.panel.value,
        collected_on=sheet.collected_on,
        result_status=read.status.value,
        is_complete=not read.missing,
        missing="; ".join(read.missing) or None,
        specimen_problem=read.problem.value if read.problem else None,
        laboratory=sheet.laboratory,
        note=sheet.note,
        findings=[],
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
    )


def _record(
    scope: Scope, patient: Patient, sheet: Sheet, read: ReadPanel, there: LabReport | None, form_token: str | None
) -> LabReport:
    report = _new(scope, patient, sheet, read, form_token)
    answer = sheet.same_day.get(read.panel)
    if there is not None and answer is not None and answer.is_what is SameDay.CORRECTION:
        _replace(scope, there, report, read, answer.reason)
        return report
    db.session.add(report)
    _add_values(scope, AuditAction.LAB_REPORT_RECORDED, report, read)
    return report


def _replace(scope: Scope, old: LabReport, new: LabReport, read: ReadPanel, reason: str | None) -> None:
    """Put a report in the place of another one; it keeps the laboratory's number, so that it follows what comes."""
    new.source, new.external_id, new.title = old.source, old.external_id, old.title
    new.inbound_result_id = old.inbound_result_id
    before = {**audit.snapshot(old), "values": [value._asdict() for value in values_of(scope, old)]}
    supersede(scope, old, new, reason)
    _add_values(scope, AuditAction.LAB_REPORT_CORRECTED, new, read, before=before, reason=reason)


def _add_values(
    scope: Scope,
    action: AuditAction,
    report: LabReport,
    read: ReadPanel,
    *,
    before: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Add the values of a report, note in the audit trail what it says with them, and close its order."""
    db.session.flush()
    values = [value._asdict() for value in read.values]
    db.session.add_all(LabValue(clinic_id=scope.clinic_id, lab_report_id=report.id, **value) for value in values)
    audit.note(
        scope,
        action,
        subject_type=LabReport.__tablename__,
        subject_id=report.id,
        patient_id=report.patient_id,
        before=before,
        after={**audit.snapshot(report), "values": values},
        reason=reason,
    )
    answer_order(scope, report)


def _refuse_two_replaced(sheet: Sheet, there: Mapping[Panel, LabReport]) -> None:
    """A correction replaces one report: another one of its new date cannot be replaced by it too."""
    for panel, answer in sheet.same_day.items():
        if panel in there and answer.is_what is SameDay.CORRECTION:
            message = (
                f"There is another report of {show_date(sheet.collected_on)}. Call this a second specimen, "
                "or mark the other one as entered in error first."
            )
            raise RuleViolation("two_replaced", f"{panel.value}_same_day", message)


def _same(scope: Scope, old: LabReport, sheet: Sheet, read: ReadPanel) -> bool:
    """Whether a correction says what the report says already."""
    heads = (
        old.collected_on == sheet.collected_on,
        old.result_status == read.status.value,
        old.specimen_problem == (read.problem.value if read.problem else None),
        (old.laboratory or None) == sheet.laboratory,
        (old.note or None) == sheet.note,
    )
    return all(heads) and sorted(values_of(scope, old)) == sorted(read.values)
