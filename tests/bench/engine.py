"""How long a forecast takes, and how much longer the plain version takes for the same histories.

Two courses a year apart, 48 months of monitoring after the last, about 240 obligations and 230 results a patient.
Rounds of both versions alternate, so that a busy machine slows both; the medians are printed. The answers are compared
first.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from clinic_tracker.domain.calendar import to_date
from clinic_tracker.domain.history import History
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.domain.schedule import Forecast, forecast
from clinic_tracker.domain.slots import slot_grid
from clinic_tracker.queries.protocols import packaged_protocols
from tests.oracle.plain_history import PlainHistory, read_plain
from tests.oracle.plain_schedule import PlainForecast, plain_forecast

PATIENTS = 20
ROUNDS = 21
TARGET_MICROSECONDS = 100
TARGET_RATIO = 30


def full_history(seed: int) -> dict[str, Any]:
    """A patient who came for nearly everything for five years, each patient on other dates."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    first = date(2015, 1, 1) + timedelta(days=rng.randint(0, 2000))
    second = first + relativedelta(months=12) + timedelta(days=rng.randint(5, 20))
    last_days = [first + timedelta(days=4), second + timedelta(days=2)]
    draws: list[dict[str, Any]] = []
    for last, months in zip(last_days, (12, 48), strict=True):
        for month in range(1, months + 1):
            day = (last + relativedelta(months=month) + timedelta(days=rng.randint(-9, 15))).isoformat()
            tests = ["cbc_diff", "creatinine", "urinalysis_cells"]
            if month % 3 == 0:
                tests += ["tsh", "liver_panel"]
            if month % 3 == 1:
                draws.append({"test": "cd4", "collected_on": day, "value": 15 * month})
            draws += [{"test": test, "collected_on": day, "status": "final"} for test in tests if rng.random() < 0.97]
    rng.shuffle(draws)
    return {
        "protocol": "lemtrada-us",
        "time_zone": "America/New_York",
        "patient": {"sex_at_birth": "female"},
        "courses": [
            {"number": number, "infusions": [_infusion(start + timedelta(days=day)) for day in range(days)]}
            for number, start, days in ((1, first, 5), (2, second, 3))
        ],
        "labs": draws,
        "exams": [
            {"kind": kind, "on": (first + timedelta(days=350 * year - rng.randint(0, 40))).isoformat()}
            for kind in ("skin_exam", "hpv_screen")
            for year in range(6)
        ],
        "forms": [
            {"kind": "infusion_checklist", "course": number, "submitted_on": (last + timedelta(days=4)).isoformat()}
            for number, last in enumerate(last_days, start=1)
        ]
        + [
            {
                "kind": "patient_status_form",
                "submitted_on": (
                    first + relativedelta(months=6 * count) - timedelta(days=rng.randint(0, 20))
                ).isoformat(),
            }
            for count in range(1, 10)
        ],
    }


def _infusion(day: date) -> dict[str, str]:
    return {"started_at": f"{day.isoformat()}T14:05+00:00"}


def same(fast: Forecast, plain: PlainForecast) -> bool:
    """Whether both versions say the same of a patient."""
    one = [
        (
            item.requirement,
            item.slot,
            _date(item.opens),
            _date(item.due),
            _date(item.closes),
            _date(item.done),
            item.waived,
        )
        for item in fast.obligations
    ]
    other = [
        (item.requirement, item.slot, item.opens_on, item.due_on, item.closes_on, item.done_on, item.waived)
        for item in plain.obligations
    ]
    standings = [
        (row.requirement, _date(row.opens), _date(row.next_due), _date(row.last_done)) for row in fast.standings
    ]
    rows = [(row.requirement, row.opens_on, row.next_due_on, row.last_done_on) for row in plain.standings]
    stop = fast.prophylaxis.earliest_stop if fast.prophylaxis else None
    return one == other and standings == rows and _date(stop) == plain.earliest_stop_on


def microseconds(run: Callable[[], object], patients: int) -> float:
    """Processor time for a patient in one round; time in which the machine did something else is not counted."""
    began = time.process_time()
    run()
    return (time.process_time() - began) / patients * 1e6


def main() -> int:
    """Print the times and their ratio; 1 if they are worse than promised."""
    protocol = packaged_protocols()["lemtrada-us"]
    files = [full_history(seed) for seed in range(PATIENTS)]
    histories: list[History] = [read_history(file) for file in files]
    plain_histories: list[PlainHistory] = [read_plain(file) for file in files]
    for history, plain in zip(histories, plain_histories, strict=True):
        if not same(forecast(history, protocol), plain_forecast(plain)):
            print("The two versions differ.")
            return 1

    def fast_version() -> None:
        for item in histories:
            forecast(item, protocol)

    def plain_version() -> None:
        for item in plain_histories:
            plain_forecast(item)

    first_times, fast_times, plain_times = [], [], []
    for _ in range(ROUNDS):
        slot_grid.cache_clear()
        first_times.append(microseconds(fast_version, PATIENTS))
        fast_times += [microseconds(fast_version, PATIENTS) for _ in range(5)]
        plain_times.append(microseconds(plain_version, PATIENTS))
    first, fast, slow = map(statistics.median, (first_times, fast_times, plain_times))
    obligations = statistics.mean(len(forecast(item, protocol).obligations) for item in histories)
    results = statistics.mean(len(item.labs) for item in histories)
    print(f"{PATIENTS} patients, on average {obligations:.0f} obligations and {results:.0f} results; same answers.")
    print(f"forecast               {fast:8.1f} microseconds a patient (at most {TARGET_MICROSECONDS})")
    print(f"first of a patient     {first:8.1f} microseconds, before the dates of his slots are cached")
    print(f"plain version          {slow:8.1f} microseconds a patient")
    print(f"ratio                  {slow / fast:8.1f} (at least {TARGET_RATIO})")
    return 0 if fast <= TARGET_MICROSECONDS and slow >= TARGET_RATIO * fast else 1


def _date(day: int | None) -> date | None:
    return None if day is None else to_date(day)


if __name__ == "__main__":
    sys.exit(main())
