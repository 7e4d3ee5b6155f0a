"""Addresses to try: every route, with parameters that are known or exist nowhere."""

import re
import uuid
from typing import Any

from werkzeug.routing import AnyConverter, IntegerConverter, Rule, UUIDConverter

OPEN = "compliance"  # a report that needs no more than its address says
PARAMETER = re.compile(r"<[^<>]*?(\w+)>")


def address(rule: Rule, **known: uuid.UUID) -> str:
    """The route's address with known parameters, and with others that exist nowhere."""
    return PARAMETER.sub(lambda found: str(known.get(found[1]) or sample(rule._converters[found[1]])), rule.rule)


def sample(converter: Any) -> str:
    """A value that the converter takes."""
    if isinstance(converter, AnyConverter):
        return OPEN if OPEN in converter.items else min(converter.items)
    if isinstance(converter, UUIDConverter):
        return "00000000-0000-4000-8000-000000000000"
    return "1" if isinstance(converter, IntegerConverter) else "2026-01-22"
