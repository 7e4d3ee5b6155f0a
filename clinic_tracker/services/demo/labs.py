"""Plausible laboratory values of a patient over time."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from clinic_tracker.domain.vocabulary import Panel


class DemoValue(NamedTuple):
    """One value in its canonical unit with the laboratory's range."""

    analyte: str
    number: float | None
    text: str | None
    unit: str | None
    low: float | None
    high: float | None


@dataclass(slots=True)
class Physiology:
    """A patient's own levels; lymphocytes and CD4 fall with a course and come back slowly (label 12.2)."""

    random: Random
    female: bool
    platelets: float
    creatinine: float
    tsh: float
    alt: float

    @classmethod
    def of(cls, random: Random, *, female: bool) -> "Physiology":
        """Somebody's levels."""
        return cls(
            random=random,
            female=female,
            platelets=random.uniform(205, 310),
            creatinine=random.uniform(0.62, 0.92) if female else random.uniform(0.8, 1.15),
            tsh=random.uniform(0.9, 2.8),
            alt=random.uniform(14, 32),
        )

    def panel(self, panel: Panel, months_since: float | None, abnormal: str | None = None) -> list[DemoValue]:
        """The values of one panel, ``months_since`` the last infusion (None: before any)."""
        return {
            Panel.CBC_DIFF: self._cbc,
            Panel.CREATININE: self._creatinine,
            Panel.URINALYSIS_CELLS: self._urine,
            Panel.TSH: self._tsh,
            Panel.LIVER_PANEL: self._liver,
            Panel.CD4: self._cd4,
            Panel.UPCR: self._upcr,
        }[panel](months_since, abnormal)

    def cd4_count(self, months_since: float) -> int:
        """CD4 cells per microliter: about 40 after a month, above 200 within a year."""
        return round(40 + 19 * months_since + self.random.uniform(-12, 12))

    def _about(self, level: float, spread: float, places: int) -> float:
        return round(level * self.random.uniform(1 - spread, 1 + spread), places)

    def _lymphocytes(self, months_since: float | None) -> float:
        return self._about(1.9 if months_since is None else min(1.7, 0.18 + 0.09 * months_since), 0.12, 2)

    def _cbc(self, months_since: float | None, abnormal: str | None) -> list[DemoValue]:
        lymphocytes = self._lymphocytes(months_since)
        neutrophils = self._about(3.9, 0.2, 2)
        platelets = 84.0 if abnormal == "platelets" else self._about(self.platelets, 0.09, 0)
        low, high = (12.0, 15.5) if self.female else (13.5, 17.5)
        return [
            DemoValue("platelets", platelets, None, "10*3/uL", 150, 450),
            DemoValue("wbc", round(lymphocytes + neutrophils + 0.6, 1), None, "10*3/uL", 4.5, 11.0),
            DemoValue("neutrophils", neutrophils, None, "10*3/uL", 1.5, 8.0),
            DemoValue("lymphocytes", lymphocytes, None, "10*3/uL", 1.0, 4.8),
            DemoValue("hemoglobin", self._about(sum((low, high)) / 2, 0.06, 1), None, "g/dL", low, high),
        ]

    def _creatinine(self, _months_since: float | None, abnormal: str | None) -> list[DemoValue]:
        level = self.creatinine * 1.6 if abnormal == "kidney" else self.creatinine
        low, high = (0.59, 1.04) if self.female else (0.74, 1.35)
        return [DemoValue("creatinine", self._about(level, 0.05, 2), None, "mg/dL", low, high)]

    def _urine(self, _months_since: float | None, abnormal: str | None) -> list[DemoValue]:
        cells = 22.0 if abnormal == "kidney" else float(self.random.choice((0, 0, 1, 1, 2)))
        return [
            DemoValue("urine_rbc", cells, None, "/[HPF]", 0, 2),
            DemoValue("urine_wbc", float(self.random.choice((0, 1, 1, 2, 3))), None, "/[HPF]", 0, 5),
            DemoValue("urine_blood", None, "2+" if abnormal == "kidney" else "negative", None, None, None),
            DemoValue("urine_protein", None, "1+" if abnormal == "kidney" else "negative", None, None, None),
        ]

    def _tsh(self, _months_since: float | None, abnormal: str | None) -> list[DemoValue]:
        level = 0.02 if abnormal == "tsh" else self._about(self.tsh, 0.15, 2)
        return [DemoValue("tsh", level, None, "m[IU]/L", 0.4, 4.5)]

    def _liver(self, _months_since: float | None, abnormal: str | None) -> list[DemoValue]:
        factor = 6.5 if abnormal == "liver" else 1.0
        return [
            DemoValue("alt", self._about(self.alt * factor, 0.12, 0), None, "U/L", 7, 55),
            DemoValue("ast", self._about(self.alt * factor * 0.9, 0.12, 0), None, "U/L", 8, 48),
            DemoValue("bilirubin_total", self._about(0.6, 0.25, 1), None, "mg/dL", 0.1, 1.2),
        ]

    def _cd4(self, months_since: float | None, _abnormal: str | None) -> list[DemoValue]:
        return [DemoValue("cd4", float(self.cd4_count(months_since or 0)), None, "/uL", 500, 1500)]

    def _upcr(self, _months_since: float | None, _abnormal: str | None) -> list[DemoValue]:
        return [DemoValue("upcr", self._about(80, 0.3, 0), None, "mg/g", None, 150)]
