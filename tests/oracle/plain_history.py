"""A patient history as plain dates, read from the JSON of the file format without any checking."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class PlainCourse:
    number: int
    infusions: list[date]
    extended_to: date | None

    @property
    def first(self) -> date:
        return min(self.infusions)

    @property
    def last(self) -> date:
        return max(self.infusions)


@dataclass(frozen=True)
class PlainLab:
    test: str
    collected_on: date
    status: str
    value: float | None


@dataclass(frozen=True)
class PlainForm:
    kind: str
    submitted_on: date
    course: int | None


@dataclass(frozen=True)
class PlainHistory:
    european: bool
    has_cervix: bool
    courses: list[PlainCourse]
    labs: list[PlainLab]
    exams: list[tuple[str, date]]
    forms: list[PlainForm]
    waivers: list[tuple[str, date, date]]
    closed_on: date | None


def read_plain(history: dict[str, Any]) -> PlainHistory:
    zone = ZoneInfo(history["time_zone"])
    patient = history["patient"]
    has_cervix = patient.get("has_cervix")
    courses = [
        PlainCourse(
            course["number"],
            [
                datetime.fromisoformat(item["started_at"]).astimezone(zone).date()
                for item in course.get("infusions", [])
            ],
            _date(course.get("monitoring_extended_to")),
        )
        for course in history["courses"]
    ]
    return PlainHistory(
        european=history["protocol"] == "lemtrada-eu",
        has_cervix=patient.get("sex_at_birth") == "female" if has_cervix is None else has_cervix,
        courses=sorted(courses, key=lambda course: course.number),
        labs=[
            PlainLab(
                lab["test"],
                date.fromisoformat(lab["collected_on"]),
                lab.get("status") or "final",
                lab.get("value"),
            )
            for lab in history.get("labs", [])
        ],
        exams=[(exam["kind"], date.fromisoformat(exam["on"])) for exam in history.get("exams", [])],
        forms=[
            PlainForm(form["kind"], date.fromisoformat(form["submitted_on"]), form.get("course"))
            for form in history.get("forms", [])
        ],
        waivers=[
            (item["requirement"], date.fromisoformat(item["from_on"]), date.fromisoformat(item["to_on"]))
            for item in history.get("waivers", [])
        ],
        closed_on=_date(history.get("monitoring_closed_on")),
    )


def known_on(history: PlainHistory, as_of: date) -> PlainHistory:
    return PlainHistory(
        history.european,
        history.has_cervix,
        [
            PlainCourse(item.number, [day for day in item.infusions if day <= as_of], item.extended_to)
            for item in history.courses
        ],
        [lab for lab in history.labs if lab.collected_on <= as_of],
        [exam for exam in history.exams if exam[1] <= as_of],
        [form for form in history.forms if form.submitted_on <= as_of],
        history.waivers,
        history.closed_on if history.closed_on is not None and history.closed_on <= as_of else None,
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
