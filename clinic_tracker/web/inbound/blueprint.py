"""The blueprint of what comes from laboratories, and the places beside each other under Results."""

from typing import Any
from uuid import UUID

from flask import Blueprint, g, url_for

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.queries.inbound import waiting_counts
from clinic_tracker.queries.inbound_origin import Origin, exam_origin_of, origin_of
from clinic_tracker.queries.lab_orders import nothing_back
from clinic_tracker.queries.scope import Scope

AT_ONCE = 100  # reports in a transaction of a page: while people wait at others, none is held up for long
blueprint = Blueprint("inbound", __name__)


@blueprint.app_template_global()
def result_places(current: str) -> list[dict[str, Any]]:
    """The lists under Results with how much waits in each; ``current`` is the endpoint of the page."""
    scope: Scope = g.scope
    counts = waiting_counts(scope)
    places: list[tuple[str, str, int | None]] = [
        ("To review", "labs.review_queue", None),
        ("Unmatched", "inbound.unmatched", counts[InboundState.UNMATCHED]),
        ("Not understood", "inbound.not_understood", counts[InboundState.NOT_UNDERSTOOD]),
        ("No result back", "inbound.no_result_back", len(nothing_back(scope))),
        ("Received", "inbound.messages", None),
    ]
    if scope.may(Permission.VIEW_ADMINISTRATION):
        places.append(("Sources", "inbound.sources", None))
    return [
        {"text": text, "href": url_for(endpoint), "current": endpoint == current, "count": count or None}
        for text, endpoint, count in places
    ]


@blueprint.app_template_global()
def report_origin(report: UUID) -> Origin | None:
    """The message that a report on a chart came with."""
    return origin_of(g.scope, report)


@blueprint.app_template_global()
def exam_origin(exam: UUID) -> Origin | None:
    """The message that an exam on a chart came with."""
    return exam_origin_of(g.scope, exam)
