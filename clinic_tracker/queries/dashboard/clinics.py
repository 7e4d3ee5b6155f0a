"""The clinics of a person side by side: each read with the scope that the person holds there."""

from typing import NamedTuple

from clinic_tracker.domain.compliance import Tally
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.span import Span
from clinic_tracker.queries.accounts import scopes_of_user
from clinic_tracker.queries.dashboard.funnel import Funnel, funnel
from clinic_tracker.queries.dashboard.on_time import tallies_by_month
from clinic_tracker.queries.dashboard.overdue import overdue_patients
from clinic_tracker.queries.scope import Scope


class ClinicFigures(NamedTuple):
    """One clinic: what fell due in the months shown came to ``tally``; the rest is of its own today."""

    slug: str
    name: str
    is_here: bool
    tally: Tally
    funnel: Funnel
    overdue: int

    @property
    def monitored(self) -> int:
        """The patients in monitoring: treated, not ended, not signed off."""
        return sum(self.funnel.years) + self.funnel.later


def clinics_compared(scope: Scope, months: int) -> tuple[ClinicFigures, ...]:
    """The clinics where the person sees reports, by name; none unless there are at least two."""
    scopes = scopes_of_user(scope, Permission.VIEW_REPORTS)
    if len(scopes) <= 1:
        return ()
    return tuple(_figures(one, months, is_here=one.clinic_id == scope.clinic_id) for one in scopes)


def _figures(scope: Scope, months: int, *, is_here: bool) -> ClinicFigures:
    scope.require(Permission.VIEW_REPORTS)
    tallies = tallies_by_month(scope, Span(months, scope.today).first).values()
    whole = sum(tallies, start=Tally())
    return ClinicFigures(scope.clinic_slug, scope.clinic_name, is_here, whole, funnel(scope), overdue_patients(scope))
