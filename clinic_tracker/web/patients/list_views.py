"""The list of patients, and the search from every page."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.duplicates import like_named
from clinic_tracker.queries.patient_lists import Group, PatientFilter, list_patients, search_patients
from clinic_tracker.queries.patients import chart_with_number
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.pages import chart_url, prescriber_options
from clinic_tracker.web.patients.presenters import GROUP_WORDS, as_chart, listed

LONGEST_SEARCH = 100


@blueprint.get("/patients")
@requires(Permission.VIEW_PATIENTS)
def index() -> ResponseReturnValue:
    """The patients of the clinic by name, with filters in the address."""
    scope = current_scope()
    group, prescriber = _group(request.args.get("show")), _uuid(request.args.get("prescriber"))
    after = _uuid(request.args.get("after"))
    found = list_patients(scope, PatientFilter(group, prescriber), after)
    shown_patients([row.id for row in found.rows])
    chosen: dict[str, Any] = {name: value for name, value in (("show", group), ("prescriber", prescriber)) if value}
    return render_template(
        "patients/index.html",
        rows=[listed(row, scope.today) for row in found.rows],
        total=found.total,
        groups=GROUP_WORDS,
        chosen=chosen,
        prescribers=prescriber_options(scope, "Everybody's"),
        next_url=url_for(".index", **chosen, after=found.next_after) if found.next_after else None,
        first_url=url_for(".index", **chosen) if after else None,
    )


@blueprint.post("/patients/search")
@requires(Permission.VIEW_PATIENTS)
def search() -> ResponseReturnValue:
    """Charts for what was typed; the chart itself when the whole of it is an MRN or a REMS id."""
    scope = current_scope()
    query = " ".join(request.form.get("query", "").replace("\x00", "").split())[:LONGEST_SEARCH]
    exact = chart_with_number(scope, query) if query else None
    if exact is not None:
        if exact.merged:
            flash("That number belongs to a chart that was merged into this one.", "info")
        return redirect(chart_url(exact.public_id), code=303)
    found = search_patients(scope, query)
    shown_patients([row.id for row in found])
    alike = like_named(scope, [as_chart(row) for row in found])
    rows = [listed(row, scope.today) for row in found]
    return render_template("patients/search.html", query=query, rows=rows, alike=alike)


def _group(text: str | None) -> Group | None:
    return Group(text) if text in set(Group) else None


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None
