"""Systems sign in with a bearer token; every refusal is said in the format that was sent."""

import json
from http import HTTPStatus

from flask import Response, current_app, g, request

from clinic_tracker.domain.messages import Outcome, Problem, Reason
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.fhir.answer import operation_outcome
from clinic_tracker.integrations.hl7v2 import acknowledge
from clinic_tracker.integrations.inbox import CONTENT_TYPES
from clinic_tracker.queries.inbound_tokens import Sender, sender_of
from clinic_tracker.services.inbound_sources import hashed, note_token_used
from clinic_tracker.web.access import visitor_scope

SCHEME = "bearer "
CHALLENGE = 'Bearer realm="results"'
HL7_TYPES = frozenset(
    {"application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7", "text/hl7v2", "text/plain"}
)
TYPES: dict[InboundKind, frozenset[str]] = {
    InboundKind.HL7: HL7_TYPES,
    InboundKind.FHIR: frozenset({"application/fhir+json", "application/json"}),
    InboundKind.TABLE: frozenset({"text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}),
}


def sign_in() -> Response | None:
    """Let in a system with a good token that may do what the endpoint states; refuse everybody else."""
    given = request.headers.get("Authorization", "")
    visitor = visitor_scope()
    token = given[len(SCHEME) :].strip() if given.lower().startswith(SCHEME) else ""
    sender = sender_of(visitor, hashed(visitor, token)) if token else None
    if sender is None:
        answer = refusal(HTTPStatus.UNAUTHORIZED, "Send a token that is good: Authorization: Bearer …")
        answer.headers["WWW-Authenticate"] = CHALLENGE
        return answer
    permissions = getattr(current_app.view_functions[str(request.endpoint)], "permissions", None)
    if (
        permissions is None
        or not sender.origin.is_active
        or not all(sender.scope.may(permission) for permission in permissions)
    ):
        return refusal(HTTPStatus.FORBIDDEN, "Nothing is taken from this source at present.")
    note_token_used(sender.scope, sender.token_id)
    g.scope, g.sender = sender.scope, sender
    return None


def current_sender() -> Sender:
    """The system that sends this request."""
    sender: Sender = g.sender
    return sender


def refusal(status: int, words: str, reason: Reason = Reason.UNSUPPORTED) -> Response:
    """A refusal as an acknowledgment to HL7, and as an OperationOutcome to everything else."""
    outcome = Outcome(0, taken=False, problems=(Problem("", words, reason),))
    if request.mimetype in HL7_TYPES:
        body = acknowledge(b"", [outcome], visitor_scope().now)
        return Response(body, status, content_type=CONTENT_TYPES[InboundKind.HL7])
    body = json.dumps(operation_outcome([outcome])).encode()
    return Response(body, status, content_type=CONTENT_TYPES[InboundKind.FHIR])
