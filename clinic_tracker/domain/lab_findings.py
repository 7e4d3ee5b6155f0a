"""Results that somebody must act on: absolute, by range, against baseline or the previous value, and combined."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, TypeVar

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.panels import Comparison, FindingRule, LabCatalog, Level
from clinic_tracker.domain.readings import Flag, Reading, flag
from clinic_tracker.domain.vocabulary import Grade, Sex

Kept = TypeVar("Kept", bound=Mapping[str, Any])
_DIGITS = 9
_PERCENT = 100.0


class Measured(NamedTuple):
    """A value in the unit in which its analyte is kept, with the range printed on the report, if any."""

    number: float
    unit: str
    low: float | None = None
    high: float | None = None
    comparator: str = ""
    on: date | None = None


class Compared(NamedTuple):
    """The earlier value that a finding was measured from: "baseline" or "previous"."""

    what: str
    analyte: str
    value: str
    on: date | None


class Finding(NamedTuple):
    """One finding: the rule that fired, how loud, what in words, what to do, and where the rule comes from.

    ``threshold`` is the one that was in force; ``compared`` says which earlier values it was measured from.
    """

    rule: str
    level: Level
    words: str
    action: str
    analytes: tuple[str, ...]
    source: str
    grade: Grade
    threshold: float | None = None
    compared: tuple[Compared, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The finding as it is kept with its report."""
        earlier = [{**item._asdict(), "on": item.on.isoformat() if item.on else None} for item in self.compared]
        return {
            **self._asdict(),
            "level": self.level.value,
            "analytes": list(self.analytes),
            "grade": self.grade.value,
            "compared": earlier,
        }


@dataclass(frozen=True, slots=True)
class _Patient:
    """The values that the rules look at."""

    catalog: LabCatalog
    values: Mapping[str, Measured]
    previous: Mapping[str, Measured]
    baseline: Mapping[str, Measured]
    sex: Sex

    def range_of(self, analyte: str) -> tuple[float | None, float | None]:
        """The printed range of a value; an ordinary adult one (grade C) where none is printed."""
        value = self.values[analyte]
        if value.low is not None or value.high is not None:
            return value.low, value.high
        return self.catalog.default_range(analyte, value.unit, self.sex) or (None, None)


def findings(
    catalog: LabCatalog,
    values: Mapping[str, Measured],
    previous: Mapping[str, Measured],
    baseline: Mapping[str, Measured],
    sex: Sex,
) -> tuple[Finding, ...]:
    """What the values of one day, by analyte, call for: red first, combined ones before single ones.

    ``previous`` holds the valid values before them, ``baseline`` those before the course. Values may come from several
    reports, so that creatinine and urinalysis are seen together. Of the rules about one analyte the first that applies
    is reported; a value only counts where it is certain ("<150" is not below 100).
    """
    patient = _Patient(catalog, values, previous, baseline, sex)
    found: list[Finding] = []
    fired: dict[str, list[Finding]] = {}
    judged: set[str] = set()
    about = (rule for rule in catalog.rules if rule.needs or not values.keys().isdisjoint(rule.analytes))
    for rule in about:
        new = _combined(rule, fired) if rule.needs else _single(rule, patient, judged)
        judged.update(analyte for finding in new if not rule.needs for analyte in finding.analytes)
        fired[rule.code] = new
        found += new
    return tuple(sorted(found, key=lambda finding: (finding.level is not Level.RED, -len(finding.analytes))))


def _single(rule: FindingRule, patient: _Patient, judged: set[str]) -> list[Finding]:
    """The findings of a rule about single analytes, leaving out those that an earlier rule has reported."""
    return [
        _finding(rule, _words(rule, analyte, patient), (analyte,), _compared(rule, analyte, patient))
        for analyte in rule.analytes
        if analyte in patient.values and analyte not in judged and _applies(rule, analyte, patient)
    ]


def _finding(rule: FindingRule, words: str, analytes: tuple[str, ...], compared: tuple[Compared, ...]) -> Finding:
    return Finding(
        rule.code, rule.level, words, rule.action, analytes, rule.source, rule.grade, rule.threshold, compared
    )


def _compared(rule: FindingRule, analyte: str, patient: _Patient) -> tuple[Compared, ...]:
    """The earlier value that a rule measures from, with its date."""
    what = _MEASURED_FROM.get(rule.comparison)
    if what is None:
        return ()
    earlier = (patient.previous if what == "previous" else patient.baseline)[analyte]
    return (Compared(what, analyte, _number(earlier), earlier.on),)


def _combined(rule: FindingRule, fired: Mapping[str, list[Finding]]) -> list[Finding]:
    """The finding of a rule that needs one finding out of each of several groups."""
    parts = [[finding for code in group for finding in fired.get(code, ())] for group in rule.needs]
    if not all(parts):
        return []
    together = [finding for part in parts for finding in part]
    words = f"{rule.words}: {'; '.join(finding.words for finding in together)}"
    analytes = tuple(dict.fromkeys(analyte for finding in together for analyte in finding.analytes))
    compared = tuple(dict.fromkeys(item for finding in together for item in finding.compared))
    return [_finding(rule, words, analytes, compared)]


def _applies(rule: FindingRule, analyte: str, patient: _Patient) -> bool:
    value = patient.values[analyte]
    if rule.unit is not None and value.unit != rule.unit:
        return False
    if rule.more_than is not None and not _above(value, rule.more_than):
        return False
    if rule.threshold is None:
        low, high = patient.range_of(analyte)
        where = flag(Reading(value.number, value.comparator, ""), low, high)
        return where is Flag.HIGH or (where is Flag.LOW and rule.comparison is Comparison.OUTSIDE_RANGE)
    limit = _limit(rule, rule.threshold, analyte, patient)
    return limit is not None and _COMPARE[rule.comparison](value, round(limit, _DIGITS))


def _limit(rule: FindingRule, threshold: float, analyte: str, patient: _Patient) -> float | None:
    """The number that the value is compared with; ``None`` where it is not known."""
    value = patient.values[analyte]
    earlier = patient.previous.get(analyte)
    baseline, previous = _comparable(patient.baseline.get(analyte), value), _comparable(earlier, value)
    match rule.comparison:
        case Comparison.REPEATEDLY_ABOVE:
            least = rule.previous_at_least or threshold
            again = earlier is not None and earlier.unit == value.unit and _at_least(earlier, least)
            return threshold if again else None
        case Comparison.FALL_PERCENT_AT_LEAST:
            return previous.number * (1 - threshold / _PERCENT) if previous else None
        case Comparison.TIMES_UPPER_ABOVE | Comparison.TIMES_UPPER_AT_LEAST:
            upper = patient.range_of(analyte)[1]
            return None if upper is None else threshold * upper
        case Comparison.TIMES_BASELINE_AT_LEAST:
            return baseline.number * threshold if baseline else None
        case Comparison.RISE_FROM_BASELINE_AT_LEAST:
            return baseline.number + threshold if baseline else None
        case _:
            return threshold


def _words(rule: FindingRule, analyte: str, patient: _Patient) -> str:
    """The value, what is the matter, and what it was compared with."""
    value = patient.values[analyte]
    matter = rule.words if rule.threshold is None else rule.words.replace("{threshold}", f"{rule.threshold:g}")
    words = f"{_shown(analyte, value, patient)}: {matter}"
    low, high = patient.range_of(analyte)
    if earlier := _compared(rule, analyte, patient):
        what, _, number, on = earlier[0]
        return f"{words} ({what} {number}{f' on {show_date(on)}' if on else ''})"
    if rule.comparison in (Comparison.TIMES_UPPER_ABOVE, Comparison.TIMES_UPPER_AT_LEAST):
        return f"{words} (upper limit {high:g})"
    if rule.threshold is None:
        limits = (
            f"{low:g} to {high:g}"
            if low is not None and high is not None
            else f"limit {low if high is None else high:g}"
        )
        return f"{words} ({limits})"
    return words


def _shown(analyte: str, value: Measured, patient: _Patient) -> str:
    return f"{patient.catalog.analyte(analyte).title} {_number(value)} {patient.catalog.show_unit(value.unit)}"


def _number(value: Measured) -> str:
    return f"{value.comparator}{value.number:g}"


def _comparable(other: Measured | None, value: Measured) -> Measured | None:
    """An exact value of the same unit, to compare with; counts per field and per microliter do not compare."""
    return other if other is not None and other.unit == value.unit and not other.comparator else None


def _below(value: Measured, limit: float) -> bool:
    """Certainly below: "<100" is below 100, "<150" may not be."""
    if value.comparator == "<":
        return value.number <= limit
    return value.comparator in ("", "<=") and value.number < limit


def _above(value: Measured, limit: float) -> bool:
    """Certainly above."""
    if value.comparator == ">":
        return value.number >= limit
    return value.comparator in ("", ">=") and value.number > limit


def _at_least(value: Measured, limit: float) -> bool:
    """Certainly at the limit or above."""
    return value.comparator in ("", ">", ">=") and value.number >= limit


def _at_most(value: Measured, limit: float) -> bool:
    """Certainly at the limit or below."""
    return value.comparator in ("", "<", "<=") and value.number <= limit


_MEASURED_FROM = {
    Comparison.FALL_PERCENT_AT_LEAST: "previous",
    Comparison.REPEATEDLY_ABOVE: "previous",
    Comparison.TIMES_BASELINE_AT_LEAST: "baseline",
    Comparison.RISE_FROM_BASELINE_AT_LEAST: "baseline",
}
_COMPARE: dict[Comparison, Callable[[Measured, float], bool]] = {
    Comparison.BELOW: _below,
    Comparison.ABOVE: _above,
    Comparison.AT_LEAST: _at_least,
    Comparison.REPEATEDLY_ABOVE: _above,
    Comparison.TIMES_UPPER_ABOVE: _above,
    Comparison.TIMES_UPPER_AT_LEAST: _at_least,
    Comparison.TIMES_BASELINE_AT_LEAST: _at_least,
    Comparison.RISE_FROM_BASELINE_AT_LEAST: _at_least,
    Comparison.FALL_PERCENT_AT_LEAST: _at_most,
}


def told_once(found: Sequence[Kept]) -> tuple[Kept, ...]:
    """Findings as they are kept, without those that a combined one tells too: what is shown, and asked about."""
    return tuple(
        item for item in found if not any(item is not other and item["words"] in other["words"] for other in found)
    )
