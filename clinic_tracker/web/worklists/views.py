"""The worklists: overdue, due and all, a patient or an item a row; the file of a list; people on no list."""

from datetime import date

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.exports.tables import csv_text
from clinic_tracker.queries.duplicates import count_duplicate_pairs
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tallies import QUEUES, Tally, tally_counts, tally_patients
from clinic_tracker.queries.tasks import task_counts
from clinic_tracker.queries.treatment import prescriber_choices
from clinic_tracker.queries.worklist_filter import WorklistFilter
from clinic_tracker.queries.worklist_pages import worklist_page, worklist_totals
from clinic_tracker.queries.worklists import WorklistItem, listed_patients, listed_rows
from clinic_tracker.services.exporting import note_export
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.requirement_words import list_options
from clinic_tracker.web.worklists import call_views, presenters
from clinic_tracker.web.worklists.address import address_of, read_cursor, read_filter
from clinic_tracker.web.worklists.blueprint import blueprint
from clinic_tracker.web.worklists.tally_words import TALLY_WORDS
from clinic_tracker.web.worklists.task_words import off_list, row_tasks

__all__ = ["blueprint", "call_views"]

COLUMNS = tuple(WorklistItem.__dataclass_fields__)


def _chosen(scope: Scope) -> WorklistFilter:
    known = frozenset(code for code, _title in list_options(scope.protocol_id))
    return read_filter(request.args, known)


@blueprint.get("/worklists")
@requires(Permission.VIEW_PATIENTS)
def index() -> ResponseReturnValue:
    """One page of a worklist, worst first; the filter is the address."""
    scope = current_scope()
    chosen, cursor = _chosen(scope), read_cursor(request.args)
    page, totals = worklist_page(scope, chosen, cursor), worklist_totals(scope, chosen)
    tasks = task_counts(scope, mine=chosen.mine, prescriber=chosen.prescriber)
    shown_patients([row.patient_id for row in page.rows])
    return render_template(
        "worklists/index.html",
        chosen=chosen,
        rows=presenters.shown_rows(scope, page, row_tasks(scope, page.rows)),
        words=presenters.page_words(scope, chosen, totals, tasks),
        off_list=off_list(scope, chosen, tasks),
        neighbors=presenters.neighbors(chosen, page, cursor),
        requirements=list_options(scope.protocol_id),
        prescribers=[("", "All prescribers"), *((row.public_id, row.name) for row in prescriber_choices(scope))],
        snoozed=presenters.SNOOZED_OPTIONS,
        parameters=address_of(chosen),
        may=Permission,
    )


@blueprint.get("/worklists/export.csv")
@requires(Permission.EXPORT_DATA)
def export() -> ResponseReturnValue:
    """The whole list of the address as a file: the very items that its pages show."""
    scope = current_scope()
    chosen = _chosen(scope)
    rows = listed_rows(scope, chosen)
    shown_patients(listed_patients(scope, chosen))
    note_export(scope, "worklist", {"rows": len(rows), **address_of(chosen)})
    text = csv_text(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows))
    return _file(text, f"{scope.clinic_slug}-{chosen.view}", scope.today)


@blueprint.get("/worklists/people-on-no-list")
@requires(Permission.VIEW_PATIENTS)
def tallies() -> ResponseReturnValue:
    """Every tally of people on no list, with its count and what to do."""
    scope = current_scope()
    counts = tally_counts(scope)
    return render_template(
        "worklists/tallies.html",
        tallies=[(tally, TALLY_WORDS[tally], counts[tally]) for tally in TALLY_WORDS if tally not in QUEUES],
        duplicates=count_duplicate_pairs(scope),
    )


@blueprint.get("/worklists/people-on-no-list/<code>")
@requires(Permission.VIEW_PATIENTS)
def tally(code: str) -> ResponseReturnValue:
    """The patients of one tally, with what to do about them."""
    scope = current_scope()
    if code not in set(Tally):
        abort(404)
    rows = tally_patients(scope, Tally(code))
    shown_patients([row.patient_id for row in rows])
    words = TALLY_WORDS[Tally(code)]
    return render_template("worklists/tally.html", words=words, rows=rows)


def _file(text: str, name: str, day: date) -> Response:
    disposition = f'attachment; filename="{name}-{day.isoformat()}.csv"'
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": disposition})
