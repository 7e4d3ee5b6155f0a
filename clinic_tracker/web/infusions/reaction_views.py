"""Reactions to an infusion: seen, corrected, ended."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain import reactions as rules
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.infusion_day import DayRow, ReactionRow, infusion_row, parts_of_infusion
from clinic_tracker.services import reactions as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.day_presenters import day_page, present_minute
from clinic_tracker.web.infusions.forms_reactions import CorrectReactionForm, EndingForm, ReactionForm
from clinic_tracker.web.patients.pages import OpenChart, open_chart

TAB = "courses"
DURING = "/patients/<uuid:patient>/infusions/<uuid:infusion>"


@blueprint.route(f"{DURING}/reaction", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def reaction(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Record a reaction, and in the same step what was done: paused, slowed, observed longer."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    form = ReactionForm(scope=chart.scope, data={"onset_at": present_minute(chart.scope.now)})
    if form.validate_on_submit() and accepted(
        form,
        services.record_reaction,
        chart.scope,
        patient,
        infusion,
        form.seen,
        response=form.response,
        form_token=form.token.data,
    ):
        flash("Reaction recorded.", "success")
        return redirect(url_for(_next(form, row), patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/reaction.html", TAB, form=form, page=day_page(chart, row)), status_of(form)


@blueprint.route(f"{DURING}/reactions/<uuid:reaction>/correct", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def correct_reaction(patient: UUID, infusion: UUID, reaction: UUID) -> ResponseReturnValue:
    """Replace a reaction by a corrected one."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    seen = _seen(chart, row, reaction)
    form = CorrectReactionForm(scope=chart.scope, data=seen._asdict() | _ticks(seen) | {"more_done": seen.action})
    if form.validate_on_submit() and accepted(
        form,
        services.correct_reaction,
        chart.scope,
        patient,
        infusion,
        reaction,
        form.seen,
        reason=form.reason.data,
    ):
        flash("Reaction corrected.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/correct_reaction.html", TAB, form=form, row=row), status_of(form)


@blueprint.route(f"{DURING}/reactions/<uuid:reaction>/end", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def end_reaction(patient: UUID, infusion: UUID, reaction: UUID) -> ResponseReturnValue:
    """Record how a reaction ended."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    seen = _seen(chart, row, reaction)
    form = EndingForm(scope=chart.scope, data=seen._asdict())
    if form.validate_on_submit() and accepted(
        form, services.resolve_reaction, chart.scope, patient, infusion, reaction, form.end
    ):
        flash("Recorded how the reaction ended.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/end_reaction.html", TAB, form=form, row=row, seen=seen), status_of(form)


def _next(form: ReactionForm, row: DayRow) -> str:
    """Where the infusion was stopped, its end comes next; else the day."""
    return ".stop" if rules.STOPPED in form.actions.data and row.ended_at is None else ".day"


def _seen(chart: OpenChart, row: DayRow, reaction: UUID) -> ReactionRow:
    found = [one for one in parts_of_infusion(chart.scope, row.id).reactions if one.public_id == reaction]
    if not found:
        raise NotFound("reaction")
    return found[0]


def _ticks(seen: ReactionRow) -> dict[str, list[str]]:
    names = ("ticked_skin", "ticked_head", "ticked_heart", "ticked_urgent")
    return {
        name: [term.code for term in group.terms if term.code in seen.ticked]
        for name, group in zip(names, rules.SIGNS, strict=True)
    }
