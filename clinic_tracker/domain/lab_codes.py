"""Reading the catalog of laboratory tests from the parsed ``lab_codes.toml``; every complaint names file and field."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from clinic_tracker.domain.panels import (
    Analyte,
    Comparison,
    Factor,
    FindingRule,
    LabCatalog,
    Level,
    PanelPart,
    PanelRule,
    Range,
    Scale,
    Unit,
    spelling,
)
from clinic_tracker.domain.protocol_table import ProtocolError, Table
from clinic_tracker.domain.vocabulary import ExamKind, Grade, Panel, Sex

Member = TypeVar("Member", bound=StrEnum)

#: Comparisons that carry no number of their own.
_WITHOUT_THRESHOLD = frozenset({Comparison.OUTSIDE_RANGE, Comparison.ABOVE_RANGE, Comparison.ALL_OF})


class _Row(Table):
    """A table whose fields may also be numbers and lists."""

    def number(self, name: str) -> float:
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(name, "must be a number")
        return float(value)

    def optional_number(self, name: str) -> float | None:
        return self.number(name) if self.has(name) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty if the field is left out."""
        value = self._take(name) if self.has(name) else []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(name, "must be a list of texts")
        return tuple(value)

    def text_lists(self, name: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists of texts; empty if the field is left out."""
        value = self._take(name) if self.has(name) else []
        if not isinstance(value, list) or not all(isinstance(item, list) for item in value):
            raise self.error(name, "must be a list of lists")
        return tuple(tuple(str(text) for text in item) for item in value)

    def span(self, name: str) -> tuple[float, float]:
        """Two numbers, the second one greater."""
        value = self._take(name)
        if not isinstance(value, list) or [type(item) in (int, float) for item in value] != [True, True]:
            raise self.error(name, "must be two numbers")
        if not value[0] < value[1]:
            raise self.error(name, "must rise")
        return float(value[0]), float(value[1])

    def factors(self, name: str) -> dict[str, float]:
        """Positive numbers by unit; empty if the field is left out."""
        value = self._take(name) if self.has(name) else {}
        if not isinstance(value, dict) or not all(type(item) in (int, float) and item > 0 for item in value.values()):
            raise self.error(name, "must be positive numbers by unit")
        return {unit: float(number) for unit, number in value.items()}

    def rows(self, name: str) -> dict[str, "_Row"]:
        """A table of tables."""
        value = self._take(name)
        if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            raise self.error(name, "must be a table of tables")
        return {key: _Row(item, f"{self.where}: {name}.{key}") for key, item in value.items()}

    def row_list(self, name: str) -> list["_Row"]:
        """A list of tables; empty if the field is left out."""
        value = self._take(name) if self.has(name) else []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(name, "must be a list of tables")
        return [_Row(item, f"{self.where}: {name}[{number}]") for number, item in enumerate(value)]


def load(mapping: Mapping[str, object], file_name: str) -> LabCatalog:
    """The catalog that a parsed file describes; ``ProtocolError`` naming file, table and field if it breaks a rule."""
    file = _Row(mapping, file_name)
    units = {code: _unit(code, row) for code, row in file.rows("units").items()}
    analytes = {code: _analyte(code, row, units) for code, row in file.rows("analytes").items()}
    panels = {_member(Panel, code, row): row for code, row in file.rows("panels").items()}
    exams = file.rows("exams")
    catalog = LabCatalog(
        units=units,
        analytes=analytes,
        panels={panel: _panel(panel, row, analytes) for panel, row in panels.items()},
        exam_loinc={_member(ExamKind, code, row): _finished(row, row.texts("loinc")) for code, row in exams.items()},
        rules=tuple(_rule(row, analytes, units) for row in file.row_list("rules")),
    )
    file.finish()
    _check_rules(catalog, file)
    return catalog


def _finished(row: _Row, value: tuple[str, ...]) -> tuple[str, ...]:
    row.finish()
    return value


def _member(kind: type[Member], code: str, row: _Row) -> Member:
    """The member of a vocabulary that a table is named for."""
    try:
        return kind(code)
    except ValueError:
        raise ProtocolError(f"{row.where}: is not one of {', '.join(kind)}") from None


def _unit(code: str, row: _Row) -> Unit:
    shown, spellings = row.text("shown"), row.texts("spellings")
    row.finish()
    return Unit(code, shown, spellings, frozenset(spelling(name) for name in (code, shown, *spellings)))


def _analyte(code: str, row: _Row, units: Mapping[str, Unit]) -> Analyte:
    analyte = Analyte(
        code=code,
        title=row.text("title"),
        panel=row.choice("panel", Panel),
        scales=tuple(_scale(scale, units) for scale in row.row_list("scales")),
        loinc=row.texts("loinc"),
        loinc_unverified=row.texts("loinc_unverified"),
    )
    row.finish()
    seen: set[str] = set()
    for scale in analyte.scales:
        for unit in scale.factors:
            if units[unit].names & seen:
                raise ProtocolError(f"{row.where}: a spelling of {unit} belongs to another unit too")
            seen |= units[unit].names
    return analyte


def _scale(row: _Row, units: Mapping[str, Unit]) -> Scale:
    unit = row.text("unit")
    factors = {unit: Factor()}
    factors |= {other: Factor(multiply=number) for other, number in row.factors("multiply").items()}
    factors |= {other: Factor(divide=number) for other, number in row.factors("divide").items()}
    for other in factors:
        if other not in units:
            raise row.error("unit", f"{other} is not one of the units of this file")
    ranges: dict[Sex, Range] = {}
    if row.has("normal"):
        ranges = dict.fromkeys(Sex, Range(*row.span("normal")))
    elif row.has("normal_female"):
        female, male = row.span("normal_female"), row.span("normal_male")
        # Sex not known: what is normal for one of them is not flagged.
        either = Range(min(female[0], male[0]), max(female[1], male[1]))
        ranges = {Sex.FEMALE: Range(*female), Sex.MALE: Range(*male), Sex.UNKNOWN: either}
    scale = Scale(unit, factors, row.span("plausible"), ranges)
    row.finish()
    return scale


def _panel(panel: Panel, row: _Row, analytes: Mapping[str, Analyte]) -> PanelRule:
    rule = PanelRule(
        panel=panel,
        title=row.text("title"),
        parts=tuple(_part(part, analytes) for part in row.row_list("parts")),
        loinc=row.texts("loinc"),
        loinc_insufficient=row.texts("loinc_insufficient"),
    )
    row.finish()
    return rule


def _part(row: _Row, analytes: Mapping[str, Analyte]) -> PanelPart:
    codes, missing = row.texts("analytes"), row.text("missing")
    part = PanelPart(codes, missing, row.optional_text("missing_with_others") or missing)
    _known(codes, analytes, row, "analytes")
    row.finish()
    return part


def _rule(row: _Row, analytes: Mapping[str, Analyte], units: Mapping[str, Unit]) -> FindingRule:
    comparison = row.choice("comparison", Comparison)
    rule = FindingRule(
        code=row.text("code"),
        level=row.choice("level", Level),
        comparison=comparison,
        analytes=row.texts("analytes"),
        unit=row.optional_text("unit"),
        threshold=None if comparison in _WITHOUT_THRESHOLD else row.number("threshold"),
        more_than=row.optional_number("more_than"),
        previous_at_least=row.optional_number("previous_at_least"),
        needs=row.text_lists("needs"),
        words=row.text("words"),
        action=row.text("action"),
        source=row.text("source"),
        grade=row.choice("grade", Grade),
        least=row.optional_number("least"),
        most=row.optional_number("most"),
    )
    if rule.editable and not (rule.least or 0) <= (rule.threshold or 0) <= (rule.most or 0):
        raise row.error("threshold", "must lie between least and most, which say what a clinic may choose")
    _known(rule.analytes, analytes, row, "analytes")
    if rule.unit is not None:
        _known([rule.unit], units, row, "unit")
    if bool(rule.needs) == bool(rule.analytes) or bool(rule.needs) != (comparison is Comparison.ALL_OF):
        raise row.error("comparison", "all_of has needs and no analytes, every other one has analytes and no needs")
    row.finish()
    return rule


def _known(codes: tuple[str, ...] | list[str], known: Mapping[str, object], row: _Row, field: str) -> None:
    for code in codes:
        if code not in known:
            raise row.error(field, f"{code} is not known")


def _check_rules(catalog: LabCatalog, file: _Row) -> None:
    """Rule codes are unique, and a combined rule names rules that stand before it."""
    seen: set[str] = set()
    for rule in catalog.rules:
        for code in (code for group in rule.needs for code in group):
            if code not in seen:
                raise file.error("rules", f"{rule.code} needs {code}, which is not a rule before it")
        if rule.code in seen:
            raise file.error("rules", f"{rule.code} is used twice")
        seen.add(rule.code)
