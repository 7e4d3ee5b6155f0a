"""The dashboard: what a director looks at, live from what is stored."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.span import CHOICES, Span
from clinic_tracker.queries.dashboard.clinics import clinics_compared
from clinic_tracker.queries.dashboard.funnel import funnel
from clinic_tracker.queries.dashboard.on_time import tallies_by_month
from clinic_tracker.queries.dashboard.overdue import aging, overdue_curve
from clinic_tracker.queries.dashboard.same_rules import days_with_the_rules_of_today
from clinic_tracker.queries.reports.recounted import GRACE_SETTING
from clinic_tracker.queries.safety import safety_by_month
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.charts.figure import Figure
from clinic_tracker.web.dashboard.on_time_figures import heat_figure, trend_figures
from clinic_tracker.web.dashboard.overdue_figures import aging_figure, curve_figure
from clinic_tracker.web.dashboard.patient_figures import (
    clinics_figure,
    funnel_figure,
    observation_figure,
    reaction_figure,
)

blueprint = Blueprint("dashboard", __name__, url_prefix="/reports/dashboard")


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The page: small charts side by side, wide ones, and the others two in a row."""

    trends: tuple[Figure, ...]
    heat: Figure
    figures: tuple[Figure, ...]
    funnel: Figure
    clinics: Figure | None
    grace: int


@blueprint.get("")
@requires(Permission.VIEW_REPORTS)
def dashboard() -> ResponseReturnValue:
    """Trends, what is overdue, where the patients are, infusion days, other clinics."""
    scope = current_scope()
    span = Span.read(request.args, scope.today)
    spans = [(months, url_for("dashboard.dashboard", months=months), months == span.months) for months in CHOICES]
    return render_template("dashboard/dashboard.html", page=_page(scope, span), span=span, spans=spans)


def _page(scope: Scope, span: Span) -> Dashboard:
    grace = setting(scope, GRACE_SETTING)
    tallies = tallies_by_month(scope, span.first)
    safety = safety_by_month(scope, span.first, span.today)
    compared = clinics_compared(scope, span.months)
    return Dashboard(
        trends=trend_figures(scope, span, tallies, grace),
        heat=heat_figure(span, tallies),
        figures=(
            curve_figure(overdue_curve(scope, span.ends), span.today, days_with_the_rules_of_today(scope, span.ends)),
            aging_figure(scope, aging(scope)),
            observation_figure(span, safety),
            reaction_figure(span, safety),
        ),
        funnel=funnel_figure(scope, funnel(scope)),
        clinics=clinics_figure(compared, span.months) if compared else None,
        grace=grace,
    )
