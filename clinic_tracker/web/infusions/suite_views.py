"""The board of the infusion suite."""

import hashlib

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.suite import suite as board_of
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.suite_presenters import board


@blueprint.get("/infusions")
@requires(Permission.VIEW_PATIENTS)
def suite() -> ResponseReturnValue:
    """Today's board: planned, being infused, in observation, to be signed out, discharged."""
    scope = current_scope()
    found = board_of(scope)
    shown_patients(found.patient_ids)
    return render_template("infusions/suite.html", board=board(scope, found))


@blueprint.get("/infusions/board")
@requires(Permission.VIEW_PATIENTS)
def suite_board() -> ResponseReturnValue:
    """The board alone, for a page that keeps itself current; 304 while nothing changed. Opened by itself: the page."""
    if "X-Background" not in request.headers:
        return redirect(url_for(".suite"))
    scope = current_scope()
    found = board_of(scope)
    # The running clocks are the browser's matter: the tag changes when somebody moves on, not with every minute.
    tag = hashlib.sha256(repr((scope.today, found)).encode()).hexdigest()
    if tag in request.if_none_match:
        answer = make_response("", 304)
    else:
        shown_patients(found.patient_ids)
        answer = make_response(render_template("infusions/suite_board.html", board=board(scope, found)))
    answer.set_etag(tag)
    return answer
