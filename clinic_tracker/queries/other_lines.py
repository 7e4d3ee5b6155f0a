"""What a laboratory sent beside the results that were recorded: lines of tests that the clinic does not follow."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.lab_meaning import CodeTable
from clinic_tracker.domain.message_json import unpack_report
from clinic_tracker.domain.messages import SentReport
from clinic_tracker.domain.other_lines import OtherLine, other_lines
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.queries.inbound_codes import local_codes
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope

_PUT_ASIDE = (InboundState.SUPERSEDED.value, InboundState.REFUSED.value, InboundState.UNMATCHED.value)


class _Part(NamedTuple):
    """One report of a message, whose it is, and the numbers of the reports that it makes one panel with."""

    source_id: int
    patient_id: int | None
    key: str
    sent: SentReport
    together: tuple[str, ...]


def also_sent(scope: Scope, results: Collection[int | None]) -> dict[int, tuple[OtherLine, ...]]:
    """The other lines that came with each of these results of messages, by its key; those with none are left out."""
    parts = _parts(scope, {key for key in results if key is not None})
    joined = _joined(scope, parts.values())
    tables: dict[int, CodeTable] = {}
    found: dict[int, tuple[OtherLine, ...]] = {}
    for key, part in parts.items():
        if part.source_id not in tables:
            tables[part.source_id] = CodeTable(lab_catalog(scope), local_codes(scope, part.source_id))
        others = [joined.get((part.source_id, part.patient_id, name)) for name in part.together if name != part.key]
        if lines := other_lines(tables[part.source_id], [part.sent, *(one for one in others if one is not None)]):
            found[key] = lines
    return found


def _parts(scope: Scope, keys: set[int]) -> dict[int, _Part]:
    if not keys:
        return {}
    rows = db.session.execute(
        select(
            InboundResult.id,
            InboundMessage.source_id,
            InboundResult.patient_id,
            InboundResult.external_id,
            InboundResult.report,
        )
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.id.in_(keys))
        .order_by(InboundResult.id)
    )
    return {
        key: _Part(source, patient, str(name), unpack_report(packed["sent"]), tuple(packed.get("with", ())))
        for key, source, patient, name, packed in rows
    }


def _joined(scope: Scope, parts: Collection[_Part]) -> Mapping[tuple[int, int | None, str], SentReport]:
    """The newest versions of the other reports of the same panels, by source, patient and number."""
    wanted = {name for part in parts for name in part.together}
    found: dict[tuple[int, int | None, str], SentReport] = {}
    if not wanted:
        return found
    rows = db.session.execute(
        select(InboundMessage.source_id, InboundResult.patient_id, InboundResult.external_id, InboundResult.report)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(
            InboundResult.clinic_id == scope.clinic_id,
            InboundResult.patient_id.in_({part.patient_id for part in parts if part.patient_id is not None}),
            InboundResult.external_id.in_(wanted),
            InboundResult.state.not_in(_PUT_ASIDE),
        )
        .order_by(InboundResult.id)
    )
    for source, patient, name, packed in rows:
        found[source, patient, str(name)] = unpack_report(packed["sent"])
    return found
