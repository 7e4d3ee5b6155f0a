"""Results of which it is not certain whose they are: a person chooses the chart, or says why there is none."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.queries.inbound import PAGE, ResultRow, waiting_counts
from clinic_tracker.queries.inbound import result as result_of
from clinic_tracker.queries.inbound import unmatched as unmatched_of
from clinic_tracker.queries.inbound_candidates import candidates_of
from clinic_tracker.queries.inbound_likely import likely_charts
from clinic_tracker.queries.patient_lists import ListedPatient, search_patients
from clinic_tracker.queries.patients import patient_header
from clinic_tracker.services.inbound_resolve import dismiss_result, match_result, undo_match
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.addresses import key_in
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.inbound.blueprint import blueprint
from clinic_tracker.web.inbound.comparing import MOST_CHARTS, choices, compared, side_by_side
from clinic_tracker.web.inbound.forms import MatchForm, ReasonForm, SearchForm
from clinic_tracker.web.inbound.presenters import title_of
from clinic_tracker.web.patients.banner import banner_of

DECIDED = "Somebody has decided about this result before."


@blueprint.get("/results/unmatched")
@requires(Permission.VIEW_PATIENTS)
def unmatched() -> str:
    """The results that wait for a chart, the oldest first."""
    scope = current_scope()
    rows = unmatched_of(scope, limit=PAGE + 1, after=key_in("after"))
    more = url_for("inbound.unmatched", after=rows[PAGE - 1].id) if len(rows) > PAGE else None
    listed = [(row, title_of(row), (scope.now - row.received_at).days) for row in rows[:PAGE]]
    total = waiting_counts(scope)[InboundState.UNMATCHED]
    return render_template("inbound/unmatched.html", rows=listed, total=total, more=more)


@blueprint.route("/results/unmatched/<uuid:result>", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def unmatched_result(result: uuid.UUID) -> ResponseReturnValue:
    """What the message says beside the likely charts. A search is sent, as names stand in no address."""
    scope = current_scope()
    row = result_of(scope, result)
    if row.state is not InboundState.UNMATCHED:
        return _decided(row)
    form = SearchForm(scope=scope)
    found: list[ListedPatient] | None = None
    if form.validate_on_submit():
        found = [one for one in search_patients(scope, form.query.data or "") if one.merged_into is None]
    charts = likely_charts(scope, row.identity)[:MOST_CHARTS]
    shown_patients([one.chart.key for one in charts] + [one.id for one in found or ()])
    page = render_template(
        "inbound/unmatched_result.html",
        row=row,
        title=title_of(row),
        form=form,
        found=found,
        rows=compared(row.identity, charts),
        choices=choices(charts),
        may=Permission,
    )
    return page, status_of(form)


@blueprint.route("/results/unmatched/<uuid:result>/charts/<uuid:patient>", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def choose(result: uuid.UUID, patient: uuid.UUID) -> ResponseReturnValue:
    """Confirm the chart: the result is recorded there, with all that waits for the same person."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = result_of(scope, result)
    if row.state is not InboundState.UNMATCHED:
        return _decided(row)
    form = MatchForm(scope=scope)
    charts = [side_by_side(row.identity, patient, candidates_of(scope, [header.id])[header.id])]
    if form.validate_on_submit() and accepted(form, match_result, scope, result, patient, learn=bool(form.learn.data)):
        flash("Matched: the result is on this chart.", "success")
        return redirect(url_for("labs.patient_results", patient=patient), 303)
    rows = compared(row.identity, charts)
    values = {"banner": banner_of(scope, header), "tab": "results", "form": form, "row": row, "rows": rows}
    numbers = [one for one in row.identity.identifiers if one.value]
    page = render_template(
        "inbound/choose.html", **values, numbers=numbers, title=title_of(row), differs=choices(charts)[0].differs
    )
    return page, status_of(form)


@blueprint.route("/results/received/<uuid:result>/dismiss", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def dismiss(result: uuid.UUID) -> ResponseReturnValue:
    """Take a result out of its queue for a reason."""
    scope = current_scope()
    row = result_of(scope, result)
    if row.state not in {InboundState.UNMATCHED, InboundState.NOT_UNDERSTOOD}:
        return _decided(row)
    back = "inbound.unmatched" if row.state is InboundState.UNMATCHED else "inbound.not_understood"
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(form, dismiss_result, scope, result, reason=form.reason.data or ""):
        flash("Dismissed. The message stays as it was received.", "success")
        return redirect(url_for(back), 303)
    shown_patients([row.patient_id] if row.patient_id else [])
    values = {"form": form, "row": row, "title": title_of(row), "back": url_for(back)}
    return render_template("inbound/dismiss.html", **values), status_of(form)


@blueprint.route("/results/received/<uuid:result>/undo", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def undo(result: uuid.UUID) -> ResponseReturnValue:
    """Take a result off a chart that it does not belong to; it waits for another."""
    scope = current_scope()
    row = result_of(scope, result)
    if row.patient is None or row.patient_id is None:
        return _decided(row)
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(form, undo_match, scope, result, reason=form.reason.data or ""):
        flash("Taken off the chart. It waits for the right one.", "success")
        return redirect(url_for("inbound.unmatched_result", result=result), 303)
    header = patient_header(scope, row.patient)
    if request.method == "GET":
        shown_patients([header.id])
    values = {"banner": banner_of(scope, header), "tab": "results", "form": form, "row": row, "title": title_of(row)}
    return render_template("inbound/undo.html", **values), status_of(form)


def _decided(row: ResultRow) -> ResponseReturnValue:
    """To the message, which says what became of it: somebody was quicker, or the form was sent twice."""
    flash(DECIDED, "info")
    return redirect(url_for("inbound.received", message=row.message), 303)
