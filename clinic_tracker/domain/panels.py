"""Laboratory analytes and panels: units, plausible values, reference ranges, and what makes a panel complete."""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import ExamKind, Grade, Panel, Sex

_DIGITS = 10


class Range(NamedTuple):
    """A reference range; a missing limit is ``None``."""

    low: float | None
    high: float | None


class Converted(NamedTuple):
    """A value in the unit in which the analyte is kept."""

    number: float
    unit: str


class Factor(NamedTuple):
    """An exact conversion into the unit of a scale: times ``multiply``, divided by ``divide``."""

    multiply: float = 1.0
    divide: float = 1.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: how it is kept (UCUM), shown and spelled. ``names`` are all of these as ``spelling`` reads them."""

    code: str
    shown: str
    spellings: tuple[str, ...]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scale:
    """One way to measure an analyte. Nothing is ever converted from one scale of an analyte to another."""

    unit: str
    factors: Mapping[str, Factor]  # by unit code; the scale's own unit among them
    plausible: tuple[float, float]
    ranges: Mapping[Sex, Range]


@dataclass(frozen=True, slots=True)
class Analyte:
    """One measured thing. An ordinal one (a strip) has no scale and is kept as text."""

    code: str
    title: str
    panel: Panel
    scales: tuple[Scale, ...]
    loinc: tuple[str, ...]
    loinc_unverified: tuple[str, ...]

    @property
    def ordinal(self) -> bool:
        """Whether the result is text ("trace") and no number."""
        return not self.scales

    @property
    def counted_by_eye(self) -> bool:
        """Whether cells are counted under the microscope: "none seen" is no cell, and 0-2 is a count."""
        return self.panel is Panel.URINALYSIS_CELLS and not self.ordinal


@dataclass(frozen=True, slots=True)
class PanelPart:
    """Analytes that a complete panel needs, and the words for their absence."""

    analytes: tuple[str, ...]
    missing: str
    missing_with_others: str  # used when the panel has other values, such as a dipstick's


@dataclass(frozen=True, slots=True)
class PanelRule:
    """What makes a panel evidence."""

    panel: Panel
    title: str
    parts: tuple[PanelPart, ...]
    loinc: tuple[str, ...]
    loinc_insufficient: tuple[str, ...]


class Level(StrEnum):
    """How loud a finding is."""

    RED = "red"
    AMBER = "amber"


class Comparison(StrEnum):
    """How a finding rule compares."""

    BELOW = "below"
    ABOVE = "above"
    AT_LEAST = "at_least"
    REPEATEDLY_ABOVE = "repeatedly_above"
    TIMES_UPPER_ABOVE = "times_upper_above"
    TIMES_UPPER_AT_LEAST = "times_upper_at_least"
    TIMES_BASELINE_AT_LEAST = "times_baseline_at_least"
    RISE_FROM_BASELINE_AT_LEAST = "rise_from_baseline_at_least"
    FALL_PERCENT_AT_LEAST = "fall_percent_at_least"
    OUTSIDE_RANGE = "outside_range"
    ABOVE_RANGE = "above_range"
    ALL_OF = "all_of"


@dataclass(frozen=True, slots=True)
class FindingRule:
    """A result that somebody must act on, with its origin. The thresholds are settings: the label has none of them.

    Of the rules about one analyte only the first that applies is reported, so their order in the file matters.
    """

    code: str
    level: Level
    comparison: Comparison
    analytes: tuple[str, ...]
    unit: str | None
    threshold: float | None
    more_than: float | None  # the value itself must still be above this
    previous_at_least: float | None  # for a finding on repeat
    needs: tuple[tuple[str, ...], ...]  # for ALL_OF: one rule of each group of rules
    words: str
    action: str
    source: str
    grade: Grade
    least: float | None = None  # the bounds inside which a clinic may choose the threshold
    most: float | None = None

    @property
    def editable(self) -> bool:
        """Whether a clinic may choose the threshold: never one of the label (grade A)."""
        return self.threshold is not None and self.grade is not Grade.A


class SpecimenProblem(StrEnum):
    """Why a specimen is no evidence whatever values were printed."""

    CLUMPED = "clumped"
    HEMOLYZED = "hemolyzed"
    CLOTTED = "clotted"
    CONTAMINATED = "contaminated"
    QUANTITY_NOT_SUFFICIENT = "quantity_not_sufficient"


_PROBLEM_WORDS = {
    SpecimenProblem.CLUMPED: "platelets clumped: draw again in a citrate tube",
    SpecimenProblem.HEMOLYZED: "specimen hemolyzed: draw again",
    SpecimenProblem.CLOTTED: "specimen clotted: draw again",
    SpecimenProblem.CONTAMINATED: "specimen contaminated: collect again",
    SpecimenProblem.QUANTITY_NOT_SUFFICIENT: "quantity not sufficient: collect again",
}


@dataclass(frozen=True, slots=True)
class LabCatalog:
    """The laboratory tests that the clinic follows, read from ``lab_codes.toml``."""

    units: Mapping[str, Unit]
    analytes: Mapping[str, Analyte]
    panels: Mapping[Panel, PanelRule]
    exam_loinc: Mapping[ExamKind, tuple[str, ...]]
    rules: tuple[FindingRule, ...]

    def analyte(self, code: str) -> Analyte:
        """The analyte of that code; ``RuleViolation`` unknown_analyte if there is none."""
        if code not in self.analytes:
            raise RuleViolation("unknown_analyte", None, f"“{code}” is not a laboratory test of this catalog.")
        return self.analytes[code]

    def by_loinc(self, loinc: str) -> Analyte | None:
        """The analyte that a verified LOINC code means; ``None`` for every other code."""
        return next((analyte for analyte in self.analytes.values() if loinc in analyte.loinc), None)

    def panel_analytes(self, panel: Panel) -> tuple[Analyte, ...]:
        """The analytes of a panel in the order of entry, those that it needs first."""
        rule = self.panels.get(panel)
        needed = [code for part in rule.parts for code in part.analytes] if rule else []
        others = [code for code, analyte in self.analytes.items() if analyte.panel == panel and code not in needed]
        return tuple(self.analytes[code] for code in [*needed, *others])

    def accepted_units(self, analyte: str) -> tuple[str, ...]:
        """The units that can be entered for an analyte, as they are shown, the kept ones first."""
        scales = self.analyte(analyte).scales
        own = [scale.unit for scale in scales]
        others = [unit for scale in scales for unit in scale.factors if unit not in own]
        return tuple(self.units[unit].shown for unit in [*own, *others])

    def show_unit(self, unit: str) -> str:
        """A unit as people write it ("K/uL" for 10*3/uL); an unknown one as it is."""
        return self.units[unit].shown if unit in self.units else unit

    def convert(self, analyte: str, number: float, unit: str, field: str | None = None) -> Converted:
        """The value in the unit in which it is kept, by an explicit table only.

        Raises ``RuleViolation`` unknown_analyte, unknown_unit (with the accepted ones) or negative_value. Counts in
        urine per field and per microliter are never converted into each other.
        """
        if number < 0:
            message = f"{self.analyte(analyte).title} cannot be negative."
            raise RuleViolation("negative_value", field, message)
        scale, factor = self._scale_of(analyte, unit, field)
        return Converted(_tidy(number * factor.multiply / factor.divide), scale.unit)

    def needs_confirmation(self, analyte: str, number: float, unit: str) -> str | None:
        """A question in words when a value is so unusual that it may be a typing error; ``None`` otherwise."""
        scale, _ = self._scale_of(analyte, unit, None)
        kept = self.convert(analyte, number, unit)
        least, most = scale.plausible
        if least <= kept.number <= most:
            return None
        words = (
            f"{self.analyte(analyte).title} {number:g} {unit} is unusual: expected "
            f"{least:g} to {most:g} {self.show_unit(scale.unit)}."
        )
        others = [
            self.units[other].shown
            for other, factor in scale.factors.items()
            if least <= number * factor.multiply / factor.divide <= most
        ]
        return f"{words} Is the unit {' or '.join(others)}?" if others else f"{words} Check and confirm."

    def default_range(self, analyte: str, unit: str, sex: Sex) -> Range | None:
        """An ordinary adult range (grade C) for a value without a printed one; ``None`` if there is none.

        Only for the unit in which the analyte is kept. Always prefer the range on the report.
        """
        for scale in self.analyte(analyte).scales:
            if scale.unit == unit:
                return scale.ranges.get(sex)
        return None

    def missing_for_complete(
        self, panel: Panel, reported: Collection[str], problem: SpecimenProblem | None = None
    ) -> tuple[str, ...]:
        """What a report lacks to be evidence, in words; empty when it is complete (R-21 to R-26, R-70 to R-74).

        ``reported`` holds the codes of the analytes that have a value. A panel without a rule is never evidence.
        """
        if problem is not None:
            return (_PROBLEM_WORDS[problem],)
        if panel not in self.panels:
            return ("not a monitoring panel",)
        return tuple(words for part in self.panels[panel].parts for words in self._missing_of(part, panel, reported))

    def with_thresholds(self, values: Mapping[str, float]) -> "LabCatalog":
        """The catalog with a clinic's own thresholds, by rule code; those that it may not change stay."""
        rules = tuple(
            replace(rule, threshold=values[rule.code]) if rule.code in values and rule.editable else rule
            for rule in self.rules
        )
        return replace(self, rules=rules)

    def _missing_of(self, part: PanelPart, panel: Panel, reported: Collection[str]) -> tuple[str, ...]:
        absent = [code for code in part.analytes if code not in reported]
        if len(absent) < len(part.analytes):
            return tuple(f"no {self.analytes[code].title.lower()}" for code in absent)
        others = any(self.analytes[code].panel == panel for code in reported if code in self.analytes)
        return (part.missing_with_others if others else part.missing,)

    def _scale_of(self, analyte: str, unit: str, field: str | None) -> tuple[Scale, Factor]:
        found = self.analyte(analyte)
        wanted = spelling(unit)
        for scale in found.scales:
            for code, factor in scale.factors.items():
                if wanted in self.units[code].names:
                    return scale, factor
        accepted = ", ".join(self.accepted_units(analyte)) or "none: it is reported in words"
        message = f"“{unit}” is not a unit of {found.title}. Accepted: {accepted}."
        raise RuleViolation("unknown_unit", field, message)


@lru_cache(maxsize=4096)
def spelling(unit: str) -> str:
    """A unit without the differences that mean nothing: case, blanks, micro signs, raised digits."""
    plain = unicodedata.normalize("NFKC", unit).casefold().replace("μ", "u").replace("×", "x")  # noqa: RUF001
    return "".join(plain.split())


def _tidy(number: float) -> float:
    """The number without the noise of binary fractions; ten digits are more than any laboratory prints."""
    return float(f"{number:.{_DIGITS}g}")
