"""Charts that may be of one person: at registration, on the tally, and the merges made of them."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.duplicates import Match, Person, likely_duplicates, likely_pairs, sound_key
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import NotADuplicate, Patient, PatientMerge
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class Chart:
    """Who a chart is of, with two identifiers."""

    id: int
    public_id: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    rems_patient_id: str | None


@dataclass(frozen=True, slots=True)
class SimilarChart:
    """A chart much like a person, and why."""

    chart: Chart
    score: int
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reasons as a sentence."""
        return _sentence(self.reasons)


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two charts that may be of one person, and why."""

    first: Chart
    second: Chart
    score: int
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reasons as a sentence."""
        return _sentence(self.reasons)


@dataclass(frozen=True, slots=True)
class MergeRow:
    """A merge that was made, and whether it was undone."""

    public_id: uuid.UUID
    survivor: Chart
    duplicate: Chart
    reason: str
    merged_by: str | None
    merged_at: datetime
    moved: dict[str, dict[str, str]]
    undone_by: str | None
    undone_at: datetime | None
    undone_reason: str | None


def similar_charts(scope: Scope, person: Person, *, own: int | None = None) -> tuple[SimilarChart, ...]:
    """The charts of the clinic that may be of this person, the likeliest first; without ``own``."""
    rows = db.session.execute(_charts(scope).where(Patient.id != (own if own is not None else -1)))
    charts = {row[0]: Chart(*row) for row in rows}
    matches: tuple[Match, ...] = likely_duplicates(person, [_person(chart) for chart in charts.values()])
    return tuple(SimilarChart(charts[int(str(match.key))], match.score, match.reasons) for match in matches)


def duplicate_pairs(scope: Scope) -> tuple[DuplicatePair, ...]:
    """The pairs of charts of the clinic that may be of one person and were not found to be two, likeliest first."""
    charts = {row[0]: Chart(*row) for row in db.session.execute(_charts(scope))}
    settled = set(
        db.session.execute(
            select(NotADuplicate.first_id, NotADuplicate.second_id).where(NotADuplicate.clinic_id == scope.clinic_id)
        )
    )
    found = []
    for one, other, score, reasons in likely_pairs([_person(chart) for chart in charts.values()]):
        first, second = sorted((int(str(one)), int(str(other))))
        if (first, second) not in settled:
            found.append(DuplicatePair(charts[first], charts[second], score, reasons))
    return tuple(sorted(found, key=lambda pair: (-pair.score, pair.first.family_name, pair.first.id, pair.second.id)))


def count_duplicate_pairs(scope: Scope) -> int:
    """How many pairs wait for a person to look at them."""
    return len(duplicate_pairs(scope))


def like_named(_scope: Scope, charts: Iterable[Chart]) -> frozenset[int]:
    """The keys of the charts of a list whose names can be mistaken for one another."""
    alike: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for chart in charts:
        alike[sound_key(chart.family_name), sound_key(chart.given_name)].append(chart.id)
    return frozenset(key for keys in alike.values() if len(keys) > 1 for key in keys)


def merges(scope: Scope, limit: int = 50) -> list[MergeRow]:
    """The latest merges of the clinic, newest first."""
    return [_merge_row(row) for row in db.session.execute(_merges(scope).limit(limit))]


def find_merge(scope: Scope, merge: uuid.UUID) -> MergeRow:
    """One merge of the clinic; NotFound otherwise."""
    row = db.session.execute(_merges(scope).where(PatientMerge.public_id == merge)).one_or_none()
    if row is None:
        raise NotFound("merge")
    return _merge_row(tuple(row))


def _charts(scope: Scope) -> Select[Any]:
    return select(*_chart_columns(Patient)).where(
        Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None)
    )


def _chart_columns(table: Any) -> tuple[Any, ...]:
    return (
        table.id,
        table.public_id,
        table.family_name,
        table.given_name,
        table.birth_date,
        table.mrn,
        table.rems_patient_id,
    )


def _merges(scope: Scope) -> Select[Any]:
    survivor, duplicate = aliased(Patient), aliased(Patient)
    merger, undoer = aliased(User), aliased(User)
    return (
        select(
            PatientMerge.public_id,
            *_chart_columns(survivor),
            *_chart_columns(duplicate),
            PatientMerge.reason,
            merger.name,
            PatientMerge.merged_at,
            PatientMerge.moved,
            undoer.name,
            PatientMerge.undone_at,
            PatientMerge.undone_reason,
        )
        .join(survivor, survivor.id == PatientMerge.survivor_id)
        .join(duplicate, duplicate.id == PatientMerge.duplicate_id)
        .outerjoin(merger, merger.id == PatientMerge.merged_by_id)
        .outerjoin(undoer, undoer.id == PatientMerge.undone_by_id)
        .where(PatientMerge.clinic_id == scope.clinic_id)
        .order_by(PatientMerge.merged_at.desc(), PatientMerge.id.desc())
    )


def _merge_row(row: tuple[Any, ...]) -> MergeRow:
    return MergeRow(row[0], Chart(*row[1:8]), Chart(*row[8:15]), *row[15:])


def _sentence(reasons: tuple[str, ...]) -> str:
    words = "; ".join(reasons)
    return words[:1].upper() + words[1:]


def _person(chart: Chart) -> Person:
    return Person(chart.id, chart.family_name, chart.given_name, chart.birth_date, chart.rems_patient_id)
