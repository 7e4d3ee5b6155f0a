"""The filter of a worklist in the address of its page: read, changed by one thing, written. Never a name in it."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from clinic_tracker.queries.worklist_filter import (
    VIEW_BANDS,
    Band,
    Cursor,
    Grouping,
    Snoozed,
    Sort,
    View,
    WorklistFilter,
)

Choice = TypeVar("Choice", bound=StrEnum)
_DEFAULT = WorklistFilter()
#: Parameters that narrow the list down, for "Clear 2 filters".
NARROWING = ("requirement", "prescriber", "mine", "band", "snoozed")


def read_filter(arguments: Mapping[str, str], known_requirements: frozenset[str]) -> WorklistFilter:
    """The filter that an address asks for. What is not understood is left out: a list that is too long harms nobody."""
    view = _one_of(View, arguments.get("view")) or _DEFAULT.view
    band = _one_of(Band, arguments.get("band"))
    requirement = arguments.get("requirement", "")
    return WorklistFilter(
        view=view,
        grouping=_one_of(Grouping, arguments.get("by")) or _DEFAULT.grouping,
        requirement=requirement if requirement and requirement in known_requirements else None,
        prescriber=_uuid(arguments.get("prescriber")),
        mine=arguments.get("mine") == "1",
        band=band if band in VIEW_BANDS[view] else None,
        snoozed=_one_of(Snoozed, arguments.get("snoozed")) or _DEFAULT.snoozed,
        sort=_one_of(Sort, arguments.get("sort")) or _DEFAULT.sort,
    )


def read_cursor(arguments: Mapping[str, str]) -> Cursor | None:
    """The place where the page begins, or None for the first page."""
    return Cursor.read(arguments.get("after")) or Cursor.read(arguments.get("before"), backwards=True)


def address_of(chosen: WorklistFilter, **changes: Any) -> dict[str, Any]:
    """The parameters of an address with some choices changed; what is as by default is left out."""
    chosen = replace(chosen, **changes)
    if chosen.band not in VIEW_BANDS[chosen.view]:
        chosen = replace(chosen, band=None)
    values: dict[str, tuple[Any, Any]] = {
        "view": (chosen.view, _DEFAULT.view),
        "by": (chosen.grouping, _DEFAULT.grouping),
        "requirement": (chosen.requirement, None),
        "prescriber": (chosen.prescriber, None),
        "mine": ("1" if chosen.mine else None, None),
        "band": (chosen.band, None),
        "snoozed": (chosen.snoozed, _DEFAULT.snoozed),
        "sort": (chosen.sort, _DEFAULT.sort),
    }
    return {name: str(value) for name, (value, default) in values.items() if value != default}


def _one_of(vocabulary: type[Choice], text: str | None) -> Choice | None:
    return vocabulary(text) if text in set(vocabulary) else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
