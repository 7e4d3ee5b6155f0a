"""Possible duplicates: compare two charts, merge them, undo a merge, or note that they are two people."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries import duplicates as reads
from clinic_tracker.queries.enrollments import enrollments_of
from clinic_tracker.queries.merging import conflicts_between, empty_courses, rows_of
from clinic_tracker.queries.patients import chart_with_number, patient_record
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import merging
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.forms import CompareForm, ReasonForm
from clinic_tracker.web.patients.merge_presenters import compared
from clinic_tracker.web.patients.pages import chart_url
from clinic_tracker.web.patients.presenters import moved_words


@blueprint.route("/patients/duplicates", methods=["GET", "POST"])
@requires(Permission.VIEW_PATIENTS)
def duplicates() -> ResponseReturnValue:
    """Pairs that may be one person, a way to compare any two charts, and the merges made."""
    scope = current_scope()
    form = CompareForm(scope=scope)
    if form.validate_on_submit():
        charts = {field.name: chart_with_number(scope, field.data or "") for field in (form.keep, form.other)}
        for name, found in charts.items():
            if found is None:
                form[name].errors = ["No chart of this clinic has this MRN"]
        keep, other = charts["keep"], charts["other"]
        if keep is not None and other is not None:
            return redirect(url_for(".compare", survivor=keep.public_id, duplicate=other.public_id), code=303)
    pairs, merges = reads.duplicate_pairs(scope), reads.merges(scope)
    charts_shown = [chart.id for pair in pairs for chart in (pair.first, pair.second)]
    shown_patients(charts_shown + [chart.id for merge in merges for chart in (merge.survivor, merge.duplicate)])
    page = render_template(
        "patients/duplicates.html",
        form=form,
        pairs=pairs,
        merges=merges,
        may_merge=scope.may(Permission.MERGE_PATIENTS),
        chart_url=chart_url,
    )
    return page, status_of(form)


@blueprint.get("/patients/duplicates/<uuid:survivor>/<uuid:duplicate>")
@requires(Permission.VIEW_PATIENTS)
def compare(survivor: UUID, duplicate: UUID) -> ResponseReturnValue:
    """Two charts side by side: what each holds, what would move, what stands against it."""
    return _compare_page(current_scope(), survivor, duplicate, ReasonForm())


@blueprint.post("/patients/duplicates/<uuid:survivor>/<uuid:duplicate>/merge")
@requires(Permission.MERGE_PATIENTS)
def merge(survivor: UUID, duplicate: UUID) -> ResponseReturnValue:
    """Move everything of one chart to the other."""
    scope = current_scope()
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(
        form, merging.merge_patients, scope, survivor, duplicate, reason=form.reason.data or ""
    ):
        flash("Charts merged. The merge can be undone as long as nothing that moved is changed.", "success")
        return redirect(chart_url(survivor), code=303)
    return _compare_page(scope, survivor, duplicate, form)


@blueprint.post("/patients/duplicates/<uuid:survivor>/<uuid:duplicate>/different")
@requires(Permission.MERGE_PATIENTS)
def not_a_duplicate(survivor: UUID, duplicate: UUID) -> ResponseReturnValue:
    """Note that these are two people."""
    merging.mark_not_duplicate(current_scope(), survivor, duplicate)
    flash("Noted: two different people. The pair is no longer listed.", "success")
    return redirect(url_for(".duplicates"), code=303)


@blueprint.route("/patients/merges/<uuid:merge>/undo", methods=["GET", "POST"])
@requires(Permission.MERGE_PATIENTS)
def undo_merge(merge: UUID) -> ResponseReturnValue:
    """Put back what a merge moved."""
    scope = current_scope()
    row = reads.find_merge(scope, merge)
    form = ReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(form, merging.undo_merge, scope, merge, reason=form.reason.data or ""):
        flash("Merge undone. Both charts are as they were.", "success")
        return redirect(url_for(".duplicates"), code=303)
    shown_patients([row.survivor.id, row.duplicate.id])
    moved = moved_words({table: len(keys) for table, keys in row.moved.items()})
    return render_template("patients/undo_merge.html", form=form, merge=row, moved=moved), status_of(form)


def _compare_page(scope: Scope, survivor: UUID, duplicate: UUID, form: ReasonForm) -> ResponseReturnValue:
    kept, other = patient_record(scope, survivor), patient_record(scope, duplicate)
    keys = kept.header.id, other.header.id
    shown_patients([*keys])
    enrollments = tuple(enrollments_of(scope, key) for key in keys)
    page = render_template(
        "patients/compare.html",
        form=form,
        kept=kept.header,
        other=other.header,
        rows=compared(scope, (kept, other), enrollments),
        holdings=tuple(moved_words(rows_of(scope, key)) for key in keys),
        conflicts=conflicts_between(scope, *keys),
        staying=len(empty_courses(scope, *keys)),
        merged=kept.header.merged_into or other.header.merged_into,
        may_merge=scope.may(Permission.MERGE_PATIENTS),
        chart_url=chart_url,
    )
    return page, status_of(form)
