"""The schedule once more, as plainly as it can be written: calendar dates, relativedelta, dataclasses, rule by rule.

It shares no code with the engine. The engine must agree with it on every history (tests/domain/test_oracle.py) and be
many times faster (tests/bench).
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from tests.oracle.plain_history import PlainCourse, PlainHistory, PlainLab, known_on, read_plain
from tests.oracle.plain_holidays import federal_holidays

DAY = timedelta(days=1)
MONTHLY_US = ["cbc_diff", "creatinine", "urinalysis_cells"]
QUARTERLY_US = ["liver_panel", "tsh"]
MONTHLY_EU = ["cbc_diff", "creatinine", "liver_panel", "urinalysis_cells"]
QUARTERLY_EU = ["tsh"]


@dataclass(frozen=True)
class PlainObligation:
    requirement: str
    slot: str
    opens_on: date
    due_on: date
    closes_on: date | None
    done_on: date | None
    waived: bool


@dataclass(frozen=True)
class PlainStanding:
    requirement: str
    opens_on: date | None
    next_due_on: date | None
    last_done_on: date | None
    left: list[PlainObligation]


@dataclass(frozen=True)
class PlainForecast:
    obligations: list[PlainObligation] = field(default_factory=list)
    standings: list[PlainStanding] = field(default_factory=list)
    last_infusion_on: date | None = None
    monitoring_ends_on: date | None = None
    next_course_earliest_on: date | None = None
    minimum_until: date | None = None
    earliest_stop_on: date | None = None
    closed: bool = False


# ------------------------------------------------------------------------------------------------ the forecast


def plain_forecast(history: PlainHistory) -> PlainForecast:
    given = [course for course in history.courses if course.infusions]
    if not given:
        return PlainForecast()
    monthly, quarterly = (MONTHLY_EU, QUARTERLY_EU) if history.european else (MONTHLY_US, QUARTERLY_US)
    found: dict[str, list[PlainObligation]] = {}
    for test in monthly:
        found[test] = _slots(history, given, test, 1, 10, "M")
    for test in quarterly:
        found[test] = _slots(history, given, test, 3, 21, "Q")
    if not history.european:
        found["infusion_checklist"] = _checklists(history, given)
        found["patient_status_form"] = _status_forms(history, given)
    found["skin_exam"] = _exams(history, given, "skin_exam")
    if history.has_cervix:
        found["hpv_screen"] = _exams(history, given, "hpv_screen")
    obligations = [item for items in found.values() for item in items]
    obligations.sort(key=lambda item: (item.requirement, item.due_on, item.slot))
    last = given[-1].last
    closed = history.closed_on is not None and history.closed_on >= given[-1].first
    minimum_until = last + relativedelta(months=1 if history.european else 2)
    return PlainForecast(
        obligations,
        [
            _standing(history, given, obligations, requirement, closed)
            for requirement in sorted(found)
            if found[requirement]
        ],
        last,
        _end_of(given, len(given) - 1),
        last + relativedelta(months=12),
        minimum_until,
        minimum_until if history.european else _earliest_stop(history, last, minimum_until),
        closed,
    )


def _end_of(given: list[PlainCourse], index: int) -> date:
    ends = [given[index].last + relativedelta(months=48)]
    ends += [course.extended_to for course in given[: index + 1] if course.extended_to is not None]
    return max(ends)


def _valid_draws(history: PlainHistory, test: str) -> list[PlainLab]:
    entries = [lab for lab in history.labs if lab.test == test]
    corrected_on = {lab.collected_on for lab in entries if lab.status == "corrected"}
    return [
        lab
        for lab in entries
        if (lab.status == "corrected" or (lab.status == "final" and lab.collected_on not in corrected_on))
        and (test != "cd4" or lab.value is not None)
    ]


def _slots(
    history: PlainHistory, given: list[PlainCourse], test: str, step: int, early: int, letter: str
) -> list[PlainObligation]:
    draws = sorted({lab.collected_on for lab in _valid_draws(history, test)})
    found = []
    for index, course in enumerate(given):
        further = given[index + 1].first if index + 1 < len(given) else None
        end = _end_of(given, index)
        k = 1
        while True:
            due = course.last + relativedelta(months=step * k)
            if due > end or (further is not None and due >= further):
                break
            next_due = course.last + relativedelta(months=step * (k + 1))
            opens = due - early * DAY
            closes = next_due - early * DAY - DAY
            if further is not None:
                if next_due >= further and next_due <= end:
                    closes = further - DAY
                closes = min(closes, further - DAY)
            done = next((day for day in draws if opens <= day <= closes), None)
            slot = f"C{course.number}{letter}{k}"
            found.append(PlainObligation(test, slot, opens, due, closes, done, _waived(history, test, due)))
            k += 1
    return found


def _checklists(history: PlainHistory, given: list[PlainCourse]) -> list[PlainObligation]:
    found = []
    for course in given:
        due = course.last
        business_days = 0
        while business_days < 5:
            due += DAY
            if due.weekday() < 5 and due not in federal_holidays(due.year):
                business_days += 1
        submissions = sorted(
            form.submitted_on
            for form in history.forms
            if form.kind == "infusion_checklist" and form.course == course.number and form.submitted_on >= course.last
        )
        done = submissions[0] if submissions else None
        waived = _waived(history, "infusion_checklist", due)
        found.append(PlainObligation("infusion_checklist", f"C{course.number}", course.last, due, None, done, waived))
    return found


def _status_forms(history: PlainHistory, given: list[PlainCourse]) -> list[PlainObligation]:
    due_dates = {}
    k = 1
    while (due := given[0].first + relativedelta(months=6 * k)) <= _end_of(given, len(given) - 1):
        if not _in_gap(given, due):
            due_dates[k] = due
        k += 1
    done: dict[int, date] = {}
    for day in sorted(form.submitted_on for form in history.forms if form.kind == "patient_status_form"):
        for k, due in due_dates.items():
            if k not in done and not _waived(history, "patient_status_form", due) and due - 30 * DAY <= day:
                done[k] = day
                break
    return [
        PlainObligation(
            "patient_status_form",
            f"PSF{k}",
            due - 30 * DAY,
            due,
            None,
            done.get(k),
            _waived(history, "patient_status_form", due),
        )
        for k, due in due_dates.items()
    ]


def _exams(history: PlainHistory, given: list[PlainCourse], kind: str) -> list[PlainObligation]:
    start, end = given[0].first, _end_of(given, len(given) - 1)
    days = sorted({day for name, day in history.exams if name == kind})
    before = [day for day in days if day <= start]
    later = [day for day in days if day > start]
    due = start
    if before:
        due = max(start, before[-1] + relativedelta(months=12))
    due = _after_gap(given, due)
    found = []
    while due <= end:
        waived = _waived(history, kind, due)
        next_if_waived = due + relativedelta(months=12)
        done = None
        if later and (not waived or later[0] < next_if_waived - 60 * DAY):
            done = later.pop(0)
        found.append(PlainObligation(kind, f"Y{len(found) + 1}", due - 60 * DAY, due, None, done, waived))
        if done is not None:
            due = _after_gap(given, done + relativedelta(months=12))
        elif waived:
            due = _after_gap(given, next_if_waived)
        else:
            break
    return found


def _earliest_stop(history: PlainHistory, last: date, minimum_until: date) -> date | None:
    days = [
        lab.collected_on
        for lab in _valid_draws(history, "cd4")
        if lab.collected_on > last and lab.value is not None and lab.value >= 200
    ]
    return max(min(days), minimum_until) if days else None


def _standing(
    history: PlainHistory,
    given: list[PlainCourse],
    obligations: list[PlainObligation],
    requirement: str,
    closed: bool,
) -> PlainStanding:
    left = [item for item in obligations if item.requirement == requirement]
    left = [item for item in left if item.done_on is None and not item.waived]
    if requirement == "patient_status_form":
        evidence = [form.submitted_on for form in history.forms if form.kind == requirement]
    elif requirement == "infusion_checklist":
        numbers = [course.number for course in given]
        evidence = [form.submitted_on for form in history.forms if form.kind == requirement and form.course in numbers]
    else:
        if requirement in ("skin_exam", "hpv_screen"):
            evidence = [day for kind, day in history.exams if kind == requirement]
        else:
            evidence = [lab.collected_on for lab in _valid_draws(history, requirement)]
        if evidence:
            left = [item for item in left if item.due_on > max(evidence)]
    last_done = max(evidence) if evidence else None
    if closed or not left:
        return PlainStanding(requirement, None, None, last_done, [])
    return PlainStanding(requirement, left[0].opens_on, left[0].due_on, last_done, left)


def _waived(history: PlainHistory, requirement: str, due: date) -> bool:
    return any(code == requirement and first <= due <= last for code, first, last in history.waivers)


def _in_gap(given: list[PlainCourse], due: date) -> bool:
    return any(_end_of(given, index) < due < given[index + 1].first for index in range(len(given) - 1))


def _after_gap(given: list[PlainCourse], due: date) -> date:
    for index in range(len(given) - 1):
        if _end_of(given, index) < due < given[index + 1].first:
            return given[index + 1].first
    return due


# ------------------------------------------------------------------------------------------------ the answer


def plain_answer(history: dict[str, Any], as_of: date) -> dict[str, Any]:
    """The answer of the file format for one history object."""
    known = plain_forecast(known_on(read_plain(history), as_of))
    nothing_open = all(
        _status(item, as_of) not in ("due", "overdue")
        for item in known.obligations
        if item.requirement in MONTHLY_US + QUARTERLY_US
    )
    return {
        "as_of": as_of.isoformat(),
        "last_infusion_on": _iso(known.last_infusion_on),
        "monitoring_ends_on": _iso(known.monitoring_ends_on),
        "monitoring_complete": known.monitoring_ends_on is not None
        and as_of > known.monitoring_ends_on
        and nothing_open,
        "next_course_earliest_on": _iso(known.next_course_earliest_on),
        "prophylaxis": known.minimum_until
        and {
            "minimum_until": known.minimum_until.isoformat(),
            "earliest_stop_on": _iso(known.earliest_stop_on),
            "may_stop": known.earliest_stop_on is not None and known.earliest_stop_on <= as_of,
        },
        "standings": [_standing_row(item, known.closed, as_of) for item in known.standings],
        "obligations": [_obligation_row(item, as_of) for item in known.obligations],
    }


def _standing_row(standing: PlainStanding, closed: bool, as_of: date) -> dict[str, Any]:
    if closed:
        state = "closed"
    elif standing.next_due_on is None:
        state = "complete"
    elif as_of > standing.next_due_on:
        state = "overdue"
    else:
        state = "due" if as_of >= standing.left[0].opens_on else "up_to_date"
    return {
        "requirement": standing.requirement,
        "state": state,
        "opens_on": _iso(standing.opens_on),
        "next_due_on": _iso(standing.next_due_on),
        "missed_in_a_row": len([item for item in standing.left if _status(item, as_of) == "missed"]),
        "last_done_on": _iso(standing.last_done_on),
    }


def _obligation_row(item: PlainObligation, as_of: date) -> dict[str, Any]:
    status = _status(item, as_of)
    late = None
    if status == "done" and item.done_on is not None:
        late = max(0, (item.done_on - item.due_on).days)
    if status == "overdue":
        late = (as_of - item.due_on).days
    return {
        "requirement": item.requirement,
        "slot": item.slot,
        "opens_on": item.opens_on.isoformat(),
        "due_on": item.due_on.isoformat(),
        "closes_on": _iso(item.closes_on),
        "status": status,
        "done_on": _iso(item.done_on),
        "days_late": late,
    }


def _status(item: PlainObligation, as_of: date) -> str:
    if item.done_on is not None:
        return "done"
    if item.waived:
        return "waived"
    if as_of < item.opens_on:
        return "upcoming"
    if as_of <= item.due_on:
        return "due"
    if item.closes_on is None or as_of <= item.closes_on:
        return "overdue"
    return "missed"


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
