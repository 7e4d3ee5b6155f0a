"""Random patient histories in the JSON of the file format.

``random_history(seed)`` gives plausible ones, as a clinic would have them; ``histories()`` gives hypothesis whatever
the format allows, with month ends, leap days, gaps in monitoring, corrections and duplicates.
"""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from hypothesis import strategies as st

Json = dict[str, Any]

ZONES = ("America/New_York", "America/Chicago", "Pacific/Honolulu", "Europe/London", "Asia/Kolkata")
MONTHLY = ("cbc_diff", "creatinine", "urinalysis_cells")
QUARTERLY = ("tsh", "liver_panel")
REQUIREMENTS = (*MONTHLY, *QUARTERLY, "skin_exam", "hpv_screen", "infusion_checklist", "patient_status_form")
STATUSES = ("final", "corrected", "preliminary", "cancelled", "entered_in_error")


def random_history(seed: int, latest: date = date(2026, 11, 1)) -> Json:
    """A plausible history, the same for the same seed, with no fact dated after ``latest``."""
    return _Patient(random.Random(seed), latest).history()  # noqa: S311 - not for secrets


class _Patient:
    """Somebody treated at random, who comes more or less regularly."""

    def __init__(self, rng: random.Random, latest: date) -> None:
        self.rng = rng
        self.latest = latest
        self.zone = ZoneInfo(rng.choice(ZONES))
        self.start = latest - timedelta(days=rng.randint(0, 365 * 9))
        self.regularity = rng.choice((0.98, 0.95, 0.85, 0.6, 0.2))
        self.first_days: list[date] = []
        self.last_days: list[date] = []

    def history(self) -> Json:
        rng = self.rng
        sex = rng.choice(("female", "female", "male", "unknown"))
        courses = self._courses()
        history: Json = {
            "protocol": "lemtrada-eu" if rng.random() < 0.2 else "lemtrada-us",
            "time_zone": self.zone.key,
            "patient": {"sex_at_birth": sex},
            "courses": courses,
            "labs": self._labs(),
            "exams": self._exams(),
            "forms": self._forms(),
            "waivers": self._waivers(),
        }
        if rng.random() < 0.2:
            history["patient"]["has_cervix"] = rng.random() < 0.5
        if self.last_days and rng.random() < 0.1:
            self._keep(history, "monitoring_closed_on", self.last_days[-1] + relativedelta(months=rng.randint(1, 50)))
        for name in ("labs", "exams", "forms"):
            rng.shuffle(history[name])
        return history

    def _keep(self, target: Json, name: str, day: date) -> None:
        if day <= self.latest:
            target[name] = day.isoformat()

    def _courses(self) -> list[Json]:
        rng, courses, first = self.rng, [], self.start
        for number in range(1, rng.choice((1, 1, 2, 2, 2, 3, 4)) + 1):
            days = 5 if number == 1 else 3
            given = days if rng.random() < 0.9 else rng.randint(1, days)
            dates = [first + timedelta(days=day) for day in range(given)]
            if given > 1 and rng.random() < 0.1:  # interrupted, resumed some days later
                dates[-1] += timedelta(days=rng.randint(1, 20))
            infusions = [self._infusion(day) for day in dates if day <= self.latest]
            if not infusions:
                if rng.random() < 0.5:
                    courses.append({"number": number})  # planned
                break
            course: Json = {"number": number, "infusions": infusions}
            self.first_days.append(first)
            self.last_days.append(max(day for day in dates if day <= self.latest))
            if rng.random() < 0.1:
                months = rng.randint(40, 70)
                course["monitoring_extended_to"] = (self.last_days[-1] + relativedelta(months=months)).isoformat()
            courses.append(course)
            months = rng.choice((12, 12, 13, 15, 18, 24, 11, 56))
            first = self.last_days[-1] + relativedelta(months=months) + timedelta(days=rng.randint(0, 20))
        return courses

    def _infusion(self, day: date) -> Json:
        started = datetime(
            day.year, day.month, day.day, self.rng.randint(8, 14), self.rng.choice((0, 5, 30)), tzinfo=UTC
        )
        started = started.replace(tzinfo=self.zone)
        ended = started.astimezone(UTC) + timedelta(minutes=self.rng.randint(230, 330))
        infusion = {"started_at": started.isoformat(timespec="minutes")}
        if self.rng.random() < 0.8:
            infusion["ended_at"] = ended.astimezone(self.zone).isoformat(timespec="minutes")
        return infusion

    def _labs(self) -> list[Json]:
        labs: list[Json] = []
        for first, last in zip(self.first_days, self.last_days, strict=True):
            baseline = first - timedelta(days=self.rng.randint(1, 28))
            labs += [self._lab(test, baseline) for test in (*MONTHLY, *QUARTERLY)]
            position = self.last_days.index(last)
            until = self.first_days[position + 1] if position + 1 < len(self.first_days) else self.latest
            for month in range(1, 60):
                day = last + relativedelta(months=month) + timedelta(days=self.rng.randint(-14, 18))
                if day >= until:
                    break
                labs += self._visit(day, month)
        return [lab for lab in labs if lab["collected_on"] <= self.latest.isoformat()]

    def _visit(self, day: date, month: int) -> list[Json]:
        rng, labs = self.rng, []
        if rng.random() > self.regularity:
            return labs
        labs += [self._lab(test, day) for test in MONTHLY if rng.random() < 0.97]
        if month % 3 == 0 or rng.random() < 0.1:
            labs += [self._lab(test, day) for test in QUARTERLY]
        if month < 18 and rng.random() < 0.5:
            labs.append(self._lab("cd4", day) | {"value": min(900, 20 * month + rng.randint(0, 120))})
        if rng.random() < 0.05:
            labs.append(self._lab("dipstick", day))
        if rng.random() < 0.05:
            labs.append(labs[0] | {"status": "corrected"})
        return labs

    def _lab(self, test: str, day: date) -> Json:
        lab: Json = {"test": test, "collected_on": day.isoformat()}
        chance = self.rng.random()
        if chance < 0.3:
            lab["status"] = "final"
        elif chance < 0.34:
            lab["status"] = self.rng.choice(STATUSES)
        return lab

    def _exams(self) -> list[Json]:
        exams = []
        for kind in ("skin_exam", "hpv_screen"):
            day = self.start - timedelta(days=self.rng.randint(0, 400))
            while day <= self.latest:
                if self.rng.random() < self.regularity:
                    exams.append({"kind": kind, "on": day.isoformat()})
                day += timedelta(days=self.rng.randint(280, 420))
        return exams

    def _forms(self) -> list[Json]:
        rng, forms = self.rng, []
        for position, last in enumerate(self.last_days):
            day = last + timedelta(days=rng.randint(0, 12))
            if day <= self.latest and rng.random() < 0.9:
                forms.append({"kind": "infusion_checklist", "course": position + 1, "submitted_on": day.isoformat()})
        day = self.start + relativedelta(months=6) - timedelta(days=20)
        while day <= self.latest:
            if rng.random() < self.regularity:
                forms.append({"kind": "patient_status_form", "submitted_on": day.isoformat()})
            day += timedelta(days=rng.randint(160, 205))
        return forms

    def _waivers(self) -> list[Json]:
        if self.rng.random() > 0.25:
            return []
        first = self.start + timedelta(days=self.rng.randint(0, 1500))
        last = first + timedelta(days=self.rng.randint(10, 300))
        requirement = self.rng.choice(REQUIREMENTS)
        return [{"requirement": requirement, "from_on": first.isoformat(), "to_on": last.isoformat()}]


# ------------------------------------------------------------------------------------------------ for hypothesis

_ends_of_months = st.sampled_from(
    [date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 29), date(2020, 2, 29), date(2023, 2, 28), date(2021, 11, 30)]
)
_starts = _ends_of_months | st.dates(date(1990, 1, 1), date(2150, 12, 31))
_DAYS = st.integers(-500, 3600)


@st.composite
def histories(draw: st.DrawFn) -> Json:
    """Any history of the file format whose first course starts between 1990 and 2150."""
    start = draw(_starts)

    def some_day() -> str:
        return (start + timedelta(days=draw(_DAYS))).isoformat()

    labs = [
        {
            "test": draw(st.sampled_from((*MONTHLY, *QUARTERLY, "cd4", "dipstick"))),
            "collected_on": some_day(),
            "status": draw(st.sampled_from((None, *STATUSES))),
            "value": draw(st.none() | st.integers(0, 400)),
        }
        for _ in range(draw(st.integers(0, 12)))
    ]
    kinds = st.sampled_from(("skin_exam", "hpv_screen"))
    history: Json = {
        "protocol": draw(st.sampled_from(("lemtrada-us", "lemtrada-us", "lemtrada-eu"))),
        "time_zone": draw(st.sampled_from(ZONES)),
        "patient": {"sex_at_birth": draw(st.sampled_from(("female", "male", "unknown", None)))},
        "courses": _some_courses(draw, start),
        "labs": labs + _regular_labs(draw, start),
        "exams": [{"kind": draw(kinds), "on": some_day()} for _ in range(draw(st.integers(0, 8)))],
        "forms": [_some_form(draw, some_day()) for _ in range(draw(st.integers(0, 8)))],
        "waivers": [],
        "monitoring_closed_on": draw(st.none() | st.just(some_day())),
    }
    for _ in range(draw(st.integers(0, 3))):
        first = start + timedelta(days=draw(_DAYS))
        last = first + timedelta(days=draw(st.integers(0, 500)))
        requirement = draw(st.sampled_from(REQUIREMENTS))
        waiver = {"requirement": requirement, "from_on": first.isoformat(), "to_on": last.isoformat()}
        history["waivers"].append(waiver)
    return history


def _some_courses(draw: st.DrawFn, start: date) -> list[Json]:
    courses, number, first = [], 0, start
    for _ in range(draw(st.integers(0, 4))):
        number += draw(st.sampled_from((1, 1, 1, 2, 9)))
        offsets = draw(st.lists(st.integers(0, 6) | st.integers(0, 120), max_size=5, unique=True))
        days = [first + timedelta(days=offset) for offset in offsets]
        extension = draw(st.none() | st.none() | st.integers(30, 3000))
        courses.append(
            {
                "number": number,
                "infusions": [{"started_at": f"{day.isoformat()}T17:05+00:00"} for day in days],
                "monitoring_extended_to": extension and (first + timedelta(days=extension)).isoformat(),
            }
        )
        # Far enough for every time zone to see a later date.
        gap = draw(st.integers(2, 20) | st.integers(300, 500) | st.integers(1400, 2400))
        first = max([first, *days]) + timedelta(days=gap)
    return courses


def _regular_labs(draw: st.DrawFn, start: date) -> list[Json]:
    """Draws every so many days, so that long schedules are not all missed."""
    test = draw(st.sampled_from((*MONTHLY, *QUARTERLY)))
    every = draw(st.sampled_from((14, 28, 31, 60, 95)))
    offset = draw(st.integers(0, 60))
    days = (start + timedelta(days=offset + every * count) for count in range(draw(st.integers(0, 40))))
    return [{"test": test, "collected_on": day.isoformat()} for day in days]


def _some_form(draw: st.DrawFn, day: str) -> Json:
    if draw(st.booleans()):
        return {"kind": "patient_status_form", "submitted_on": day}
    return {"kind": "infusion_checklist", "submitted_on": day, "course": draw(st.integers(1, 6))}


@st.composite
def histories_as_of(draw: st.DrawFn) -> tuple[Json, date]:
    """A history and a date to ask about, anywhere from before the first course to after the end of monitoring."""
    history = draw(histories())
    started = [item["started_at"][:10] for course in history["courses"] for item in course["infusions"]]
    first = date.fromisoformat(min(started)) if started else date(2024, 1, 1)
    return history, first + timedelta(days=draw(st.integers(-30, 4500)))
