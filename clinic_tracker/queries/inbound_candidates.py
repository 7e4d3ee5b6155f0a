"""The charts that a result may belong to: by number first; by name and birth date only where that leaves a doubt."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, or_, select

from clinic_tracker.domain.matching import Candidate, Exact, Match, certain, match
from clinic_tracker.domain.messages import Identity
from clinic_tracker.domain.vocabulary import FactState, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import PatientIdentifier
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope

AT_ONCE = 400
Learned = dict[int, set[tuple[str, str]]]


def matches(scope: Scope, identities: Sequence[Identity]) -> list[Match]:
    """The match of each identity among the charts of the clinic, in their order."""
    candidates = _numbered(scope, {one.value for identity in identities for one in identity.identifiers if one.value})
    by_number: defaultdict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates.values():
        for number in _numbers_of(candidate):
            by_number[number].append(candidate)
    found: list[Match | None] = []
    for identity in identities:
        pointed = {one.key: one for number in identity.identifiers for one in by_number.get(number.value, ())}
        only = next(iter(pointed.values())) if len(pointed) == 1 else None
        how = certain(identity, only) if only else None
        found.append(Exact(only.key, how) if only and how else None)
    doubted = [place for place, one in enumerate(found) if one is None]
    alike = _alike(scope, [identities[place] for place in doubted])
    for place in doubted:
        identity = identities[place]
        pointed = {one.key: one for number in identity.identifiers for one in by_number.get(number.value, ())}
        near = {key: one for key, one in alike.items() if _is_near(identity, one)}
        found[place] = match(identity, (near | pointed).values())
    return [one for one in found if one is not None]


def candidates_of(scope: Scope, patient_ids: Collection[int]) -> dict[int, Candidate]:
    """Charts by key, as they are compared."""
    return _charts(scope, Patient.id.in_(sorted(patient_ids))) if patient_ids else {}


def _numbered(scope: Scope, numbers: set[str]) -> dict[int, Candidate]:
    """The charts that have one of the numbers as MRN, REMS id or learned identifier."""
    found: dict[int, Candidate] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        learned = db.session.execute(
            select(PatientIdentifier.patient_id).where(
                PatientIdentifier.clinic_id == scope.clinic_id,
                PatientIdentifier.state == FactState.RECORDED.value,
                PatientIdentifier.value.in_(part),
            )
        ).scalars()
        found |= _charts(
            scope, or_(Patient.mrn.in_(part), Patient.rems_patient_id.in_(part), Patient.id.in_(set(learned)))
        )
    return found


def _alike(scope: Scope, identities: Sequence[Identity]) -> dict[int, Candidate]:
    """The charts with the birth date or the family name of one of the identities."""
    found: dict[int, Candidate] = {}
    for start in range(0, len(identities), AT_ONCE):
        part = identities[start : start + AT_ONCE]
        births = {identity.birth_date for identity in part if identity.birth_date is not None}
        names = {name for identity in part for name in _spellings(identity.family_name)}
        if births or names:
            found |= _charts(scope, or_(Patient.birth_date.in_(births), Patient.family_name.in_(names)))
    return found


def _charts(scope: Scope, condition: ColumnElement[bool]) -> dict[int, Candidate]:
    rows = db.session.execute(
        select(
            Patient.id,
            Patient.mrn,
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
            Patient.sex_at_birth,
            Patient.rems_patient_id,
        ).where(Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None), condition)
    ).all()
    learned = _learned(scope, [row.id for row in rows])
    return {
        key: Candidate(key, mrn, family, given, birth, Sex(sex), rems, frozenset(learned.get(key, ())))
        for key, mrn, family, given, birth, sex, rems in rows
    }


def _learned(scope: Scope, patient_ids: Sequence[int]) -> Learned:
    found: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for start in range(0, len(patient_ids), AT_ONCE):
        rows = db.session.execute(
            select(PatientIdentifier.patient_id, PatientIdentifier.system, PatientIdentifier.value).where(
                PatientIdentifier.clinic_id == scope.clinic_id,
                PatientIdentifier.state == FactState.RECORDED.value,
                PatientIdentifier.patient_id.in_(patient_ids[start : start + AT_ONCE]),
            )
        )
        for patient, system, value in rows:
            found[patient].add((system, value))
    return found


def _numbers_of(candidate: Candidate) -> set[str]:
    numbers = {candidate.mrn, *(value for _, value in candidate.identifiers)}
    return numbers | {candidate.rems_patient_id} if candidate.rems_patient_id else numbers


def _is_near(identity: Identity, candidate: Candidate) -> bool:
    return candidate.birth_date == identity.birth_date or candidate.family_name in _spellings(identity.family_name)


def _spellings(name: str) -> set[str]:
    """A family name as it was sent, and as names are usually written."""
    plain = name.strip()
    return {plain, plain.title(), plain.upper(), plain.capitalize()} if plain else set()
