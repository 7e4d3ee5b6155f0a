"""What the codes of laboratories stand for: LOINC by the catalog, others as a person has mapped them once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from clinic_tracker.domain.lab_words import NOT_FOLLOWED, ORDERED_TOGETHER, PERCENT_ONLY, PROTECTION_LOINC
from clinic_tracker.domain.messages import LOINC, Coded
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.vocabulary import LocalCodeKind, Panel


class Meaning(NamedTuple):
    """What a code stands for: an analyte, a panel, an exam, or nothing that matters here."""

    kind: LocalCodeKind
    target: str


@dataclass(frozen=True, slots=True)
class LocalCodes:
    """What people have mapped for one source: codes by (system, code), units by their spelling."""

    codes: Mapping[tuple[str, str], Meaning] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


class CodeTable:
    """The meaning of every code of one source."""

    def __init__(self, catalog: LabCatalog, local: LocalCodes) -> None:
        self.local = local
        self._loinc = _meanings(catalog)
        self._panels = {
            code: rule.panel for rule in catalog.panels.values() for code in (*rule.loinc, *rule.loinc_insufficient)
        }

    def meaning(self, codes: Iterable[Coded]) -> Meaning | None:
        """What the codes of a line stand for; ``None`` if none of them is known."""
        known = self._loinc
        for coded in codes:
            if coded.system == LOINC and (meaning := known.get(coded.code)):
                return meaning
        if self.local.codes:
            for coded in codes:
                if meaning := self.local.codes.get((coded.system, coded.code)):
                    return meaning
        return None

    def panels_of(self, codes: Iterable[Coded]) -> tuple[Panel, ...]:
        """The panels that the code of a report names by itself."""
        for coded in codes:
            if coded.system == LOINC and coded.code in self._panels:
                return (self._panels[coded.code],)
            meaning = self.local.codes.get((coded.system, coded.code))
            if meaning is not None and meaning.kind is LocalCodeKind.PANEL:
                return (Panel(meaning.target),)
        return ()

    def ordered_together(self, codes: Iterable[Coded]) -> tuple[Panel, ...]:
        """The panels that come with one order of several."""
        return next(
            (ORDERED_TOGETHER[one.code] for one in codes if one.system == LOINC and one.code in ORDERED_TOGETHER), ()
        )


def _meanings(catalog: LabCatalog) -> dict[str, Meaning]:
    """What every LOINC code that is known stands for."""
    ignored = Meaning(LocalCodeKind.IGNORED, "")
    found = dict.fromkeys(NOT_FOLLOWED | PROTECTION_LOINC, ignored)
    for kind, codes in catalog.exam_loinc.items():
        found |= {code: Meaning(LocalCodeKind.EXAM, kind.value) for code in codes if code not in PROTECTION_LOINC}
    for code, panel in PERCENT_ONLY.items():
        found[code] = Meaning(LocalCodeKind.PANEL, panel.value)
    for analyte in catalog.analytes.values():
        found |= {code: Meaning(LocalCodeKind.ANALYTE, analyte.code) for code in analyte.loinc}
    return found
