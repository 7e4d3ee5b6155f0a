"""Results as they are typed from a sheet of paper: one panel read and judged as a whole, before anything is kept.

Nothing that a browser sent is believed: numbers, units, ranges and flags are worked out here. Numbers are kept in the
unit that the rules use; what was typed in another way stays beside them as text.
"""

import math
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.notes import Note, Verdict, refuse
from clinic_tracker.domain.panels import Analyte, Converted, LabCatalog, SpecimenProblem
from clinic_tracker.domain.readings import Reading, flag, parse_reading
from clinic_tracker.domain.vocabulary import Panel, ResultStatus, Sex

REQUIREMENT = "R-70"
LONGEST_VALUE = 60
#: What a test strip says when there is nothing.
ABSENT = frozenset({"negative", "neg", "none", "none seen", "absent", "not detected", "nil", "0", "-"})
ABNORMAL = "A"


class TypedValue(NamedTuple):
    """One row of the grid, as typed. ``confirmed``: the person has looked again at an unusual number."""

    analyte: str
    value: str
    unit: str = ""
    low: str = ""
    high: str = ""
    confirmed: bool = False
    range_unit: str = ""  # of the limits, where they are not in the unit of the value


class TypedPanel(NamedTuple):
    """One panel of the grid: its rows, and what the laboratory says of the specimen."""

    panel: Panel
    values: tuple[TypedValue, ...] = ()
    status: ResultStatus = ResultStatus.FINAL
    problem: SpecimenProblem | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered for the panel: such a panel is skipped."""
        said = self.problem is not None or self.status is not ResultStatus.FINAL
        return not said and not any(row.value.strip() for row in self.values)


class ReadValue(NamedTuple):
    """One value, understood. ``number`` is in ``unit``, the unit of the rules; ``text`` is what a number cannot say."""

    analyte: str
    number: float | None
    text: str | None
    unit: str | None
    low: float | None
    high: float | None
    flag: str | None


class ReadPanel(NamedTuple):
    """One panel, understood. ``missing`` says in words why it is evidence for nothing; empty when it is complete."""

    panel: Panel
    values: tuple[ReadValue, ...]
    status: ResultStatus
    problem: SpecimenProblem | None
    missing: tuple[str, ...]


def read_panel(
    catalog: LabCatalog, typed: TypedPanel, sex: Sex, *, attested: bool = False
) -> tuple[ReadPanel, Verdict]:
    """A typed panel understood, with a refusal for every row that cannot be; rows left empty are skipped.

    The field of a refusal is the row and its part: ``platelets_value``, ``platelets_unit``, ``platelets_low``,
    ``platelets_high``, ``platelets_confirmed``; or ``cbc_diff_problem`` for the panel. An ``attested`` panel is known
    to be complete although its values were never entered (a history that was imported).
    """
    values: list[ReadValue] = []
    notes: list[Note] = []
    for row in typed.values:
        if not row.value.strip():
            continue
        try:
            values.append(read_value(catalog, row, sex))
        except RuleViolation as violation:
            notes.append(refuse(violation.code, violation.field, _named(catalog, row, violation.message), REQUIREMENT))
    if attested and not values and not notes and typed.problem is None:
        return ReadPanel(typed.panel, (), typed.status, None, ()), Verdict()
    if not values and not notes and typed.problem is None and typed.status is not ResultStatus.CANCELLED:
        field = f"{typed.panel.value}_problem"
        words = "Enter at least one value, say what was wrong with the specimen, or mark the panel as cancelled."
        notes.append(refuse("no_values", field, f"{panel_title(catalog, typed.panel)}: {words}", REQUIREMENT))
    missing = catalog.missing_for_complete(typed.panel, [value.analyte for value in values], typed.problem)
    return ReadPanel(typed.panel, tuple(values), typed.status, typed.problem, tuple(missing)), Verdict(tuple(notes))


def read_value(catalog: LabCatalog, row: TypedValue, sex: Sex) -> ReadValue:
    """One typed row understood; RuleViolation, with the row's part as field, when it cannot be.

    Where no range is printed the flag is by the ordinary adult range (C), which is not kept as if it had been printed.
    """
    analyte = catalog.analyte(row.analyte)
    text = " ".join(row.value.split())
    if len(text) > LONGEST_VALUE:
        raise RuleViolation("value_too_long", f"{analyte.code}_value", f"use {LONGEST_VALUE} characters or fewer.")
    if analyte.ordinal:
        return ReadValue(analyte.code, None, text, None, None, None, "N" if text.lower() in ABSENT else ABNORMAL)
    unit = row.unit.strip() or default_unit(catalog, analyte)
    reading = parse_reading(text, f"{analyte.code}_value", by_eye=analyte.counted_by_eye)
    converted = catalog.convert(analyte.code, reading.number, unit, f"{analyte.code}_unit")
    if not row.confirmed and (doubt := catalog.needs_confirmation(analyte.code, reading.number, unit)):
        raise RuleViolation("implausible", f"{analyte.code}_confirmed", f"{doubt} Correct it, or tick “as reported”.")
    low, high = _range(catalog, analyte, row, unit, converted.unit)
    seen = Reading(converted.number, reading.comparator, text)
    usual = catalog.default_range(analyte.code, converted.unit, sex)
    marked = flag(seen, *usual) if low is None and high is None and usual is not None else flag(seen, low, high)
    return ReadValue(
        analyte.code,
        converted.number,
        kept_text(catalog, analyte.code, text, unit, converted),
        converted.unit,
        low,
        high,
        None if marked is None else marked.value,
    )


def is_unusual(catalog: LabCatalog, row: TypedValue) -> bool:
    """Whether a value on record is one that has to be confirmed."""
    try:
        number = parse_reading(row.value).number
        return catalog.needs_confirmation(row.analyte, number, row.unit) is not None
    except RuleViolation:
        return False


def default_unit(catalog: LabCatalog, analyte: Analyte) -> str:
    """The unit that stands in the row until another is chosen; "" where results have none."""
    units = catalog.accepted_units(analyte.code)
    return units[0] if units else ""


def panel_title(catalog: LabCatalog, panel: Panel) -> str:
    """The words for a panel."""
    rule = catalog.panels.get(panel)
    return rule.title if rule is not None else "Other tests"


def kept_text(catalog: LabCatalog, analyte: str, text: str, unit: str, kept: Converted) -> str | None:
    """What is kept beside the number: the text as typed, with its unit if that is another; None if it adds nothing."""
    if unit != kept.unit:
        shown = shown_unit(catalog, analyte, unit)
        if shown != catalog.show_unit(kept.unit):
            return f"{text} {shown}"
    return None if _plain_number(text) == kept.number else text


def shown_unit(catalog: LabCatalog, analyte: str, unit: str) -> str:
    """The usual spelling of a unit that an analyte accepts, whatever way it was spelled."""
    one = catalog.convert(analyte, 1.0, unit)
    return next(known for known in catalog.accepted_units(analyte) if catalog.convert(analyte, 1.0, known) == one)


def as_typed(catalog: LabCatalog, value: ReadValue) -> TypedValue:
    """A value as somebody would type it, to start a correction from. The opposite of ``read_value``."""
    if value.number is None:
        return TypedValue(value.analyte, value.text or "", confirmed=True)
    kept = catalog.show_unit(value.unit or "")
    text, unit = split_text(catalog, value)
    one = 1.0 if unit == kept else catalog.convert(value.analyte, 1.0, unit).number
    low, high = ("" if bound is None else number_words(bound / one) for bound in (value.low, value.high))
    return TypedValue(value.analyte, text, unit, low, high, confirmed=True)


def split_text(catalog: LabCatalog, value: ReadValue) -> tuple[str, str]:
    """What was typed and in which unit (as it is shown); the kept number and unit where nothing else was kept."""
    kept = catalog.show_unit(value.unit or "")
    if not value.text:
        return ("" if value.number is None else number_words(value.number)), kept
    head, _, tail = value.text.rpartition(" ")
    if head and tail != kept and tail in catalog.accepted_units(value.analyte):
        return head, tail
    return value.text, kept


def comparator_of(text: str | None) -> str:
    """The comparator of a kept text, with or without a unit: "<0.1" was not measured, it is below 0.1."""
    words = text or ""
    for candidate in (words, words.rpartition(" ")[0]):
        try:
            return parse_reading(candidate).comparator
        except RuleViolation:
            continue
    return ""


def number_words(number: float) -> str:
    """A number without needless digits: 145, 0.1, 88.4."""
    return f"{number:.6g}" if abs(number) < 1e6 else f"{number:.0f}"  # noqa: PLR2004  no powers of ten on a chart


def _plain_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _named(catalog: LabCatalog, row: TypedValue, message: str) -> str:
    """The message with the name of the row, once."""
    title = catalog.analyte(row.analyte).title
    return message if title.lower() in message.lower() else f"{title}: {message}"


def _range(
    catalog: LabCatalog, analyte: Analyte, row: TypedValue, unit: str, kept: str
) -> tuple[float | None, float | None]:
    """The limits in the unit of the rules; none where they are of another way to measure than the value."""
    of_limits = row.range_unit.strip() or unit
    if catalog.convert(analyte.code, 1.0, of_limits, f"{analyte.code}_unit").unit != kept:
        return None, None
    low = _bound(catalog, analyte, row.low, of_limits, "low")
    high = _bound(catalog, analyte, row.high, of_limits, "high")
    if low is not None and high is not None and low > high:
        message = f"the range goes from {row.low.strip()} to {row.high.strip()}: the lower limit comes first."
        raise RuleViolation("range_reversed", f"{analyte.code}_low", message)
    return low, high


def _bound(catalog: LabCatalog, analyte: Analyte, text: str, unit: str, part: str) -> float | None:
    """A limit of the printed range, in the unit of the rules; None when the paper prints none."""
    words = text.strip()
    if not words:
        return None
    number = _plain_number(words.replace(",", ""))
    if number is None or number < 0:
        message = f"the {part} limit of the range, “{words[:LONGEST_VALUE]}”, is not a number."
        raise RuleViolation("unreadable_range", f"{analyte.code}_{part}", message)
    return catalog.convert(analyte.code, number, unit, f"{analyte.code}_unit").number
