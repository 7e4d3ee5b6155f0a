"""From bytes to a tree of JSON that says only one thing: no name twice, numbers with the digits that were sent."""

import codecs
import json
from decimal import Decimal
from typing import Any, NoReturn

from clinic_tracker.domain.messages import Problem, Reason
from clinic_tracker.integrations.wire import LARGEST_FILE, safe

Json = dict[str, Any]
_LONGEST_NAME = 60


class Doubled(dict[str, Any]):
    """An object in which a name stands twice: which value is meant cannot be known."""

    name = ""


class Document:
    """The tree of a file. ``has_doubles`` tells whether looking for ``Doubled`` is worth while."""

    def __init__(self, text: str) -> None:
        """Read the text; raises ``ValueError``, ``ArithmeticError`` or ``RecursionError``."""
        self.has_doubles = False
        self.tree: Any = json.loads(
            text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=self._object
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> Json:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        self.has_doubles = True
        doubled = Doubled(made)
        seen: set[str] = set()
        doubled.name = next(name for name, _value in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        return doubled


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number of JSON.")


def read_document(raw: bytes) -> Document | Problem:
    """The tree of a file, or why there is none."""
    if len(raw) > LARGEST_FILE:
        return Problem("file", f"The file is larger than {LARGEST_FILE >> 20} MB.", Reason.TOO_LARGE)
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode()
    except ValueError:
        return Problem("file", "FHIR is written in UTF-8, and this is not.")
    if text.lstrip().startswith("<"):
        return Problem("file", "FHIR is read as JSON; this looks like XML.", Reason.UNSUPPORTED)
    return _read_text(text)


def _read_text(text: str) -> Document | Problem:
    try:
        return Document(text)
    except json.JSONDecodeError as error:
        return Problem(f"line {error.lineno}, column {error.colno}", f"This is not JSON: {error.msg}.")
    except RecursionError:
        return Problem("file", "The objects are nested too deeply.")
    except (ValueError, ArithmeticError):
        return Problem("file", "A number in it is not a number of JSON, or has too many digits.")


def doubled_name(tree: Any, path: str) -> Problem | None:
    """The first object under ``path`` in which a name stands twice."""
    waiting = [(tree, path)]
    while waiting:
        node, where = waiting.pop()
        if isinstance(node, Doubled):
            return Problem(f"{where}.{safe(node.name)[:_LONGEST_NAME]}", "This name stands twice in one object.")
        if isinstance(node, dict):
            waiting += [(value, f"{where}.{safe(name)[:_LONGEST_NAME]}") for name, value in node.items()]
        elif isinstance(node, list):
            waiting += [(value, f"{where}[{index}]") for index, value in enumerate(node)]
    return None


def items(node: Any, name: str) -> list[Json]:
    """The objects in a list of the tree; empty where there is none."""
    found = node.get(name) if isinstance(node, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def item(node: Any, name: str) -> Json:
    """An object of the tree; empty where there is none."""
    found = node.get(name) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def text_of(node: Any, name: str) -> str:
    """A text of the tree, made safe to keep; "" where there is none."""
    found = node.get(name) if isinstance(node, dict) else None
    return safe(found).strip() if isinstance(found, str) else ""
