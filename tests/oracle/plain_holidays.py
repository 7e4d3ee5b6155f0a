"""The federal holidays from their definitions."""

from datetime import date, timedelta

from dateutil.relativedelta import MO, TH, relativedelta

DAY = timedelta(days=1)


def federal_holidays(year: int) -> set[date]:
    """The federal holidays since 1986, on the days on which they are observed."""
    new_year, next_new_year = date(year, 1, 1), date(year + 1, 1, 1)
    fixed = [new_year, next_new_year, date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    if year >= 2021:
        fixed.append(date(year, 6, 19))
    shift = {5: -DAY, 6: DAY}
    observed = {day + shift.get(day.weekday(), 0 * DAY) for day in fixed}
    return observed | {
        new_year + relativedelta(weekday=MO(3)),
        date(year, 2, 1) + relativedelta(weekday=MO(3)),
        date(year, 5, 31) + relativedelta(weekday=MO(-1)),
        date(year, 9, 1) + relativedelta(weekday=MO(1)),
        date(year, 10, 1) + relativedelta(weekday=MO(2)),
        date(year, 11, 1) + relativedelta(weekday=TH(4)),
    }
