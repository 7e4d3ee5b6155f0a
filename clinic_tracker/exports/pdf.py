"""Documents as tagged PDF (PDF/UA-1), by Typst: the data go in as JSON, so no text can become markup."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).with_name("typst")
#: Printed in place of a character that none of the embedded fonts has: PDF/UA refuses text that cannot be seen.
UNPRINTABLE = "\N{WHITE SQUARE}"
_REFUSED = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_CODE = re.compile(r"\\u\{([0-9a-f]+)\}")
_MOST_TRIES = 8
_KEPT_CONTROLS = "\n\t"


def document(name: str, data: Mapping[str, Any]) -> bytes:
    """The PDF of ``typst/<name>.typ`` with its data.

    The data are JSON values; the key ``replaced`` tells the template whether characters had to be replaced because no
    font has them.
    """
    values = _without_controls(dict(data))
    replaced: set[str] = set()
    for _ in range(_MOST_TRIES):
        shown = _map_text(values, partial(_replace, refused=replaced))
        made, refused = _compile(name, {**shown, "replaced": bool(replaced)})
        if made is not None:
            return made
        replaced |= refused
    # Text of many scripts at once: keep what every font has.
    shown = _map_text(values, lambda text: text.encode("latin-1", "replace").decode("latin-1"))
    made, refused = _compile(name, {**shown, "replaced": True})
    if made is None:
        message = f"{name}: no font for {sorted(refused)}"
        raise ValueError(message)
    return made


def _compile(name: str, data: Mapping[str, Any]) -> tuple[bytes | None, set[str]]:
    """The document; or None and the characters that no font has."""
    import typst  # noqa: PLC0415  80 MB that only documents need

    try:
        made = typst.compile(
            SOURCES / f"{name}.typ",
            root=SOURCES,
            format="pdf",
            sys_inputs={"data": json.dumps(data)},
            ignore_system_fonts=True,
            pdf_standards="ua-1",
        )
    except typst.TypstError as error:
        refused = {char for text in _REFUSED.findall(error.diagnostic) for char in _characters(text)}
        if not refused:
            raise
        return None, refused
    assert isinstance(made, bytes)
    return made, set()


def _characters(told: str) -> str:
    """The characters that a message of Typst quotes."""
    text = _CODE.sub(lambda found: chr(int(found[1], 16)), told)
    return text.replace('\\"', '"').replace("\\\\", "\\")


def _replace(text: str, refused: set[str]) -> str:
    return "".join(UNPRINTABLE if char in refused else char for char in text) if refused else text


def _without_controls(values: Any) -> Any:
    """Control characters print nothing and are refused: away with them. Line ends and tabs stay."""

    def clean(text: str) -> str:
        return "".join(
            c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co")
        )

    return _map_text(values, clean)


def _map_text(values: Any, change: Callable[[str], str]) -> Any:
    if isinstance(values, str):
        return change(values)
    if isinstance(values, Mapping):
        return {key: _map_text(value, change) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_map_text(value, change) for value in values]
    return values
