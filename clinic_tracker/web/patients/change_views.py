"""The tab "Access and changes": what was changed in a chart by whom, and who looked at it."""

from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.chart_changes import changes_of, looks_at, prescriber_names
from clinic_tracker.web.access import requires
from clinic_tracker.web.addresses import key_in
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.change_words import looks_by_day, told_change
from clinic_tracker.web.patients.pages import open_chart


@blueprint.get("/patients/<uuid:patient>/changes")
@requires(Permission.VIEW_PATIENTS)
def changes(patient: UUID) -> ResponseReturnValue:
    """Changes for everybody who may see the chart; who looked for those who watch over it."""
    chart = open_chart(patient)
    scope = chart.scope
    before = key_in("before")
    found = changes_of(scope, chart.header.id, before)
    names = prescriber_names(scope)
    watches = scope.may(Permission.VIEW_AUDIT) or scope.may(Permission.DECIDE_MONITORING)
    return chart.render(
        "patients/changes.html",
        "changes",
        changes=[told_change(change, names, scope.time_zone) for change in found.rows],
        looks=looks_by_day(looks_at(scope, chart.header.id), scope.time_zone) if watches else None,
        next_url=url_for(".changes", patient=patient, before=found.next_before) if found.next_before else None,
        first_url=url_for(".changes", patient=patient) if before else None,
    )
