"""One result as a page: values, findings, what was done about them, the sign-off and its clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.other_lines import OtherLine
from clinic_tracker.domain.vocabulary import FindingAction
from clinic_tracker.queries.acknowledgements import Said, acknowledgements_of, unanswered
from clinic_tracker.queries.exam_rows import ExamRow
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_reports import replaced_report, replacement_of
from clinic_tracker.queries.lab_rows import ReportRow
from clinic_tracker.queries.other_lines import also_sent
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.review_clock import review_due_dates
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tasks import TaskRow, patient_tasks
from clinic_tracker.web.forms import status_of
from clinic_tracker.web.labs.presenters import shown_report
from clinic_tracker.web.labs.review_forms import ACTION_WORDS, AnswerForm, answer_form
from clinic_tracker.web.patients.banner import banner_of


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding as it is shown: what was said about it, or that it waits."""

    item: Mapping[str, Any]
    said: Said | None
    action: str
    asks: bool


@dataclass(frozen=True, slots=True)
class ResultPage:
    """What the page shows besides the report or the exam itself."""

    findings: list[ShownFinding]
    due_on: date
    is_late: bool
    tasks: list[TaskRow]
    also_sent: tuple[OtherLine, ...]


def form_of(scope: Scope, row: ReportRow) -> AnswerForm:
    """The form that this result asks for now."""
    said = acknowledgements_of(scope, [row.id]).get(row.id, [])
    return answer_form(lab_catalog(scope), unanswered(scope, row.findings, said), row.panel, row.digest)


def result_page(scope: Scope, header: PatientHeader, row: ReportRow, form: AnswerForm) -> ResponseReturnValue:
    """The page of one report, with the form filled in so far."""
    catalog = lab_catalog(scope)
    older = replaced_report(scope, header.id, row)
    page = render_template(
        "labs/result.html",
        banner=banner_of(scope, header),
        tab="results",
        page=reviewed_page(scope, header, row, acknowledgements_of(scope, [row.id]).get(row.id, [])),
        report=shown_report(catalog, row),
        older=shown_report(catalog, older) if older else None,
        newer=replacement_of(scope, row.id),
        back=url_for("labs.patient_results", patient=header.public_id),
        form=form,
    )
    return page, status_of(form)


def reviewed_page(scope: Scope, header: PatientHeader, row: ReportRow | ExamRow, answers: Sequence[Said]) -> ResultPage:
    """What a report or an exam calls for, what was said about it, and its clock."""
    said = {item.rule: item for item in answers}
    (due_on,) = review_due_dates(scope, [(row.recorded_at, row.worst_level)])
    asked: set[str] = set()
    findings = []
    for item in row.told:
        one = said.get(item["rule"])
        action = ACTION_WORDS[FindingAction(one.action)] if one else ""
        asks = row.stands and one is None and item["rule"] not in asked
        findings.append(ShownFinding(item, one, action, asks))
        asked.add(item["rule"])
    return ResultPage(
        findings=findings,
        due_on=due_on,
        is_late=row.reviewed_at is None and scope.today > due_on,
        tasks=[task for task in patient_tasks(scope, header.id) if row.public_id in (task.report, task.exam)],
        also_sent=also_sent(scope, [row.inbound_result_id]).get(row.inbound_result_id or 0, ()),
    )
