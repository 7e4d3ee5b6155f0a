"""The calls after the courses of a patient: the list, a new one, correcting and withdrawing one."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.follow_up import is_emergency, symptom_words
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.follow_ups import CallRow, call_history, call_state, find_call, patient_calls
from clinic_tracker.queries.treatment import treatment_of
from clinic_tracker.services import follow_ups as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.addresses import uuid_in
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.follow_up_forms import CHANNEL_WORDS, CallForm, CorrectCallForm
from clinic_tracker.web.patients.forms import ReasonForm
from clinic_tracker.web.patients.pages import OpenChart, open_chart
from clinic_tracker.web.worklists.call_words import call_line

TAB = "courses"


@blueprint.get("/patients/<uuid:patient>/calls")
@requires(Permission.VIEW_PATIENTS)
def calls(patient: UUID) -> ResponseReturnValue:
    """The call after each course, and every contact that was recorded."""
    chart = open_chart(patient)
    history = call_history(chart.scope, chart.header.id)
    return chart.render(
        "infusions/calls.html",
        TAB,
        lines=[call_line(row, chart.scope) for row in patient_calls(chart.scope, chart.header.id)],
        history=history,
        told=_told(chart, history),
        **_words(),
    )


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/call", methods=["GET", "POST"])
@requires(Permission.CONTACT_PATIENTS)
def record_call(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Record a contact after a course, reached or not."""
    chart = open_chart(patient)
    row = call_state(chart.scope, chart.header.id, course)
    form = CallForm(scope=chart.scope, contacted_at=chart.scope.now, channel="phone")
    if form.validate_on_submit():
        try:
            new = services.record_call(chart.scope, patient, course, form.call, form_token=form.token.data)
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            flash(
                "Call recorded." if form.call.reached else "Recorded: not reached. The call is still owed.", "success"
            )
            return redirect(url_for(".calls", patient=patient, entered=new), 303)
    return chart.render("infusions/record_call.html", TAB, form=form, line=call_line(row, chart.scope)), status_of(form)


@blueprint.route("/patients/<uuid:patient>/calls/<uuid:call>/correct", methods=["GET", "POST"])
@requires(Permission.CONTACT_PATIENTS)
def correct_call(patient: UUID, call: UUID) -> ResponseReturnValue:
    """Correct a contact: everything of it is filled in, and it is replaced."""
    chart = open_chart(patient)
    row = find_call(chart.scope, chart.header.id, call)
    form = CorrectCallForm(scope=chart.scope, data=_filled(row))
    if form.validate_on_submit():
        try:
            reason, token = form.reason.data, form.token.data
            new = services.correct_call(chart.scope, patient, call, form.call, reason=reason, form_token=token)
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            flash("Call corrected.", "success")
            return redirect(url_for(".calls", patient=patient, entered=new), 303)
    return chart.render("infusions/correct_call.html", TAB, form=form, call=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/calls/<uuid:call>/withdraw", methods=["GET", "POST"])
@requires(Permission.CONTACT_PATIENTS)
def withdraw_call(patient: UUID, call: UUID) -> ResponseReturnValue:
    """Mark a contact as entered in error: the call is owed again."""
    chart = open_chart(patient)
    row = find_call(chart.scope, chart.header.id, call)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.withdraw_call, chart.scope, patient, call, reason=form.reason.data
    ):
        flash("Call marked as entered in error.", "success")
        return redirect(url_for(".calls", patient=patient), 303)
    return chart.render("infusions/withdraw_call.html", TAB, form=form, call=row, **_words()), status_of(form)


def _words() -> dict[str, Any]:
    return {"channels": CHANNEL_WORDS, "symptom_words": symptom_words}


def _filled(row: CallRow) -> dict[str, Any]:
    return {
        "contacted_at": row.contacted_at,
        "channel": row.channel,
        "reached": "yes" if row.reached else "no",
        "emergencies": [code for code in row.symptoms if is_emergency([code])],
        "symptoms": [code for code in row.symptoms if not is_emergency([code])],
        "advice": row.advice,
        "note": row.note,
    }


def _told(chart: OpenChart, history: list[CallRow]) -> dict[str, Any] | None:
    """What to do about the symptoms of the call that was just recorded: a reaction, the neurologist."""
    entered = uuid_in("entered")
    row = next((row for row in history if row.public_id == entered and row.symptoms), None)
    if row is None:
        return None
    given = treatment_of(chart.scope, chart.header.id).given(row.course_id)
    return {
        "words": "; ".join(symptom_words(row.symptoms)),
        "emergency": is_emergency(row.symptoms),
        "infusion": given[-1].public_id if given else None,
    }
