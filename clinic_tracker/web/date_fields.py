"""Date and time fields: typed the American way or any unambiguous way, in the clinic's time zone."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, cast

from wtforms.validators import StopValidation

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import (
    Choice,
    is_repeated,
    local_date,
    parse_date,
    parse_time,
    repeated_options,
    resolve_local,
    show_date,
    to_local,
)
from clinic_tracker.web.fields import DescribedField, Local

CLOCK_SLACK = timedelta(minutes=2)


class _CompositeField(DescribedField):
    """Several inputs named ``<name>-<part>`` that make one value. What was typed is kept as typed."""

    parts: tuple[str, ...] = ()

    def process(self, formdata: Any, data: Any = ..., extra_filters: Sequence[Any] | None = None) -> None:
        arguments = {} if data is ... else {"data": data}
        super().process(None, extra_filters=extra_filters, **arguments)
        self.typed = dict.fromkeys(self.parts, "")
        if formdata is None:
            self.typed.update(self.split(self.data))
            return
        self.typed = {part: self._first(formdata, f"{self.name}-{part}") for part in self.parts}
        self.raw_data = list(self.typed.values())
        self.data = None
        try:
            self.data = None if self.is_blank else self.join()
        except ValueError as refused:
            self.process_errors = [str(refused)]

    @staticmethod
    def _first(formdata: Any, name: str) -> str:
        values = formdata.getlist(name)
        return str(values[0]).strip() if values else ""

    def part_id(self, part: str) -> str:
        """The id of one of the inputs."""
        return f"{self.id}-{part}"

    def split(self, value: Any) -> dict[str, str]:
        """The value as text for each input."""
        raise NotImplementedError

    def join(self) -> Any:
        """The value that the typed parts make; ValueError, with words for the person, when they make none."""
        raise NotImplementedError


class _DateLimits(DescribedField):
    """The earliest and latest dates that make sense, in words."""

    @property
    def local(self) -> Local:
        """Where and when the form is filled in."""
        return cast("Local", self._form.local)  # type: ignore[attr-defined]

    def worded(self, refused: RuleViolation) -> str:
        """What the rule says, after the name of the field."""
        return f"{self.label.text}: {refused.message}"

    def set_limits(self, *, not_future: bool, not_past: bool, earliest: date | None, latest: date | None) -> None:
        self.not_future, self.not_past = not_future, not_past
        self.earliest, self.latest = earliest, latest

    def check_limits(self, value: date, today: date) -> None:
        """StopValidation with a sentence that names the field."""
        if self.not_future and value > today:
            raise StopValidation(self.too("must not be in the future"))
        if self.not_past and value < today:
            raise StopValidation(self.too("must be today or later"))
        if self.earliest is not None and value < self.earliest:
            raise StopValidation(self.too(f"must be {show_date(self.earliest)} or later"))
        if self.latest is not None and value > self.latest:
            raise StopValidation(self.too(f"must be {show_date(self.latest)} or earlier"))


class DateField(_CompositeField, _DateLimits):
    """A date: one box that takes any unambiguous form, or (``parts=True``) boxes for month, day and year."""

    PARTS: ClassVar[tuple[tuple[str, str, int], ...]] = (("month", "Month", 3), ("day", "Day", 2), ("year", "Year", 4))

    def __init__(
        self,
        *args: Any,
        parts: bool = False,
        not_future: bool = False,
        not_past: bool = False,
        earliest: date | None = None,
        latest: date | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind = "date_parts" if parts else "date"
        self.parts = ("month", "day", "year") if parts else ()
        self.set_limits(not_future=not_future, not_past=not_past, earliest=earliest, latest=latest)

    def process(self, formdata: Any, data: Any = ..., extra_filters: Sequence[Any] | None = None) -> None:
        if self.parts and (formdata is None or self.name not in formdata):
            super().process(formdata, data, extra_filters)
            return
        arguments = {} if data is ... else {"data": data}
        DescribedField.process(self, formdata, extra_filters=extra_filters, **arguments)
        self.typed = self.split(self.data) if self.parts else {}

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data = None
        if text:
            self.data = self._parse(text)

    def _parse(self, text: str) -> date:
        try:
            return parse_date(text, self.local.today, self.name)
        except RuleViolation as refused:
            raise ValueError(self.worded(refused)) from refused

    def split(self, value: Any) -> dict[str, str]:
        if not isinstance(value, date):
            return {}
        return {"month": str(value.month), "day": str(value.day), "year": str(value.year)}

    def join(self) -> date:
        missing = [part for part in self.parts if not self.typed[part]]
        if missing:
            raise ValueError(self.too(f"must include a {' and a '.join(missing)}"))
        month, day, year = (self.typed[part] for part in self.parts)
        if not (year.isascii() and year.isdigit() and len(year) == 4):  # noqa: PLR2004
            raise ValueError(self.too("must have a year of four digits"))
        return self._parse(f"{month}/{day}/{year}" if month.isdigit() else f"{month} {day} {year}")

    def pre_validate(self, _form: Any) -> None:
        if isinstance(self.data, date) and not self.process_errors:
            self.check_limits(self.data, self.local.today)

    @property
    def shown(self) -> str:
        """As typed after a refusal, else 07-Mar-2026."""
        if self.raw_data and not self.parts:
            return str(self.raw_data[0])
        return show_date(self.data) if isinstance(self.data, date) else ""

    @property
    def focus_id(self) -> str:
        """The box, or the first of three."""
        return self.part_id(self.parts[0]) if self.parts else self.id


class TimeField(_DateLimits):
    """A time of day: 13:05, 1305 or 1:05 pm."""

    kind = "time"

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data = None
        if text:
            try:
                self.data = parse_time(text)
            except RuleViolation as refused:
                raise ValueError(self.worded(refused)) from refused

    @property
    def shown(self) -> str:
        """As typed after a refusal, else 13:05."""
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data:%H:%M}" if isinstance(self.data, time) else ""


class LocalDateTimeField(_CompositeField, _DateLimits):
    """Date and time in the clinic's zone; an aware UTC instant. Asks which when the hour comes twice that night."""

    kind = "local_datetime"
    parts = ("date", "time", "fold")

    def __init__(
        self,
        *args: Any,
        not_future: bool = False,
        not_past: bool = False,
        earliest: date | None = None,
        latest: date | None = None,
        **kwargs: Any,
    ) -> None:
        self.fold_choices: list[tuple[str, str]] = []
        super().__init__(*args, **kwargs)
        self.set_limits(not_future=not_future, not_past=not_past, earliest=earliest, latest=latest)

    @property
    def is_blank(self) -> bool:
        """Neither a date nor a time was typed."""
        return not (self.typed.get("date") or self.typed.get("time"))

    def split(self, value: Any) -> dict[str, str]:
        if not isinstance(value, datetime):
            return {}
        there = to_local(value, self.local.time_zone)
        clock = there.time().replace(fold=0)
        typed = {"date": show_date(there.date()), "time": f"{there:%H:%M}"}
        if is_repeated(there.date(), clock, self.local.time_zone):
            self._offer_choice(there.date(), clock)
            typed["fold"] = list(Choice)[there.fold]
        return typed

    def join(self) -> datetime:
        if not self.typed["date"] or not self.typed["time"]:
            raise ValueError(self.too(f"must include a {'time' if self.typed['date'] else 'date'}"))
        try:
            on = parse_date(self.typed["date"], self.local.today, self.name)
            at = parse_time(self.typed["time"], self.name)
            self._offer_choice(on, at)
            choice = Choice(self.typed["fold"]) if self.typed["fold"] in list(Choice) else None
            return resolve_local(on, at, self.local.time_zone, choice, self.name)
        except RuleViolation as refused:
            raise ValueError(self.worded(refused)) from refused

    def _offer_choice(self, on: date, at: time) -> None:
        options = repeated_options(on, at, self.local.time_zone)
        self.fold_choices = [(option.choice.value, option.label) for option in options]

    def pre_validate(self, _form: Any) -> None:
        if not isinstance(self.data, datetime) or self.process_errors:
            return
        if self.not_future and self.data > self.local.now + CLOCK_SLACK:
            raise StopValidation(self.too("must not be in the future"))
        day = local_date(self.data, self.local.time_zone)
        self.check_limits(day, max(day, self.local.today) if self.not_future else self.local.today)

    @property
    def focus_id(self) -> str:
        """The date box, or the question of the repeated hour."""
        return self.part_id("fold-0") if self.fold_choices and not self.typed.get("fold") else self.part_id("date")
