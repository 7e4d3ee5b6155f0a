"""Dates, numbers, names and statuses as people read them. Every function is also usable from presenters."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup, escape

from clinic_tracker.domain.local_time import show_date

NOT_KNOWN = "Not known"
ABBREVIATIONS = frozenset(
    {"hiv", "vzv", "tb", "hpv", "ecg", "cbc", "tsh", "cd4", "upcr", "rems", "mrn", "alt", "ast", "iv", "b", "c"}
)
CLOCK_CHANGE_NEAR = timedelta(hours=36)
MINUTES_IN_HOUR = 60
FLAG_WORDS = {"H": "above the reference range", "L": "below the reference range", "HH": "critically high",
              "LL": "critically low", "A": "abnormal"}  # fmt: skip
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def init_app(app: Flask) -> None:
    """Give every template the filters and the words of statuses."""
    for function in (
        age, clock, date_relative, date_text, duration, lab, or_unknown, overdue_words, person_name,
        person_name_text, plural, relative, words,
    ):  # fmt: skip
        app.add_template_filter(function)
    app.add_template_filter(date_element, "date")
    app.add_template_filter(datetime_element, "datetime")
    app.add_template_global(status_words)


def date_text(day: date | None) -> str:
    """07-Mar-2026; "Not known" without a date."""
    return NOT_KNOWN if day is None else show_date(day)


def date_element(day: date | None) -> Markup:
    """07-Mar-2026 in a ``time`` element."""
    if day is None:
        return Markup('<span class="muted">{}</span>').format(NOT_KNOWN)
    return Markup('<time class="nowrap" datetime="{}">{}</time>').format(day.isoformat(), show_date(day))


def relative(day: date, today: date) -> str:
    """Today, tomorrow, in 3 days, 12 days ago; months and years where days would not be read."""
    days = (day - today).days
    if days == 0:
        return "today"
    if abs(days) == 1:
        return "tomorrow" if days > 0 else "yesterday"
    span = _span(abs(days))
    return f"in {span}" if days > 0 else f"{span} ago"


def _span(days: int) -> str:
    months = round(days / 30.44)
    if days < 60:  # noqa: PLR2004  up to two months, days are what people count
        return plural(days, "day")
    return plural(months, "month") if months < 24 else plural(round(days / 365.25), "year")  # noqa: PLR2004


def date_relative(day: date | None, today: date) -> Markup:
    """The date, and beside it how far away it is."""
    if day is None:
        return date_element(None)
    return Markup('{} <span class="muted nowrap">{}</span>').format(date_element(day), relative(day, today))


def overdue_words(days: int) -> str:
    """12 days overdue."""
    return f"{plural(days, 'day')} overdue"


def _zone_if_needed(there: datetime) -> str:
    # The abbreviation matters only when the clocks change within a day and a half.
    near = {(there + step).utcoffset() for step in (-CLOCK_CHANGE_NEAR, timedelta(), CLOCK_CHANGE_NEAR)}
    return f" {there.tzname()}" if len(near) > 1 else ""


def clock(instant: datetime, time_zone: str) -> str:
    """14:05 on the clinic's clock; 14:05 EST when a change of clocks is near."""
    there = instant.astimezone(ZoneInfo(time_zone))
    return f"{there:%H:%M}{_zone_if_needed(there)}"


def datetime_element(instant: datetime | None, time_zone: str) -> Markup:
    """22-Nov-2026 14:05 on the clinic's clock, in a ``time`` element."""
    if instant is None:
        return date_element(None)
    there = instant.astimezone(ZoneInfo(time_zone))
    shown = f"{show_date(there.date())} {clock(instant, time_zone)}"
    return Markup('<time class="nowrap" datetime="{}">{}</time>').format(there.isoformat(), shown)


def age(born: date, today: date) -> int:
    """Completed years. Somebody born on 29 February is a year older on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def plural(count: int, singular: str, many: str | None = None) -> str:
    """1 patient, 3 patients."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def duration(span: int | timedelta) -> str:
    """2 h 05 min, from minutes or a timedelta."""
    minutes = int(span.total_seconds() // MINUTES_IN_HOUR) if isinstance(span, timedelta) else span
    sign, minutes = ("−" if minutes < 0 else ""), abs(minutes)  # noqa: RUF001  a true minus sign
    if minutes < MINUTES_IN_HOUR:
        return f"{sign}{minutes} min"
    return f"{sign}{minutes // MINUTES_IN_HOUR} h {minutes % MINUTES_IN_HOUR:02} min"


def number_text(value: object) -> str:
    """A number without superfluous zeros; text as it is."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def unit_text(unit: str | None) -> str:
    """10^9/L and 10*9/L as 10⁹/L, umol as µmol; other units as they are."""
    if not unit:
        return ""
    for power in ("10^", "10*"):
        if power in unit:
            before, _, rest = unit.partition(power)
            digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
            unit = f"{before}10{digits.translate(SUPERSCRIPTS)}{rest[len(digits) :]}"
    return unit.replace("umol", "µmol").replace("uL", "µL")


def lab(value: object, unit: str | None = None, flag: str | None = None) -> Markup:
    """A result with its flag and unit: **145 L** 10⁹/L. The flag is also said in words."""
    if value is None:
        return date_element(None)
    shown = Markup('<span class="lab-value">{}</span>').format(number_text(value))
    if flag:
        meaning = FLAG_WORDS.get(flag, "outside the reference range")
        shown = Markup('<strong class="lab-value lab-value--flagged">{} <abbr title="{}">{}</abbr></strong>').format(
            number_text(value), meaning, flag
        )
    return shown + (Markup(' <span class="unit">{}</span>').format(unit_text(unit)) if unit else Markup())


def _part(person: Any, name: str) -> Any:
    return person[name] if isinstance(person, dict) else getattr(person, name)


def person_name(person: Any) -> Markup:
    """**FAMILY**, Given."""
    family, given = str(_part(person, "family_name")).upper(), _part(person, "given_name")
    return Markup('<span class="person-name"><b>{}</b>, {}</span>').format(family, given)


def person_name_text(person: Any) -> str:
    """FAMILY, Given without markup."""
    return f"{str(_part(person, 'family_name')).upper()}, {_part(person, 'given_name')}"


def words(code: object) -> str:
    """patient_status_form as "Patient status form", hiv_test as "HIV test", hepatitis_b as "Hepatitis B"."""
    parts = str(code).replace("_", " ").split()
    text = " ".join(part.upper() if part.lower() in ABBREVIATIONS else part for part in parts)
    return text[:1].upper() + text[1:]


def or_unknown(value: object) -> object:
    """The value, or "Not known" for None and empty text."""
    if value is None or value == "":
        return Markup('<span class="muted">{}</span>').format(NOT_KNOWN)
    return value if isinstance(value, Markup) else escape(value)


def status_words(status: str, days: int | None = None) -> str:
    """The words of a status: ``("overdue", 12)`` is "12 days overdue", ``("due", 0)`` is "due today"."""
    if status == "overdue" and days is not None:
        return overdue_words(days)
    if status == "due" and days is not None:
        return {0: "due today", 1: "due tomorrow"}.get(days, f"due in {plural(days, 'day')}")
    if status == "upcoming" and days is not None:
        return f"opens in {plural(days, 'day')}"
    return str(status).replace("_", " ")
