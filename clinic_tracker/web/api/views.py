"""``POST /api/v1/results``: results from a laboratory's system, answered after they are committed."""

from http import HTTPStatus

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.messages import Reason
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.inbox import receive
from clinic_tracker.web.access import requires
from clinic_tracker.web.api.signing_in import TYPES, current_sender, refusal, sign_in
from clinic_tracker.web.extensions import csrf

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
blueprint.before_request(sign_in)
csrf.exempt(blueprint)  # no cookie signs anybody in here


@blueprint.post("/results")
@requires(Permission.RECORD_EVIDENCE)
def results() -> Response:
    """Take one message, batch, bundle or table. The same bytes again are answered the same and record nothing."""
    sender = current_sender()
    kind = InboundKind(sender.origin.kind)
    if request.mimetype not in TYPES[kind]:
        words = f"This source sends {kind.value}: use the content type {' or '.join(sorted(TYPES[kind]))}."
        return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words)
    received = receive(sender.scope, sender.origin.public_id, request.get_data())
    status = HTTPStatus.UNPROCESSABLE_ENTITY if received.refused else HTTPStatus.OK
    return Response(received.answer, status, content_type=received.content_type)


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Response:
    """More than can be taken at once."""
    return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too large: send it in parts.", Reason.TOO_LARGE)


@blueprint.errorhandler(RuleViolation)
def refused(violation: RuleViolation) -> Response:
    """A message that is refused as a whole, such as an empty one."""
    return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, violation.message, Reason.INVALID)
