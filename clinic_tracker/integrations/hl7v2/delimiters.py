"""The characters that divide a message, and the escape sequences that stand for them."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from clinic_tracker.integrations.wire import SUBSTITUTE, safe

_USUAL = "|^~\\&"
_FIVE = 5


class Delimiters(NamedTuple):
    """As in MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    part: str = "&"


USUAL = Delimiters()


@lru_cache(maxsize=64)
def delimiters_of(start: str) -> Delimiters | None:
    """Those that the start of a header names, the usual ones for what it leaves out; ``None`` if they cannot divide."""
    separator = start[3:4]
    named = start[4:].split(separator, maxsplit=1)[0].strip() if separator else ""
    if not separator or len(named) > _FIVE:  # the fifth is the truncation character of 2.7
        return None
    used = separator + named[:4]
    used += "".join(other for other in _USUAL[len(used) :])
    if len(set(used)) != _FIVE or any(one.isalnum() or one.isspace() or not one.isprintable() for one in used):
        return None
    return Delimiters(used[0], used[1], used[2], used[3], used[4])


def plain(text: str, delimiters: Delimiters, encoding: str = "utf-8") -> str:
    """The text that a field means: escape sequences resolved, nothing in it that cannot be stored.

    What looks like an escape sequence and is none stays as it was sent. Two quotation marks alone mean "no value".
    """
    if text.isalnum() or not text:  # most are
        return text
    if text == '""':
        return ""
    if delimiters.escape in text:
        text = _pattern(delimiters.escape).sub(_resolver(delimiters, encoding), text)
    return safe(text).strip()


@lru_cache(maxsize=64)
def _pattern(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(
        rf"{mark}(?:([FSTREPHN])|X((?:[0-9A-Fa-f]{{2}})+)|([CM][0-9A-Fa-f]{{4,6}})"
        rf"|\.(br|sp|fi|nf|in|ti|sk|ce)\s*([-+]?\d{{0,3}})){mark}"
    )


@lru_cache(maxsize=64)
def _resolver(delimiters: Delimiters, encoding: str) -> Callable[[re.Match[str]], str]:
    letters = {
        "F": delimiters.field,
        "S": delimiters.component,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "T": delimiters.part,
        "P": "#",
        "H": "",
        "N": "",
    }

    def resolve(match: re.Match[str]) -> str:
        letter, octets, foreign, layout, count = match.groups()
        if letter:
            return letters[letter]
        if octets:
            return bytes.fromhex(octets).decode(encoding, errors="replace")
        if foreign:  # a character of another set, which is not known here
            return SUBSTITUTE
        times = int(count) if count.lstrip("+-").isdigit() and not count.startswith("-") else 1
        return {"br": "\n", "ce": "\n", "sp": "\n" * times, "sk": " " * times}.get(layout, "")

    return resolve
