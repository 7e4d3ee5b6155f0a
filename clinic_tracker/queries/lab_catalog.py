"""The laboratory catalog of the package: analytes, panels and rules, with the thresholds of a clinic."""

import tomllib
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path

from clinic_tracker import domain
from clinic_tracker.domain.lab_codes import load
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.thresholds import threshold_changes, thresholds_on

FILE = Path(domain.__file__).with_name("lab_codes.toml")


def lab_catalog(_scope: Scope) -> LabCatalog:
    """Analytes, panels, units and finding rules as they come with the program; read once."""
    return _packaged()


def catalogs_by_date(scope: Scope) -> Callable[[date], LabCatalog]:
    """The catalog with the thresholds in force on a date, for as many dates as one asks for; one statement."""
    changes = threshold_changes(scope)

    def on(day: date) -> LabCatalog:
        return _with_thresholds(tuple(sorted(thresholds_on(scope, changes, day).items())))

    return on if changes else lambda _day: _packaged()


@lru_cache(maxsize=64)
def _with_thresholds(values: tuple[tuple[str, float], ...]) -> LabCatalog:
    return _packaged().with_thresholds(dict(values)) if values else _packaged()


@lru_cache(maxsize=1)
def _packaged() -> LabCatalog:
    return load(tomllib.loads(FILE.read_text(encoding="utf-8")), FILE.name)
