"""The charts that an unmatched result may belong to, side by side with what differs."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.matching import Candidate, Doubtful, Exact, Likely, compare
from clinic_tracker.domain.messages import Identity
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.inbound_candidates import candidates_of, matches
from clinic_tracker.queries.scope import Scope


class LikelyChart(NamedTuple):
    """A chart beside an unmatched result: what agrees and what differs (see ``matching.Likely``)."""

    patient: uuid.UUID
    chart: Candidate
    likely: Likely


def likely_charts(scope: Scope, identity: Identity) -> list[LikelyChart]:
    """The charts that an identity may mean, the likeliest first, for a person to choose from."""
    (found,) = matches(scope, [identity])
    keys = [found.key] if isinstance(found, Exact) else []
    keys += [one.key for one in found.candidates] if isinstance(found, Doubtful) else []
    charts = candidates_of(scope, keys)
    public = _public_ids(scope, keys)
    return [LikelyChart(public[key], charts[key], compare(identity, charts[key])) for key in keys if key in charts]


def _public_ids(scope: Scope, keys: Sequence[int]) -> dict[int, uuid.UUID]:
    rows = db.session.execute(
        select(Patient.id, Patient.public_id).where(Patient.clinic_id == scope.clinic_id, Patient.id.in_(keys))
    )
    return {key: public_id for key, public_id in rows}  # noqa: C416 - rows are not pairs to mypy
