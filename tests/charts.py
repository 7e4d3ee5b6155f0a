"""Short ways to write a history in tests of the engine."""

from typing import Any

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.calendar import day_of
from clinic_tracker.domain.history import History
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.queries.protocols import packaged_protocols

Json = dict[str, Any]


def chart(*courses: list[str], protocol: str = "lemtrada-us", sex: str = "male", **lists: Any) -> Json:
    """The JSON of a history. Each course is its infusion dates; an item "until DATE" extends monitoring."""
    rows = []
    for number, dates in enumerate(courses, start=1):
        extended = [text.removeprefix("until ") for text in dates if text.startswith("until ")]
        infusions = [{"started_at": f"{text}T12:00+00:00"} for text in dates if not text.startswith("until ")]
        rows.append(
            {
                "number": number,
                "infusions": infusions,
                "monitoring_extended_to": extended[0] if extended else None,
            }
        )
    return {
        "protocol": protocol,
        "time_zone": "Europe/London",
        "patient": {"sex_at_birth": sex},
        "courses": rows,
        **lists,
    }


def draws(test: str, *dates: str, **more: Any) -> list[Json]:
    return [{"test": test, "collected_on": text, **more} for text in dates]


def exams(kind: str, *dates: str) -> list[Json]:
    return [{"kind": kind, "on": text} for text in dates]


def status_forms(*dates: str) -> list[Json]:
    return [{"kind": "patient_status_form", "submitted_on": text} for text in dates]


def checklist(course: int, text: str) -> Json:
    return {"kind": "infusion_checklist", "course": course, "submitted_on": text}


def waiver(requirement: str, first: str, last: str) -> Json:
    return {"requirement": requirement, "from_on": first, "to_on": last}


def facts(history: Json) -> tuple[History, Protocol]:
    """The history as the engine reads it, and its protocol."""
    read = read_history(history)
    return read, packaged_protocols()[read.protocol]


def answer_on(history: Json, as_of: str) -> Json:
    """The whole answer."""
    read, protocol = facts(history)
    return answer(read, protocol, day_of(as_of))


def slots(history: Json, requirement: str, as_of: str) -> list[Json]:
    """The obligations of one requirement."""
    return [item for item in answer_on(history, as_of)["obligations"] if item["requirement"] == requirement]


def slot(history: Json, requirement: str, name: str, as_of: str) -> Json:
    return next(item for item in slots(history, requirement, as_of) if item["slot"] == name)


def standing(history: Json, requirement: str, as_of: str) -> Json:
    return next(item for item in answer_on(history, as_of)["standings"] if item["requirement"] == requirement)
