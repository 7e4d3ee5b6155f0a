"""Serious reactions that are to be reported, and those that were."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.adverse_events import Show, serious_reactions
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.infusions.blueprint import blueprint


@blueprint.get("/infusions/adverse-events")
@requires(Permission.VIEW_PATIENTS)
def adverse_events() -> ResponseReturnValue:
    """The serious reactions of the clinic, those without a report first."""
    scope = current_scope()
    asked = request.args.get("show", "")
    show = Show(asked) if asked in set(Show) else Show.OPEN
    everything = serious_reactions(scope)
    rows = [one for one in everything if show is Show.ALL or one.is_reported is (show is Show.REPORTED)]
    shown_patients(sorted({one.row.patient_id for one in rows}))
    counts = {
        Show.OPEN: sum(1 for one in everything if not one.is_reported),
        Show.REPORTED: sum(1 for one in everything if one.is_reported),
        Show.ALL: len(everything),
    }
    return render_template("infusions/adverse_events.html", rows=rows, show=show, counts=counts)
