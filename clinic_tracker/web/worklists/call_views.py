"""Calls after a course: who is to be asked about stroke and late reactions, and the same list as a file."""

from datetime import timedelta

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.exports.tables import csv_text
from clinic_tracker.queries.follow_ups import course_calls, owed_of, symptoms_since
from clinic_tracker.services.exporting import note_export
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.worklists.blueprint import blueprint
from clinic_tracker.web.worklists.call_words import call_line

SYMPTOM_DAYS = 14
COLUMNS = (
    "mrn", "family_name", "given_name", "birth_date", "phone", "prescriber", "course", "days_given", "planned_days",
    "last_infusion_ended_at", "state", "opens_at", "closes_at", "tries",
)  # fmt: skip


@blueprint.get("/worklists/calls")
@requires(Permission.VIEW_PATIENTS)
def calls() -> ResponseReturnValue:
    """The calls that are owed, late ones first, and beside them what patients told in the last two weeks."""
    scope = current_scope()
    found = course_calls(scope)
    owed, told = owed_of(scope, found), symptoms_since(scope, found, scope.now - timedelta(days=SYMPTOM_DAYS))
    shown_patients([row.patient_id for row in (*owed, *told)])
    return render_template(
        "worklists/calls.html",
        rows=[call_line(row, scope) for row in owed],
        told=[call_line(row, scope) for row in told],
        symptom_days=SYMPTOM_DAYS,
        may=Permission,
    )


@blueprint.get("/worklists/calls/export.csv")
@requires(Permission.EXPORT_DATA)
def export_calls() -> Response:
    """The calls that are owed, as a file."""
    scope = current_scope()
    rows = owed_of(scope, course_calls(scope))
    shown_patients([row.patient_id for row in rows])
    note_export(scope, "calls", {"rows": len(rows)})
    text = csv_text(
        COLUMNS,
        (
            (
                row.mrn, row.family_name, row.given_name, row.birth_date, row.phone, row.prescriber,
                row.course_number, row.days_given, row.planned_days, row.last_ended_at, row.follow_up.state.value,
                row.follow_up.opens_at, row.follow_up.closes_at, row.follow_up.tries,
            )
            for row in rows
        ),
    )  # fmt: skip
    name = f"{scope.clinic_slug}-calls-{scope.today.isoformat()}.csv"
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})
