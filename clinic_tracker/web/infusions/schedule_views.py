"""The schedule of the suite: a week, a day, what is to be booked, who is not ready."""

from datetime import date, timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.booked_days import Week, parse_week, week_of
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import parse_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite_week import suite_days
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.schedule_presenters import day_page, week_page


@blueprint.get("/infusions/schedule")
@requires(Permission.VIEW_PATIENTS)
def schedule() -> ResponseReturnValue:
    """A week of the suite, this one by default: chairs down, days across."""
    scope = current_scope()
    week = _week(scope)
    suite = suite_days(scope, week.days[0], week.days[-1])
    shown_patients(suite.patient_ids)
    return render_template(
        "infusions/schedule.html", page=week_page(scope, week, suite), this_week=week_of(scope.today)
    )


@blueprint.get("/infusions/schedule/day")
@requires(Permission.VIEW_PATIENTS)
def schedule_day() -> ResponseReturnValue:
    """One day of the suite, today by default: chairs down, hours across, and everybody in a list."""
    scope = current_scope()
    day = _day(scope, "on") or scope.today
    suite = suite_days(scope, day, day)
    shown_patients(suite.patient_ids)
    return render_template(
        "infusions/schedule_day.html", page=day_page(scope, day, suite), week=week_of(day), one_day=timedelta(days=1)
    )


def _week(scope: Scope) -> Week:
    """The week of the address: by its name or by one of its days; this week for anything else."""
    named = parse_week(request.args.get("week", ""))
    return named or week_of(_day(scope, "from") or scope.today)


def _day(scope: Scope, name: str) -> date | None:
    """A date of the address in any form that people type; None where there is none that can be read."""
    try:
        return parse_date(request.args.get(name, ""), scope.today, name)
    except RuleViolation:
        return None
