"""Reports that come by themselves: what comes when, adding, changing and ending."""

from typing import Any
from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.definition import Definition
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.rhythm import PERIOD_WORDS, RelativePeriod
from clinic_tracker.queries.report_runs import ScheduleRow, runs_of_schedule, schedule_row, schedule_rows
from clinic_tracker.services.report_runs import allowed_source
from clinic_tracker.services.report_schedules import Plan, add_schedule, change_schedule, end_schedule
from clinic_tracker.services.reporting import reports_for
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.addresses import as_uuids
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.report_files.blueprint import blueprint
from clinic_tracker.web.report_files.forms import MONTHLY, WEEKLY, ScheduleForm, parameter_names, schedule_form
from clinic_tracker.web.report_files.presenters import report_title, shown_run


@blueprint.get("/schedules")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def schedules() -> ResponseReturnValue:
    """What comes by itself, when, and to whom."""
    rows = schedule_rows(current_scope())
    return render_template(
        "report_files/schedules.html", rows=rows, title=report_title, mail=_mail(), periods=_period_words
    )


@blueprint.route("/schedules/new", methods=["GET", "POST"])
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA, Permission.SCHEDULE_REPORTS)
def new_schedule() -> ResponseReturnValue:
    """Choose a report, then when it comes and to whom."""
    scope = current_scope()
    name = request.args.get("report")
    if name is None:
        return render_template("report_files/choose.html", sources=reports_for(scope))
    definition = allowed_source(scope, name).definition
    usual = {"rhythm": MONTHLY, "month_day": 1, "period": RelativePeriod.LAST_MONTH.value}
    form = schedule_form(scope, definition, {**usual, "format": definition.formats[0].value})
    if form.validate_on_submit():
        plan = _plan(definition, form)
        if plan is not None and accepted(form, add_schedule, scope, plan, form.token.data):
            flash("It comes by itself from now on.", "success")
            return redirect(url_for("report_files.schedules"), 303)
    return _form_page(definition, form, None)


@blueprint.route("/schedules/<uuid:schedule>", methods=["GET", "POST"])
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA, Permission.SCHEDULE_REPORTS)
def schedule(schedule: UUID) -> ResponseReturnValue:
    """Change when a report comes and to whom."""
    scope = current_scope()
    row = schedule_row(scope, schedule)
    definition = allowed_source(scope, row.row.name).definition
    form = schedule_form(scope, definition, _filled(row))
    if form.validate_on_submit():
        plan = _plan(definition, form)
        if plan is not None and accepted(form, change_schedule, scope, schedule, plan, form.version.data):
            flash("Changed.", "success")
            return redirect(url_for("report_files.schedules"), 303)
    return _form_page(definition, form, row)


@blueprint.post("/schedules/<uuid:schedule>/end")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA, Permission.SCHEDULE_REPORTS)
def end_schedule_now(schedule: UUID) -> ResponseReturnValue:
    """Let a report come no more."""
    try:
        end_schedule(current_scope(), schedule)
        flash("It comes no more. Its files stay for their time.", "success")
    except RuleViolation as violation:
        flash(violation.message, "error")
    return redirect(url_for("report_files.schedules"), 303)


def _form_page(definition: Definition, form: ScheduleForm, row: ScheduleRow | None) -> ResponseReturnValue:
    scope = current_scope()
    runs = [shown_run(scope, one) for one in runs_of_schedule(scope, row.row.public_id)] if row is not None else []
    page = render_template(
        "report_files/schedule.html",
        form=form,
        definition=definition,
        row=row,
        runs=runs,
        mail=_mail(),
        names=parameter_names(definition),
    )
    return page, status_of(form)


def _plan(definition: Definition, form: ScheduleForm) -> Plan | None:
    """What the form says; None, with the reason at its field, where it is not complete."""
    rhythm = form.chosen_rhythm
    if rhythm is None:
        return None
    period = form.period.data if "period" in form else RelativePeriod.LAST_MONTH.value
    return Plan(
        name=definition.name,
        parameters={name: str(form[name].data or "") for name in parameter_names(definition)},
        period=RelativePeriod(period),
        form=ReportFormat(form.format.data),
        rhythm=rhythm,
        recipients=as_uuids(form.recipients.data or []),
    )


def _filled(row: ScheduleRow) -> dict[str, Any]:
    stored = row.row
    return {
        **stored.parameters,
        "period": stored.period,
        "format": stored.format,
        "rhythm": WEEKLY if stored.weekday is not None else MONTHLY,
        "weekday": str(stored.weekday or 1),
        "month_day": stored.month_day,
        "recipients": [str(public_id) for public_id, _name in row.recipients],
        "version": stored.version,
    }


def _period_words(period: str) -> str:
    return PERIOD_WORDS[RelativePeriod(period)]


def _mail() -> bool:
    """Whether letters are sent here."""
    return bool(current_app.config["MAIL_URL"])
