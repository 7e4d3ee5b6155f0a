"""The laboratory catalog of the package: analytes, panels and the rules that read results."""

import tomllib
from functools import lru_cache
from pathlib import Path

from clinic_tracker import domain
from clinic_tracker.domain.lab_codes import load
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.queries.scope import Scope

FILE = Path(domain.__file__).with_name("lab_codes.toml")


def lab_catalog(_scope: Scope) -> LabCatalog:
    """Analytes, panels, units and finding rules; read once."""
    return _packaged()


@lru_cache(maxsize=1)
def _packaged() -> LabCatalog:
    return load(tomllib.loads(FILE.read_text(encoding="utf-8")), FILE.name)
