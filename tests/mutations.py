"""Histories spoiled at random places: wrong types, huge numbers, odd texts, missing and unknown keys."""

import copy
import json
import random
from typing import Any

JsonPath = tuple[str | int, ...]

WHOLE: dict[str, Any] = {
    "identity": {"mrn": "77", "family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"},
    "protocol": "lemtrada-us",
    "time_zone": "America/New_York",
    "patient": {"sex_at_birth": "female", "has_cervix": True},
    "courses": [
        {
            "number": 1,
            "infusions": [
                {
                    "started_at": "2024-11-04T09:05-05:00",
                    "ended_at": "2024-11-04T13:10-05:00",
                    "pauses": [{"paused_at": "2024-11-04T10:12-05:00", "resumed_at": "2024-11-04T10:30-05:00"}],
                },
                {"started_at": "2024-11-05T09:05-05:00"},
            ],
            "monitoring_extended_to": "2030-01-01",
        },
        {"number": 2, "infusions": [{"started_at": "2025-12-08T09:05-05:00"}]},
    ],
    "labs": [
        {"test": "cbc_diff", "collected_on": "2024-12-03", "status": "final", "value": None},
        {"test": "cd4", "collected_on": "2025-06-03", "value": 250},
    ],
    "exams": [{"kind": "skin_exam", "on": "2024-10-15"}],
    "forms": [
        {"kind": "patient_status_form", "submitted_on": "2025-05-01"},
        {"kind": "infusion_checklist", "course": 1, "submitted_on": "2024-11-06"},
    ],
    "waivers": [{"requirement": "tsh", "from_on": "2025-01-01", "to_on": "2025-03-31"}],
    "monitoring_closed_on": None,
}

_DIGITS = "thousands of digits"  # stands for a number that Python itself would not write
_JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, 2**31 - 1, 2**31, 2**63, 10**30, 10**400, -(10**400), _DIGITS),
    *(
        float("nan"),
        float("inf"),
        "",
        " ",
        "x",
        "a\0b",
        "\ud800",
        "a\nb",
        "\x1b[31m",
        "\u2028",
        "x" * 5000,
        "٢٠٢٥-11-03",
    ),
    *("1899-12-31", "1900-01-01", "2199-12-31", "2200-01-01", "2025-02-30", "2025-12-03", "1950-05-16", "2030-01-01"),
    *("0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "2199-12-31T23:59-12:00", "2025-11-03T09:05Z"),
    *("localtime", "right/UTC", "UTC", "Africa/Monrovia", "lemtrada-eu", "cd4", "corrected", "entered_in_error"),
    *([], {}, [[]], [None], [5], [{}], {"": 1}, {"a\nb": 1}, {"\ud800": 1}, {"from": 1}),
)


def mutated(rng: random.Random, most: int = 3) -> str:
    """The text of a whole history with some changes; the same for the same state of ``rng``."""
    history = copy.deepcopy(WHOLE)
    for _ in range(rng.randint(1, most)):
        _change(history, rng)
    return json.dumps(history).replace(f'"{_DIGITS}"', "9" * 5000)


def _change(history: dict[str, Any], rng: random.Random) -> None:
    *steps, last = rng.choice(_paths(history))
    place: Any = history
    for step in steps:
        place = place[step]
    kind = rng.random()
    if kind < 0.15:
        del place[last]
    elif kind < 0.25 and isinstance(place, dict):
        place[rng.choice(("color", "", "a\nb", "\ud800", "course", "identity", "pauses"))] = rng.choice(_JUNK)
    elif kind < 0.35 and isinstance(place, list):
        place.append(copy.deepcopy(rng.choice(place)))
    else:
        place[last] = copy.deepcopy(rng.choice(_JUNK))


def _paths(value: Any, here: JsonPath = ()) -> list[JsonPath]:
    """Every place inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [here] if here else []
    for key, inner in items:
        found += _paths(inner, (*here, key))
    return found
