"""Registering somebody whose first result came from a laboratory: the form begins with what the message says."""

from typing import Any
from uuid import UUID

from flask import flash, url_for

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.messages import Identity
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundState, Sex
from clinic_tracker.queries.inbound import ResultRow, result
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_resolve import match_result
from clinic_tracker.web.addresses import uuid_in

MEDICAL_RECORD = "MR"


def result_of_request(scope: Scope) -> ResultRow | None:
    """The unmatched result that the address names; its public id alone stands there."""
    public_id = uuid_in("result")
    if public_id is None or not scope.may(Permission.RECORD_EVIDENCE):
        return None
    try:
        row = result(scope, public_id)
    except NotFound:
        return None
    return row if row.state is InboundState.UNMATCHED else None


def begun_with(row: ResultRow | None) -> dict[str, Any]:
    """What the form of a new patient begins with. Of several numbers none is chosen."""
    if row is None:
        return {}
    said: Identity = row.identity
    numbers = {one.value for one in said.identifiers if one.kind == MEDICAL_RECORD and one.value}
    return {
        "family_name": _name(said.family_name),
        "given_name": _name(said.given_name),
        "birth_date": said.birth_date,
        "sex_at_birth": "" if said.sex is Sex.UNKNOWN else said.sex.value,
        "mrn": numbers.pop() if len(numbers) == 1 else "",
    }


def address_of(endpoint: str, row: ResultRow | None) -> str:
    """An address that goes on with the result."""
    return url_for(endpoint, result=None if row is None else row.public_id)


def put_on_chart(scope: Scope, row: ResultRow | None, patient: UUID) -> None:
    """The result belongs to the patient who was registered from it, with all that waits of the same person."""
    if row is None:
        return
    try:
        match_result(scope, row.public_id, patient)
    except (NotFound, RuleViolation):
        flash("The result was not put on the chart: somebody has decided about it meanwhile.", "info")
    else:
        flash("The result that it began with is on this chart.", "success")


def _name(sent: str) -> str:
    """A name in letters of both cases; laboratories write capitals."""
    return sent.title() if sent.isupper() else sent
