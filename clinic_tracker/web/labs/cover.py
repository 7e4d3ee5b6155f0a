"""Who covers for a prescriber who is away, and the criteria under which normal results close by themselves."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.cover import covers, prescribers_to_cover, review_criteria, reviewers
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.auto_review import begin_auto_review, end_auto_review
from clinic_tracker.services.cover import arrange_cover, withdraw_cover
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import as_uuids
from clinic_tracker.web.forms import (
    DateField,
    Form,
    IdempotencyField,
    IntegerField,
    SelectField,
    TextAreaField,
    accepted,
    status_of,
)
from clinic_tracker.web.labs.blueprint import blueprint

SUGGESTED_SAMPLE = 10


class CoverForm(Form):
    """Who is away, who sees their results, from when to when."""

    prescriber = SelectField("Prescriber who is away", required="Choose the prescriber")
    covered_by = SelectField("Results are seen by", required="Choose who sees the results")
    from_on = DateField("First day", required="Enter the first day")
    to_on = DateField("Last day", required="Enter the last day", not_past=True, hint="Up to and including this day.")
    token = IdempotencyField()

    def offer(self, scope: Scope) -> None:
        """The prescribers for whom this person may arrange it, and everybody who reviews results."""
        self.prescriber.choices = [("", "Choose"), *prescribers_to_cover(scope)]
        self.covered_by.choices = [("", "Choose"), *reviewers(scope)]


class CriteriaForm(Form):
    """The clinic's criteria in words, and how many of the results that meet them are looked at."""

    criteria = TextAreaField("Criteria", required="Write down the criteria", max_length=2000)
    sample_percent = IntegerField("Sample that is looked at", required="Enter the sample", width=4)


@blueprint.get("/results/cover", endpoint="cover")
@requires(Permission.VIEW_PATIENTS)
def cover_page() -> str:
    """Every cover: in force, to come and past."""
    scope = current_scope()
    own = {name for _key, name in prescribers_to_cover(scope)} if scope.may(Permission.ARRANGE_REVIEW) else set()
    return render_template("labs/cover.html", rows=covers(scope), own=own, may=Permission)


@blueprint.route("/results/cover/new", methods=["GET", "POST"])
@requires(Permission.ARRANGE_REVIEW)
def new_cover() -> ResponseReturnValue:
    """Arrange cover: the administrator for everybody, a prescriber for oneself."""
    scope = current_scope()
    form = CoverForm(scope=scope)
    form.offer(scope)
    if form.validate_on_submit() and accepted(
        form,
        arrange_cover,
        scope,
        prescriber=next(iter(as_uuids([form.prescriber.data])), None),
        covered_by=next(iter(as_uuids([form.covered_by.data])), None),
        from_on=form.from_on.data,
        to_on=form.to_on.data,
        form_token=form.token.data,
    ):
        flash("Cover arranged.", "success")
        return redirect(url_for("labs.cover"), 303)
    return render_template("labs/new_cover.html", form=form), status_of(form)


@blueprint.post("/results/cover/<uuid:cover>/withdraw", endpoint="withdraw_cover")
@requires(Permission.ARRANGE_REVIEW)
def end_cover(cover: uuid.UUID) -> ResponseReturnValue:
    """End a cover now."""
    withdraw_cover(current_scope(), cover)
    flash("Cover withdrawn.", "success")
    return redirect(url_for("labs.cover"), 303)


@blueprint.get("/results/automatic-review")
@requires(Permission.VIEW_PATIENTS)
def automatic_review() -> str:
    """The criteria in force, and those before."""
    rows = review_criteria(current_scope())
    now = next((row for row in rows if row.ended_at is None), None)
    return render_template("labs/automatic_review.html", rows=rows, now=now, may=Permission)


@blueprint.route("/results/automatic-review/criteria", methods=["GET", "POST"])
@requires(Permission.ARRANGE_REVIEW)
def criteria() -> ResponseReturnValue:
    """Write down the criteria: normal results close by themselves from now on."""
    scope = current_scope()
    now = next((row for row in review_criteria(scope) if row.ended_at is None), None)
    percent = now.sample_percent if now else SUGGESTED_SAMPLE
    form = CriteriaForm(criteria=now.criteria if now else "", sample_percent=percent)
    if form.validate_on_submit() and accepted(
        form, begin_auto_review, scope, criteria=form.criteria.data, sample_percent=form.sample_percent.data
    ):
        flash("Normal results close by these criteria from now on.", "success")
        return redirect(url_for("labs.automatic_review"), 303)
    return render_template("labs/criteria.html", form=form), status_of(form)


@blueprint.post("/results/automatic-review/end", endpoint="end_automatic_review")
@requires(Permission.ARRANGE_REVIEW)
def end_criteria() -> ResponseReturnValue:
    """From now on every result waits for a person."""
    end_auto_review(current_scope())
    flash("Ended. Every result waits for review.", "success")
    return redirect(url_for("labs.automatic_review"), 303)
