"""The review inbox: red first, then amber, then what may be signed many at a time; and that sign-off."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.other_lines import OtherLine
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.queries.acknowledgements import acknowledgements_of, exam_acknowledgements, unanswered
from clinic_tracker.queries.cover import covering_today
from clinic_tracker.queries.exam_rows import ExamRow
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_rows import ReportRow
from clinic_tracker.queries.other_lines import also_sent
from clinic_tracker.queries.review_clock import review_due_dates
from clinic_tracker.queries.review_queue import LEVELS, QueueFilter, WaitingRow, review_queue
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.reviews import Reviewed, review_reports
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.addresses import as_uuids, uuid_in
from clinic_tracker.web.filters import duration, plural
from clinic_tracker.web.labs.blueprint import blueprint
from clinic_tracker.web.labs.forms import PANELS, ReviewForm
from clinic_tracker.web.labs.presenters import ShownExam, ShownReport, shown_exam, shown_report

HOURS_TOLD = 72
EXAMS = "exams"
LEVEL_WORDS = {"red": "Red", "amber": "Amber", "normal": "No finding"}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A waiting result with its patient, and the day by which it should be reviewed."""

    patient: WaitingRow
    report: ShownReport | ShownExam
    href: str
    due_on: date
    is_late: bool
    waiting: str
    asks: bool
    covered_by: str | None
    flagged_beside: int

    @property
    def key(self) -> str:
        """What ticking the row sends: which report, and how it looked."""
        return f"{self.report.public_id}.{self.report.row.digest}"


@blueprint.route("/results", endpoint="review_queue")
@requires(Permission.VIEW_PATIENTS)
def show_queue(error: str | None = None) -> ResponseReturnValue:
    """Results that wait for review."""
    scope = current_scope()
    chosen = chosen_filter()
    page = review_queue(scope, chosen, after=uuid_in("after"))
    shown_patients([row.report.patient_id for row in page.rows])
    catalog = lab_catalog(scope)
    answer = render_template(
        "labs/review_queue.html",
        rows=queue_rows(scope, page.rows),
        page=page,
        chosen=chosen,
        bands=level_bands(chosen, page.counts),
        panels=[
            ("", "All results"),
            *((panel.value, panel_title(catalog, panel)) for panel in PANELS),
            (EXAMS, "Exams and screening"),
        ],
        form=ReviewForm(),
        error=error,
        may_review=scope.may(Permission.REVIEW_RESULTS),
        filters=filter_values(),
        may_enter=scope.may(Permission.RECORD_EVIDENCE),
    )
    return answer, 400 if error else 200


@blueprint.route("/results/review", methods=["POST"])
@requires(Permission.REVIEW_RESULTS)
def review_many() -> ResponseReturnValue:
    """Sign off the ticked results with one note."""
    form = ReviewForm()
    if not form.validate_on_submit():
        return show_queue(error=form.error_links[0].message)
    try:
        seen = ticked(request.form.getlist("report"))
        done = review_reports(current_scope(), seen, note=form.note.data, seen=seen)
    except RuleViolation as refused:
        return show_queue(error=refused.message)
    tell(done)
    return redirect(url_for("labs.review_queue", **filter_values()), 303)


def ticked(values: list[str]) -> dict[uuid.UUID, str]:
    """The ticked reports, each with what it looked like when it was shown."""
    parts = [value.partition(".") for value in values]
    return {report: digest for text, _, digest in parts for report in as_uuids([text])}


def queue_rows(scope: Scope, waiting: tuple[WaitingRow, ...]) -> list[QueueRow]:
    """The rows of the queue with their clock: red on the day they came, the others in business days."""
    catalog = lab_catalog(scope)
    due = review_due_dates(scope, [(row.report.recorded_at, row.report.worst_level) for row in waiting])
    said = acknowledgements_of(scope, [row.report.id for row in waiting if not row.is_exam])
    about_exams = exam_acknowledgements(scope, [row.report.id for row in waiting if row.is_exam])
    cover = covering_today(scope)
    beside = also_sent(scope, [row.report.inbound_result_id for row in waiting])
    return [
        QueueRow(
            patient=row,
            report=shown_item(catalog, row.report),
            href=item_page(row),
            due_on=due_on,
            is_late=scope.today > due_on,
            waiting=waiting_words(scope.now - row.report.recorded_at),
            asks=bool(
                unanswered(scope, row.report.findings, (about_exams if row.is_exam else said).get(row.report.id, []))
            ),
            covered_by=cover.get(row.prescriber or ""),
            flagged_beside=flagged(beside.get(row.report.inbound_result_id or 0, ())),
        )
        for row, due_on in zip(waiting, due, strict=True)
    ]


def flagged(lines: Iterable[OtherLine]) -> int:
    """How many of the lines that the clinic does not follow are out of range or flagged."""
    return sum(line.is_flagged for line in lines)


def shown_item(catalog: LabCatalog, row: ReportRow | ExamRow) -> ShownReport | ShownExam:
    """A report or an exam in words."""
    return shown_exam(row) if isinstance(row, ExamRow) else shown_report(catalog, row)


def item_page(row: WaitingRow) -> str:
    """Where a report or an exam is read and answered."""
    if row.is_exam:
        return url_for("labs.exam", patient=row.patient, exam=row.report.public_id)
    return url_for("labs.result", patient=row.patient, report=row.report.public_id)


def waiting_words(span: timedelta) -> str:
    """How long a result has waited: 40 min, 26 h, 3 days."""
    hours = int(span.total_seconds() // 3600)
    if hours < 1:
        return duration(span)
    return f"{hours} h" if hours <= HOURS_TOLD else plural(span.days, "day")


def chosen_filter() -> QueueFilter:
    """The filter in the address; what is unknown is left out."""
    level, panel = request.args.get("level", ""), request.args.get("panel", "")
    return QueueFilter(
        level=level if level in LEVELS else None,
        panel=Panel(panel) if panel in set(Panel) else None,
        exams=panel == EXAMS,
        mine=request.args.get("mine") == "1",
        late=request.args.get("late") == "1",
    )


def filter_values() -> dict[str, Any]:
    """The filter of the address, to come back to."""
    chosen = chosen_filter()
    marks = {"mine": "1" if chosen.mine else None, "late": "1" if chosen.late else None}
    values = {"level": chosen.level, "panel": EXAMS if chosen.exams else chosen.panel, **marks}
    return {name: value for name, value in values.items() if value}


def level_bands(chosen: QueueFilter, counts: dict[str, int]) -> list[dict[str, object]]:
    """The levels as links, with how many wait."""
    others = {name: value for name, value in filter_values().items() if name != "level"}
    everything = {
        "text": "All",
        "href": url_for("labs.review_queue", **others),
        "current": chosen.level is None,
        "count": sum(counts.values()),
    }
    levels = [
        {
            "text": LEVEL_WORDS[level],
            "href": url_for("labs.review_queue", level=level, **others),
            "current": chosen.level == level,
            "count": counts[level],
        }
        for level in LEVELS
    ]
    return [everything, *levels]


def tell(done: Reviewed) -> None:
    """Say how many were signed off, how many needed it no longer, and how many changed and wait."""
    if done.reviewed:
        flash(f"{plural(done.reviewed, 'result')} reviewed.", "success")
    if done.already:
        was = "was" if done.already == 1 else "were"
        flash(f"{plural(done.already, 'result')} {was} reviewed or changed by somebody else before.", "info")
    if done.changed:
        words = f"{plural(done.changed, 'result')} changed since the page was opened and not signed off"
        flash(f"{words}: look at {'it' if done.changed == 1 else 'them'} again.", "warning")
