"""What the local codes of a source mean here, and which results a code affects."""

from sqlalchemy import select

from clinic_tracker.domain.lab_meaning import LocalCodes, Meaning
from clinic_tracker.domain.panels import spelling
from clinic_tracker.domain.vocabulary import LocalCodeKind
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LocalCode
from clinic_tracker.queries.scope import Scope


def local_codes(scope: Scope, source_id: int) -> LocalCodes:
    """The codes and units of a source that a person has mapped."""
    rows = db.session.execute(
        select(LocalCode.kind, LocalCode.system, LocalCode.code, LocalCode.target).where(
            LocalCode.clinic_id == scope.clinic_id,
            LocalCode.source_id == source_id,
            LocalCode.withdrawn_at.is_(None),
        )
    )
    codes: dict[tuple[str, str], Meaning] = {}
    units: dict[str, str] = {}
    for kind, system, code, target in rows:
        if kind == LocalCodeKind.UNIT:
            units[spelling(code)] = target
        else:
            codes[system, code] = Meaning(LocalCodeKind(kind), target)
    return LocalCodes(codes, units)
