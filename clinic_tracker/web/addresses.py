"""Public ids in addresses: never a name, a number of a person or a date."""

import uuid

from flask import request

MOST = 50
MOST_DIGITS = 18  # of a key that the database can hold


def uuid_in(name: str) -> uuid.UUID | None:
    """The public id in the query of the address; None for none and for what is none."""
    found = uuids_in(name)
    return found[0] if found else None


def uuids_in(name: str) -> list[uuid.UUID]:
    """The public ids in the query of the address; what is none is left out."""
    return as_uuids(request.args.getlist(name)[:MOST])


def key_in(name: str) -> int | None:
    """The key of a row in the query of the address, to continue a list; None for none and for what can be none."""
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def as_uuids(texts: list[str]) -> list[uuid.UUID]:
    """The texts that are public ids."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
