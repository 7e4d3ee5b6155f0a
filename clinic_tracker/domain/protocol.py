"""A monitoring protocol as data: reading a parsed protocol file, checking its rules, and a clinic's own settings.

The rules live in ``protocols/*.toml``; when a label changes, a file changes and no code. Nothing here reads a file:
``load`` is given the parsed mapping.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.protocol_rules import check_requirement
from clinic_tracker.domain.protocol_table import ProtocolError, Table
from clinic_tracker.domain.requirement import (
    Anchor,
    Antiviral,
    AppliesTo,
    Citation,
    Closes,
    Contraindication,
    Dosing,
    EvidenceKind,
    Monitoring,
    Period,
    PreCourseCheck,
    Requirement,
    Setting,
    Unit,
)
from clinic_tracker.domain.vocabulary import ExamKind, FormKind, Grade, Panel

__all__ = ["Protocol", "ProtocolError", "load"]

_KNOWN_EVIDENCE: dict[EvidenceKind, frozenset[str]] = {
    EvidenceKind.LAB: frozenset(Panel) - {Panel.OTHER},
    EvidenceKind.EXAM: frozenset(ExamKind),
    EvidenceKind.FORM: frozenset(FormKind),
}
_MONITORING_END = "monitoring_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One version of the rules of one jurisdiction, with the settings of one clinic."""

    id: str
    title: str
    version: str
    effective_on: date
    jurisdiction: str
    requirements: tuple[Requirement, ...]  # by code
    lab_panels: tuple[str, ...]  # what requirements ask for
    settings: Mapping[str, Setting]
    monitoring: Monitoring
    dosing: Dosing
    antiviral: Antiviral
    checks: tuple[PreCourseCheck, ...]
    contraindications: tuple[Contraindication, ...]
    holidays: frozenset[int]
    origin: "_Origin" = field(repr=False, compare=False)

    def value(self, name: str) -> int:
        """The value of a setting; KeyError if the protocol has none of that name."""
        return self.settings[name].value

    def requirement(self, code: str) -> Requirement:
        """The requirement of that code; KeyError if there is none."""
        for requirement in self.requirements:
            if requirement.code == code:
                return requirement
        raise KeyError(code)

    def with_settings(self, values: Mapping[str, int]) -> "Protocol":
        """The same protocol with a clinic's own values in place of the file's, validated as a whole.

        RuleViolation naming the setting if it is unknown, has an official value (grades A and B), is out of range, or
        makes a rule of the protocol impossible.
        """
        for name, value in values.items():
            self._refuse_setting(name, value)
        try:
            return _build(self.origin, values)
        except ProtocolError as error:
            raise RuleViolation("settings_conflict", None, str(error)) from error

    def _refuse_setting(self, name: str, value: int) -> None:
        setting = self.settings.get(name)
        if setting is None:
            raise RuleViolation("setting_unknown", name, f"The protocol {self.id} has no setting {name}.")
        if not setting.editable:
            raise RuleViolation("setting_fixed", name, f"{setting.title} has an official value and cannot be changed.")
        if isinstance(value, bool) or not isinstance(value, int) or not setting.minimum <= value <= setting.maximum:
            span = f"from {setting.minimum} to {setting.maximum}"
            raise RuleViolation("setting_out_of_range", name, f"{setting.title} must be a whole number {span}.")


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a protocol was read from, so that it can be read again with other settings."""

    mapping: Mapping[str, object]
    file_name: str
    calendars: Mapping[str, frozenset[int]]


def load(
    mapping: Mapping[str, object], file_name: str, calendars: Mapping[str, frozenset[int]] | None = None
) -> Protocol:
    """The protocol that a parsed file describes; ProtocolError naming file, table and field if it breaks a rule.

    ``calendars`` holds the holidays, by the names that files use in ``business_days``.
    """
    return _build(_Origin(mapping, file_name, calendars or {}), {})


def _build(origin: _Origin, values: Mapping[str, int]) -> Protocol:
    file = Table(origin.mapping, origin.file_name)
    reader = _Reader(file, values)
    requirements = sorted(
        (reader.requirement(table) for table in file.tables("requirements", "requirement")),
        key=lambda requirement: requirement.code,
    )
    protocol = Protocol(
        id=file.text("id"),
        title=file.text("title"),
        version=file.text("version"),
        effective_on=file.day("effective_on"),
        jurisdiction=file.text("jurisdiction"),
        requirements=tuple(requirements),
        lab_panels=tuple({item.evidence: None for item in requirements if item.evidence_kind is EvidenceKind.LAB}),
        settings=reader.settings,
        monitoring=reader.monitoring(file.table("monitoring")),
        dosing=reader.dosing(file.table("dosing")),
        antiviral=reader.antiviral(file.table("antiviral")),
        checks=tuple(reader.check(table) for table in file.tables("pre_course_checks", "pre-course check")),
        contraindications=reader.contraindications(file),
        holidays=_holidays(file, origin.calendars),
        origin=origin,
    )
    file.finish()
    return protocol


def _holidays(file: Table, calendars: Mapping[str, frozenset[int]]) -> frozenset[int]:
    """The days off of the calendar that the file names; without one every weekday is a business day."""
    return calendars[file.one_of("business_days", calendars)] if file.has("business_days") else frozenset()


class _Reader:
    """Reads the tables of one file. Sources come first, then settings, because the rest refers to them."""

    def __init__(self, file: Table, values: Mapping[str, int]) -> None:
        self._sources: dict[str, tuple[str, str | None]] = {}
        for key, table in file.named_tables("sources").items():
            self._sources[key] = (table.text("title"), table.optional_text("url"))
            table.finish()
        self.settings: dict[str, Setting] = {}
        for name, table in file.named_tables("settings").items():
            self.settings[name] = self._setting(name, table, values.get(name))

    def _citation(self, table: Table) -> Citation:
        title, url = self._sources[table.one_of("source", self._sources)]
        return Citation(title, url, table.choice("grade", Grade), table.text("section"))

    def _setting(self, name: str, table: Table, value: int | None) -> Setting:
        default = table.integer("value")
        setting = Setting(
            name=name,
            value=default if value is None else value,
            default=default,
            unit=table.text("unit"),
            title=table.text("title"),
            help=table.text("help"),
            minimum=table.integer("minimum"),
            maximum=table.integer("maximum"),
            citation=self._citation(table),
        )
        if not setting.minimum <= default <= setting.maximum:
            raise table.error("value", "must lie between minimum and maximum")
        table.finish()
        return setting

    def _setting_value(self, table: Table, field: str) -> int:
        """The value of the setting that a field names."""
        return self.settings[table.one_of(field, self.settings)].value

    def _period(self, table: Table, field: str) -> Period:
        """A period written out ("3 months") or the name of a setting, whose unit then counts."""
        text = table.text(field)
        count, _, unit = text.partition(" ")
        setting = self.settings.get(text)
        if setting is not None:
            count, unit = str(setting.value), setting.unit
        plural = unit if unit.endswith("s") else unit + "s"
        if not count.isdecimal() or plural not in frozenset(Unit):
            raise table.error(field, f"{text!r} is neither a period such as '3 months' nor a setting")
        return Period(int(count), Unit(plural), setting.name if setting else None)

    def requirement(self, table: Table) -> Requirement:
        kind, _, evidence = table.text("evidence").partition(":")
        if kind not in _KNOWN_EVIDENCE or evidence not in _KNOWN_EVIDENCE[EvidenceKind(kind)]:
            raise table.error("evidence", f"{kind}:{evidence} is not known")
        every = self._period(table, "every") if table.has("every") else None
        requirement = Requirement(
            code=table.text("code"),
            title=table.text("title"),
            explanation=table.text("explanation"),
            evidence_kind=EvidenceKind(kind),
            evidence=evidence,
            anchor=table.choice("anchor", Anchor),
            slot=table.text("slot"),
            every=every,
            first_due=every or self._period(table, "first_due"),
            opens=self._period(table, "opens"),
            closes=table.choice("closes", Closes),
            until=table.one_of("until", [_MONITORING_END]) if table.has("until") else None,
            applies_to=table.choice("applies_to", AppliesTo),
            citation=self._citation(table),
        )
        check_requirement(requirement, table)
        table.finish()
        return requirement

    def monitoring(self, table: Table) -> Monitoring:
        monitoring = Monitoring(
            tail_months=self._setting_value(table, "tail"),
            explanation=table.text("explanation"),
            citation=self._citation(table),
        )
        table.finish()
        return monitoring

    def dosing(self, table: Table) -> Dosing:
        dosing = Dosing(
            minimum_gap_months=self._setting_value(table, "minimum_gap"),
            dose_mg=table.integer("dose_mg", 1),
            first_course_days=table.integer("first_course_days", 1),
            later_course_days=table.integer("later_course_days", 1),
            maximum_courses=table.integer("maximum_courses", 1) if table.has("maximum_courses") else None,
            citation=self._citation(table),
        )
        table.finish()
        return dosing

    def antiviral(self, table: Table) -> Antiviral:
        antiviral = Antiviral(
            title=table.text("title"),
            explanation=table.text("explanation"),
            minimum_months=self._setting_value(table, "minimum"),
            cd4_minimum=self._setting_value(table, "cd4_minimum") if table.has("cd4_minimum") else None,
            citation=self._citation(table),
        )
        table.finish()
        return antiviral

    def check(self, table: Table) -> PreCourseCheck:
        check = PreCourseCheck(
            code=table.text("code"),
            title=table.text("title"),
            explanation=table.text("explanation"),
            evidence=table.text("evidence"),
            courses=table.one_of("courses", ("first", "each")),
            severity=table.one_of("severity", ("block", "warn", "advise")),
            window=self._period(table, "window") if table.has("window") else None,
            citation=self._citation(table),
        )
        table.finish()
        return check

    def contraindications(self, file: Table) -> tuple[Contraindication, ...]:
        found = []
        for table in file.tables("contraindications", "contraindication") if file.has("contraindications") else []:
            found.append(
                Contraindication(code=table.text("code"), title=table.text("title"), citation=self._citation(table))
            )
            table.finish()
        return tuple(found)
