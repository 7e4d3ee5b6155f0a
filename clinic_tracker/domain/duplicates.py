"""Patients who may be registered twice: similar names with the same or a mistyped birth date, or one REMS id."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import date
from itertools import combinations, pairwise
from typing import NamedTuple

_SHORT_NAME = 4
_LONG_NAME = 8
_LEAST_PREFIX = 3
_TWO_ERRORS = 2
_SWAPPED_DIGITS = 2
_SAME, _SWAPPED, _SIMILAR = "the same name", "family and given name swapped", "a similar name"
_SAME_DAY_SCORES = {_SAME: 95, _SWAPPED: 90, _SIMILAR: 80}
_SOUNDS = {
    letter: sound
    for sound, letters in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for letter in letters
}


class Person(NamedTuple):
    """What is compared of a patient. ``key`` identifies the record; ``None`` for one that is being registered."""

    key: int | str | None
    family_name: str
    given_name: str
    birth_date: date
    rems_patient_id: str | None = None


class Match(NamedTuple):
    """A record that may be the same patient, how likely (0 to 100), and why."""

    key: int | str | None
    score: int
    reasons: tuple[str, ...]


def likely_duplicates(patient: Person, candidates: Iterable[Person]) -> tuple[Match, ...]:
    """The candidates who may be the same patient, the likeliest first; never the patient's own record."""
    found = [
        Match(other.key, *verdict)
        for other in candidates
        if not _same_record(patient, other) and (verdict := _compare(patient, other))
    ]
    return tuple(sorted(found, key=lambda match: (-match.score, str(match.key))))


def likely_pairs(
    people: Iterable[Person],
) -> tuple[tuple[int | str | None, int | str | None, int, tuple[str, ...]], ...]:
    """Every pair of records that may be one patient, once, the likeliest first.

    Only records that share a birth date, a name or a REMS id are compared, so a clinic of thousands takes no time.
    """
    everybody = list(people)
    pairs: set[tuple[int, int]] = set()
    blocks: tuple[Callable[[Person], Hashable], ...] = (
        lambda person: person.birth_date,
        lambda person: (plain(person.family_name), plain(person.given_name)),
        lambda person: plain(person.rems_patient_id or "") or None,
    )
    for block in blocks:
        groups: defaultdict[Hashable, list[int]] = defaultdict(list)
        for place, person in enumerate(everybody):
            groups[block(person)].append(place)
        groups.pop(None, None)
        pairs.update(pair for places in groups.values() for pair in combinations(places, 2))
    found = [
        (everybody[one].key, *match)
        for one, other in sorted(pairs)
        for match in likely_duplicates(everybody[one], [everybody[other]])
    ]
    return tuple(sorted(found, key=lambda pair: -pair[2]))


def sound_key(name: str) -> str:
    """A name by its sound in four characters (Soundex): Meyer and Maier are M600."""
    letters = [letter for letter in plain(name) if letter.isalpha()]
    if not letters:
        return ""
    # H and W do not part two letters of one sound, vowels do.
    sounds = [_SOUNDS.get(letter, "") for letter in letters[:1] + [one for one in letters[1:] if one not in "hw"]]
    kept = [later for earlier, later in pairwise(sounds) if later and later != earlier]
    return (letters[0].upper() + "".join(kept) + "000")[:4]


def edit_distance(one: str, other: str) -> int:
    """How many letters have to be inserted, left out, replaced or swapped with their neighbor."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, right in enumerate(other, start=1):
            step = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                step = min(step, last[j - 2] + 1)
            row.append(step)
    return row[-1]


def _same_record(one: Person, other: Person) -> bool:
    return one is other or (one.key is not None and one.key == other.key)


def _compare(one: Person, other: Person) -> tuple[int, tuple[str, ...]] | None:
    """Score and reasons, the same in both directions; ``None`` if nothing speaks for one patient."""
    found: list[tuple[int, str]] = []
    if one.rems_patient_id and plain(one.rems_patient_id) == plain(other.rems_patient_id or ""):
        found.append((100, "the same REMS id"))
    names = _compare_names(one, other)
    if names and one.birth_date == other.birth_date:
        found.append((_SAME_DAY_SCORES[names], f"{names} and the same birth date"))
    elif names == _SAME and _is_transposed(one.birth_date, other.birth_date):
        found.append((75, f"{names} and a birth date with swapped digits"))
    if not found:
        return None
    return found[0][0], tuple(reason for _, reason in found)


def _compare_names(one: Person, other: Person) -> str | None:
    """How the names agree, in words; ``None`` if they do not."""
    family, given = plain(one.family_name), plain(one.given_name)
    other_family, other_given = plain(other.family_name), plain(other.given_name)
    if not (family and given):
        return None
    if (family, given) == (other_family, other_given):
        return _SAME
    if (family, given) == (other_given, other_family):
        return _SWAPPED
    similar_family = _is_similar(one.family_name, other.family_name)
    shorter, longer = sorted((given, other_given), key=len)
    short_form = len(shorter) >= _LEAST_PREFIX and longer.startswith(shorter)
    return _SIMILAR if similar_family and (short_form or _is_similar(one.given_name, other.given_name)) else None


def _is_similar(one: str, other: str) -> bool:
    """Whether two names may be one: a typing error, the same sound, or one part of a double name."""
    left, right = plain(one), plain(other)
    if left == right:
        return True
    if any(len(part) >= _LEAST_PREFIX for part in _parts(one) & _parts(other)):
        return True
    shortest, distance = min(len(left), len(right)), edit_distance(left, right)
    typing_error = distance <= 1 and shortest >= _SHORT_NAME
    two_errors = distance <= _TWO_ERRORS and (shortest >= _LONG_NAME or sound_key(one) == sound_key(other))
    return shortest >= _LEAST_PREFIX and (typing_error or two_errors)


def _is_transposed(one: date, other: date) -> bool:
    """Whether a birth date becomes the other by swapping day and month, or two neighboring digits."""
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return one != other
    left, right = f"{one:%Y%m%d}", f"{other:%Y%m%d}"
    apart = [place for place in range(len(left)) if left[place] != right[place]]
    if len(apart) != _SWAPPED_DIGITS or apart[1] - apart[0] != 1:
        return False
    first, second = apart
    return (left[first], left[second]) == (right[second], right[first])


def plain(text: str) -> str:
    """Letters and digits only, without accents and case: O'Neill, ONEILL and o’neill are one."""  # noqa: RUF002
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum())


def _parts(name: str) -> set[str]:
    """The parts of a double name."""
    return {plain(part) for part in name.replace("-", " ").split()}
