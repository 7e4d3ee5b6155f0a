"""Results not understood: a code or unit of a laboratory is mapped once, and what waits for it is read anew."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundState, LocalCodeKind
from clinic_tracker.integrations.table_check import check
from clinic_tracker.queries.inbound import result as result_of
from clinic_tracker.queries.inbound import results_among
from clinic_tracker.queries.inbound_candidates import candidates_of
from clinic_tracker.queries.inbound_codes import affected_by, current_codes
from clinic_tracker.queries.inbound_groups import UnknownCode, unknown_code, unknown_code_in, unknown_codes
from clinic_tracker.queries.inbound_uploads import upload
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.table_parts import part_at, parts_with_problem
from clinic_tracker.services.local_codes import map_code, withdraw_code
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.filters import plural
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.inbound.blueprint import blueprint
from clinic_tracker.web.inbound.code_words import chosen_meaning, meaning_words, meanings, named_alike
from clinic_tracker.web.inbound.forms import CodeForm
from clinic_tracker.web.inbound.presenters import shown_results
from clinic_tracker.web.inbound.table_rows import preview_url

MOST_LISTED = 50


@blueprint.get("/results/not-understood")
@requires(Permission.VIEW_PATIENTS)
def not_understood() -> str:
    """Unknown codes and units with how often they came, and the results that no mapping explains."""
    scope = current_scope()
    groups, others = unknown_codes(scope)
    shown = shown_results(scope, results_among(scope, others[:MOST_LISTED]))
    return render_template("inbound/not_understood.html", groups=groups, others=shown, total=len(others))


@blueprint.get("/results/not-understood/<uuid:result>")
@requires(Permission.VIEW_PATIENTS)
def unread_result(result: uuid.UUID) -> str:
    """One result with what of it is not understood."""
    scope = current_scope()
    row = result_of(scope, result)
    (shown,) = shown_results(scope, [row])
    found = [unknown_code(scope, row, place) for place in range(len(row.problems))]
    return render_template("inbound/unread_result.html", shown=shown, row=row, codes=[one for one in found if one])


@blueprint.route("/results/not-understood/<uuid:result>/<int:problem>", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def map_unknown(result: uuid.UUID, problem: int) -> ResponseReturnValue:
    """Say what a code or unit means, beside every result that this changes."""
    scope = current_scope()
    row = result_of(scope, result)
    code = unknown_code(scope, row, problem)
    if code is None or row.state is not InboundState.NOT_UNDERSTOOD:
        flash("That code is understood by now.", "info")
        return redirect(url_for("inbound.not_understood"), 303)
    form = _code_form(scope, code)
    if form.validate_on_submit() and accepted(form, _map, scope, code, form.target.data or ""):
        return redirect(url_for("inbound.not_understood"), 303)
    return _map_page(scope, code, form, url_for("inbound.not_understood"))


@blueprint.route("/results/tables/<uuid:message>/rows/<int:line>/codes/<int:problem>", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def map_in_table(message: uuid.UUID, line: int, problem: int) -> ResponseReturnValue:
    """The same for a code of a table that is being checked; its rows are checked again."""
    scope = current_scope()
    one = upload(scope, message)
    part = part_at(scope, one, line)
    code = unknown_code_in(scope, one.row, problem, part.problems) if part else None
    if part is None or code is None:
        flash("That code is understood by now.", "info")
        return redirect(preview_url(message), 303)
    form = _code_form(scope, code)
    if form.validate_on_submit() and accepted(form, _map, scope, code, form.target.data or ""):
        check(scope, message)
        return redirect(preview_url(message), 303)
    in_file = parts_with_problem(scope, one, part.problems[problem])
    return _map_page(scope, code, form, preview_url(message), in_file=in_file)


@blueprint.get("/results/codes")
@requires(Permission.VIEW_PATIENTS)
def codes() -> str:
    """The mappings in force."""
    scope = current_scope()
    catalog = lab_catalog(scope)
    rows = [(row, meaning_words(catalog, row.kind, row.target)) for row in current_codes(scope)]
    return render_template("inbound/codes.html", rows=rows)


@blueprint.post("/results/codes/<uuid:local_code>/withdraw")
@requires(Permission.RECORD_EVIDENCE)
def withdraw(local_code: uuid.UUID) -> ResponseReturnValue:
    """Take a mapping back; what was understood by it is read anew without it."""
    scope = current_scope()
    if any(row.public_id == local_code for row in current_codes(scope)):
        changed = withdraw_code(scope, local_code).changed
        flash(f"Mapping withdrawn. {plural(changed, 'result')} changed.", "success")
        return redirect(url_for("inbound.codes"), 303)
    flash("There is no such mapping in force.", "info")
    return redirect(url_for("inbound.codes"), 303)


def _code_form(scope: Scope, code: UnknownCode) -> CodeForm:
    catalog = lab_catalog(scope)
    form = CodeForm(scope=scope, data={"target": "" if code.is_unit else named_alike(catalog, code.title or code.code)})
    form.target.choices = [("", "Choose"), *meanings(catalog, is_unit=code.is_unit)]
    return form


def _map_page(scope: Scope, code: UnknownCode, form: CodeForm, back: str, *, in_file: int = 0) -> ResponseReturnValue:
    """The form beside every result on a chart that it changes; ``in_file``: reports of a table not loaded yet."""
    kind = LocalCodeKind.UNIT if code.is_unit else LocalCodeKind.ANALYTE
    affected = affected_by(scope, code.source, kind, code.system, code.code)
    charts = candidates_of(scope, {one.patient_id for one in affected})
    listed = [(one, charts[one.patient_id]) for one in affected[:MOST_LISTED] if one.patient_id in charts]
    shown_patients([chart.key for _one, chart in listed])
    values = {"form": form, "code": code, "listed": listed, "results": len(affected), "people": len(charts)}
    return render_template("inbound/map_code.html", **values, back=back, in_file=in_file), status_of(form)


def _map(scope: Scope, code: UnknownCode, target: str) -> None:
    kind, meaning = chosen_meaning(target)
    changed = map_code(scope, code.source, kind, code.system, code.code, code.title, meaning).changed
    flash(f"Mapped. {plural(changed, 'result')} of those that waited changed.", "success")
