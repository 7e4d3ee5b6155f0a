"""Pages of laboratory results: a patient's results and trends. Entry and review are in modules of their own."""

import uuid

from flask import render_template, request
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_reports import (
    course_starts,
    patient_report,
    patient_reports,
    series,
)
from clinic_tracker.queries.patients import patient_header
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import uuid_in
from clinic_tracker.web.labs import answers, cover, entry, exams, review
from clinic_tracker.web.labs.blueprint import blueprint
from clinic_tracker.web.labs.effects import entered_effects
from clinic_tracker.web.labs.forms import PANELS
from clinic_tracker.web.labs.presenters import by_day, shown_report
from clinic_tracker.web.labs.result_page import form_of, result_page
from clinic_tracker.web.labs.trends import TREND_ANALYTES, analytes_of, trends_of
from clinic_tracker.web.patients.banner import banner_of

__all__ = ["answers", "blueprint", "cover", "entry", "exams", "review"]


@blueprint.route("/patients/<uuid:patient>/results")
@requires(Permission.VIEW_PATIENTS)
def patient_results(patient: uuid.UUID) -> ResponseReturnValue:
    """All results of a patient: trends above, then the reports by date; after an entry, what it did."""
    scope = current_scope()
    header = patient_header(scope, patient)
    catalog, panel = lab_catalog(scope), request.args.get("panel", "")
    chosen = Panel(panel) if panel in set(Panel) else None
    ended, after = request.args.get("ended") == "1", uuid_in("after")
    page = patient_reports(scope, header.id, panel=chosen, ended=ended, after=after)
    points = series(scope, header.id, TREND_ANALYTES)
    return render_template(
        "labs/patient_results.html",
        banner=banner_of(scope, header),
        tab="results",
        days=by_day(shown_report(catalog, row) for row in page.rows),
        page=page,
        trends=trends_of(catalog, header, points, course_starts(scope, header.id)) if after is None else [],
        effects=entered_effects(scope, header),
        panels=[("", "All panels"), *((known.value, panel_title(catalog, known)) for known in PANELS)],
        chosen=chosen,
        ended=ended,
        may=Permission,
    )


@blueprint.route("/patients/<uuid:patient>/results/trends")
@requires(Permission.VIEW_PATIENTS)
def trends(patient: uuid.UUID) -> ResponseReturnValue:
    """Small multiples of a whole panel over the same time, each with its table; prints on one page."""
    scope = current_scope()
    header = patient_header(scope, patient)
    catalog, panel = lab_catalog(scope), request.args.get("panel", "")
    chosen = Panel(panel) if panel in set(Panel) else None
    analytes = analytes_of(catalog, chosen)
    points, courses = series(scope, header.id, analytes), course_starts(scope, header.id)
    return render_template(
        "labs/trends.html",
        banner=banner_of(scope, header),
        tab="results",
        trends=trends_of(catalog, header, points, courses, analytes, aligned=True),
        panels=[("", "Watched most"), *((known.value, panel_title(catalog, known)) for known in PANELS)],
        chosen=chosen,
    )


@blueprint.route("/patients/<uuid:patient>/results/<uuid:report>")
@requires(Permission.VIEW_PATIENTS)
def result(patient: uuid.UUID, report: uuid.UUID) -> ResponseReturnValue:
    """One report: values, findings with what to do, review, and what it replaced or was replaced by."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_report(scope, header.id, report)
    return result_page(scope, header, row, form_of(scope, row))
