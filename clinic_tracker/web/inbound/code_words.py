"""What a laboratory's code may mean here, as one list to choose from, and in words."""

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.screening import EXAM_TYPES, exam_title
from clinic_tracker.domain.table_mapping import plain
from clinic_tracker.domain.vocabulary import LocalCodeKind, Panel
from clinic_tracker.web.labs.forms import PANELS

_IGNORED = "Nothing that is followed here: leave it out"


def meanings(catalog: LabCatalog, *, is_unit: bool) -> list[tuple[str, str]]:
    """Every meaning of a code, or of a unit, with its words."""
    if is_unit:
        return [(f"unit:{unit.code}", f"{unit.shown} ({unit.code})") for unit in catalog.units.values()]
    found = [("ignored:", _IGNORED)]
    for panel in PANELS:
        title = panel_title(catalog, panel)
        found += [(f"analyte:{one.code}", f"{title}: {one.title}") for one in catalog.panel_analytes(panel)]
        found.append((f"panel:{panel.value}", f"{title}: the whole panel, without a value"))
    return found + [(f"exam:{kind.value}", f"Exam: {exam_title(kind.value)}") for kind in EXAM_TYPES]


def named_alike(catalog: LabCatalog, words: str) -> str:
    """The value in that list of the analyte that has the very name of a code, for a person to confirm; else none."""
    found = [one for one in catalog.analytes.values() if plain(one.title) == plain(words)]
    return f"analyte:{found[0].code}" if len(found) == 1 else ""


def chosen_meaning(value: str) -> tuple[LocalCodeKind, str]:
    """Kind and target of a value of that list."""
    kind, _, target = value.partition(":")
    return LocalCodeKind(kind), target


def meaning_words(catalog: LabCatalog, kind: str, target: str) -> str:
    """What a mapping says, in words."""
    match LocalCodeKind(kind):
        case LocalCodeKind.ANALYTE:
            known = catalog.analytes.get(target)
            return known.title if known else target
        case LocalCodeKind.PANEL:
            return f"{panel_title(catalog, Panel(target))}, the whole panel"
        case LocalCodeKind.EXAM:
            return exam_title(target)
        case LocalCodeKind.UNIT:
            return catalog.show_unit(target)
        case LocalCodeKind.IGNORED:
            return "left out"
