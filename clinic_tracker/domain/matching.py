"""Whose result is it? An identifier first, then name, birth date and sex; in any doubt a person decides.

Nobody guesses: two charts that fit, or an identifier that the rest contradicts, are doubtful.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple

from clinic_tracker.domain.duplicates import Person, likely_duplicates, plain
from clinic_tracker.domain.messages import Identifier, Identity
from clinic_tracker.domain.vocabulary import Sex

#: Numbers that are no medical record number, whatever they look like: insurance, license, account, visit.
_OTHER_NUMBERS = frozenset({"SS", "DL", "AN", "VN", "NI", "PPN", "MC", "MA", "BC", "EI", "TAX"})


class How(StrEnum):
    """By what a chart was found."""

    MRN = "mrn"
    REMS_ID = "rems_id"
    IDENTIFIER = "identifier"
    DEMOGRAPHICS = "demographics"
    EARLIER = "earlier"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chart of the clinic as it is compared. ``identifiers`` are (system, value) learned from confirmed matches."""

    key: int
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: Sex
    rems_patient_id: str | None = None
    identifiers: frozenset[tuple[str, str]] = frozenset()


class Exact(NamedTuple):
    """It is this chart."""

    key: int
    how: How


class Likely(NamedTuple):
    """A chart that a person should look at: what of it agrees with the message, and what differs.

    The parts are identifier, family_name, given_name, birth_date and sex; what the message does not say is in neither.
    """

    key: int
    agrees: tuple[str, ...]
    differs: tuple[str, ...]


class Doubtful(NamedTuple):
    """A person decides among these, the likeliest first."""

    candidates: tuple[Likely, ...]


class NoMatch(NamedTuple):
    """No chart of the clinic is like it."""


Match = Exact | Doubtful | NoMatch


def match(identity: Identity, candidates: Iterable[Candidate]) -> Match:
    """The chart that the identity means, if there is no doubt.

    By an identifier (the clinic's MRN, the REMS id, one learned before): exact when it points to one chart, and the
    name or the birth date agrees or neither is said, and no more than one thing differs; a chart that fits by name,
    birth date and sex must not be another one. Without an identifier: exact when family name, given name, birth date
    and sex all agree for one chart only.
    """
    known = sorted(candidates, key=lambda candidate: candidate.key)
    pointed = {candidate.key: how for candidate in known if (how := _pointed(identity, candidate))}
    fitting = [candidate.key for candidate in known if _fits(identity, candidate)]
    if len(pointed) == 1:
        ((key, how),) = pointed.items()
        (chart,) = (candidate for candidate in known if candidate.key == key)
        if _confirmed(identity, chart) and set(fitting) <= {key}:
            return Exact(key, how)
    elif not pointed and len(fitting) == 1:
        return Exact(fitting[0], How.DEMOGRAPHICS)
    likely = [candidate for candidate in known if candidate.key in pointed or _is_like(identity, candidate)]
    if not likely:
        return NoMatch()
    compared = [compare(identity, candidate) for candidate in likely]
    return Doubtful(tuple(sorted(compared, key=lambda one: (-len(one.agrees), len(one.differs), one.key))))


def certain(identity: Identity, candidate: Candidate) -> How | None:
    """By which identifier it is this chart when name and birth date agree too, so that no other need be looked at."""
    how = _pointed(identity, candidate)
    same = (
        how is not None
        and identity.birth_date == candidate.birth_date
        and _same_family(identity, candidate)
        and _same_given(identity, candidate)
    )
    return how if same else None


def compare(identity: Identity, candidate: Candidate) -> Likely:
    """What of a chart agrees with the identity and what differs."""
    verdicts = {
        "identifier": True if _pointed(identity, candidate) else None,
        "family_name": _same_family(identity, candidate),
        "given_name": _same_given(identity, candidate),
        "birth_date": None if identity.birth_date is None else identity.birth_date == candidate.birth_date,
        "sex": _same_sex(identity, candidate),
    }
    return Likely(
        candidate.key,
        tuple(part for part, agrees in verdicts.items() if agrees),
        tuple(part for part, agrees in verdicts.items() if agrees is False),
    )


def same_name(one: str, other: str) -> bool:
    """Whether two names are one after case, accents, hyphens and blanks: O'Neill, ONEILL; Smith-Jones, SMITH JONES."""
    left = plain(one)
    return bool(left) and left == plain(other)


def same_given_name(one: str, other: str) -> bool:
    """The same for given names, where a middle name may be missing or an initial: Mary Ann, MARY A., Mary."""
    if same_name(one, other):
        return True
    left, right = ([part for word in name.split() if (part := plain(word))] for name in (one, other))
    if not left or not right or left[0] != right[0]:
        return False
    middles = zip_longest(left[1:], right[1:], fillvalue="")
    return all(not a or not b or a == b or (min(len(a), len(b)) == 1 and a[0] == b[0]) for a, b in middles)


def _pointed(identity: Identity, candidate: Candidate) -> How | None:
    """By which kind of identifier the message points to a chart; ``None`` if it does not."""
    found = [_kind_of(identifier, candidate) for identifier in identity.identifiers]
    return next((how for how in (How.MRN, How.REMS_ID, How.IDENTIFIER) if how in found), None)


def _kind_of(identifier: Identifier, candidate: Candidate) -> How | None:
    if not identifier.value:
        return None
    if identifier.kind.upper() not in _OTHER_NUMBERS:
        if identifier.value == candidate.mrn:
            return How.MRN
        if candidate.rems_patient_id and identifier.value == candidate.rems_patient_id:
            return How.REMS_ID
    return How.IDENTIFIER if (identifier.system, identifier.value) in candidate.identifiers else None


def _confirmed(identity: Identity, candidate: Candidate) -> bool:
    """Whether name or birth date agrees, or the message says nothing of either that differs; and but one thing differs.

    A brother or sister born on the same day has the family name and the birth date, and another given name and sex.
    """
    if len(compare(identity, candidate).differs) > 1:
        return False
    family, given = _same_family(identity, candidate), _same_given(identity, candidate)
    name = None if family is None and given is None else family is not False and given is not False
    birth = None if identity.birth_date is None else identity.birth_date == candidate.birth_date
    return bool(name) or bool(birth) or (name is None and birth is None)


def _fits(identity: Identity, candidate: Candidate) -> bool:
    return (
        identity.birth_date == candidate.birth_date
        and bool(_same_sex(identity, candidate))
        and bool(_same_family(identity, candidate))
        and bool(_same_given(identity, candidate))
    )


def _is_like(identity: Identity, candidate: Candidate) -> bool:
    """Whether a person would want to see this chart beside the message."""
    said = Person(None, identity.family_name, identity.given_name, identity.birth_date or candidate.birth_date)
    chart = Person(candidate.key, candidate.family_name, candidate.given_name, candidate.birth_date)
    family, given = _same_family(identity, candidate), _same_given(identity, candidate)
    born = identity.birth_date == candidate.birth_date
    return bool((family and given) or (born and (family or given))) or bool(likely_duplicates(said, [chart]))


def _same_family(identity: Identity, candidate: Candidate) -> bool | None:
    return same_name(identity.family_name, candidate.family_name) if plain(identity.family_name) else None


def _same_given(identity: Identity, candidate: Candidate) -> bool | None:
    return same_given_name(identity.given_name, candidate.given_name) if plain(identity.given_name) else None


def _same_sex(identity: Identity, candidate: Candidate) -> bool | None:
    if Sex.UNKNOWN in (identity.sex, candidate.sex):
        return None
    return identity.sex == candidate.sex
