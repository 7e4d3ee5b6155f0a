"""The protocols that come with the program, and the holidays their business days leave out."""

import tomllib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from importlib.resources import files

from holidays.countries.united_states import UnitedStates

from clinic_tracker.domain.protocol import Protocol, load

_FILES = ("lemtrada_us.toml", "lemtrada_eu.toml")
_FIRST_YEAR, _LAST_YEAR = 1900, 2204  # the dates a history may hold, and the end of monitoring after the last of them


class _FederalHolidays(UnitedStates):
    """The package's federal holidays, continued: it ends in 2100, which is no reason for a deadline to move."""

    end_year = _LAST_YEAR


@lru_cache(maxsize=1)
def us_federal_holidays() -> frozenset[int]:
    """US federal holidays with their observed days, as days."""
    holidays: Iterable[date] = _FederalHolidays(years=range(_FIRST_YEAR, _LAST_YEAR + 1))  # type: ignore[no-untyped-call]
    return frozenset(day.toordinal() for day in holidays)


@lru_cache(maxsize=1)
def packaged_protocols() -> dict[str, Protocol]:
    """The packaged protocols by id, with the settings of their files. Read and validated once."""
    folder = files("clinic_tracker.domain") / "protocols"
    calendars = {"us-federal": us_federal_holidays()}
    loaded = (load(tomllib.loads((folder / name).read_text("utf-8")), name, calendars) for name in _FILES)
    return {protocol.id: protocol for protocol in loaded}
