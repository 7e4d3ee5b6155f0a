"""The value of one line of a report, in the unit of the rules; or why it cannot be read for certain."""

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_entry import ReadValue, TypedValue, read_value
from clinic_tracker.domain.lab_meaning import LocalCodes
from clinic_tracker.domain.messages import Observed
from clinic_tracker.domain.panels import LabCatalog, spelling
from clinic_tracker.domain.readings import parse_reading
from clinic_tracker.domain.vocabulary import Sex

_RANGE_CODES = frozenset({"unreadable_range", "range_reversed"})


class ValueReader:
    """Reads values with the units that a person has mapped for the source."""

    def __init__(self, catalog: LabCatalog, local: LocalCodes) -> None:
        self.catalog = catalog
        self.local = local
        self._read: dict[tuple[str, ...], ReadValue] = {}  # laboratories print the same values over and over

    def read(self, analyte: str, sent: Observed, sex: Sex) -> ReadValue:
        """The value in the unit of the rules. RuleViolation where value or unit cannot be read for certain."""
        key = (analyte, sent.text, sent.unit, sent.unit_text, sent.low, sent.high, sex)
        known = self._read.get(key)
        if known is None:
            known = self._read[key] = self._reading(analyte, sent, sex)
        return known

    def _reading(self, analyte: str, sent: Observed, sex: Sex) -> ReadValue:
        ordinal = self.catalog.analytes[analyte].ordinal
        text, unit = sent.text.strip(), "" if ordinal else self._unit(analyte, sent)
        if not ordinal and not unit:
            text, unit = self._split(analyte, text)
        row = TypedValue(analyte, text, unit, sent.low, sent.high, confirmed=True)
        try:
            read = read_value(self.catalog, row, sex)
        except RuleViolation as violation:
            if violation.code not in _RANGE_CODES:
                raise
            read = read_value(self.catalog, row._replace(low="", high=""), sex)
        if read.number is not None and not self._is_usual(analyte, read.number, read.unit):
            self._refuse_unlikely(analyte, read, text, unit)
        return read

    def _is_usual(self, analyte: str, number: float, unit: str | None) -> bool:
        """Whether a value, in the unit in which it is kept, is a plausible one."""
        scales = self.catalog.analytes[analyte].scales
        return any(scale.unit == unit and scale.plausible[0] <= number <= scale.plausible[1] for scale in scales)

    def _unit(self, analyte: str, sent: Observed) -> str:
        """The unit of a line, by table: as sent, in its other words, or as a person has mapped it."""
        names = [name for name in (sent.unit.strip(), sent.unit_text.strip()) if name]
        for name in names:
            mapped = self.local.units.get(spelling(name))
            if mapped is not None:
                return mapped
        if len(names) > 1 and not self._accepts(analyte, names[0]) and self._accepts(analyte, names[1]):
            return names[1]
        return names[0] if names else ""

    def _accepts(self, analyte: str, unit: str) -> bool:
        wanted = spelling(unit)
        scales = self.catalog.analytes[analyte].scales
        return any(wanted in self.catalog.units[code].names for scale in scales for code in scale.factors)

    def _split(self, analyte: str, text: str) -> tuple[str, str]:
        """A value that carries its unit in its text ("145 K/uL"). RuleViolation if there is none."""
        head, _, tail = text.partition(" ")
        if tail and self._accepts(analyte, tail):
            return head, tail
        raise RuleViolation("missing_unit", None, "The value came without a unit.")

    def _refuse_unlikely(self, analyte: str, read: ReadValue, text: str, unit: str) -> None:
        """A value that only makes sense in another unit is asked about; one that makes none in any is taken as sent.

        mg/mg and mg/g of one code differ a thousandfold, so the number tells that the unit is wrong (R-24).
        """
        reading = parse_reading(text)
        if self.catalog.needs_confirmation(analyte, reading.number, unit) is None:
            return
        least = min(scale.plausible[0] for scale in self.catalog.analytes[analyte].scales)
        if "," in text:
            message = "With the comma for thousands this value is unlikely: it may be meant as a decimal point."
            raise RuleViolation("unreadable_value", None, message)
        if reading.comparator in ("<", "<=") and read.number is not None and read.number <= least:
            return
        for other in self.catalog.accepted_units(analyte):
            if self.catalog.needs_confirmation(analyte, reading.number, other) is None:
                doubt = self.catalog.needs_confirmation(analyte, reading.number, unit) or ""
                raise RuleViolation("unlikely_unit", None, doubt)
