"""Values of FHIR as lines of a result: quantities, concepts, ratios, ranges, reasons for their absence."""

from decimal import Decimal
from typing import Any, NamedTuple

from clinic_tracker.domain.messages import Coded, Observed, ReportState
from clinic_tracker.integrations.fhir.document import Json, item, items, text_of
from clinic_tracker.integrations.wire import UCUM, code_system, safe

_FARTHEST_DIGIT = 30
_STATES = {
    "registered": ReportState.PENDING,
    "preliminary": ReportState.PRELIMINARY,
    "final": ReportState.FINAL,
    "amended": ReportState.CORRECTED,
    "corrected": ReportState.CORRECTED,
    "cancelled": ReportState.REJECTED,
    "entered-in-error": ReportState.CANCELLED,
    "unknown": ReportState.PRELIMINARY,
}
_WAITING = frozenset({"temp-unknown"})
_TEXTS = ("valueString", "valueDateTime", "valueTime")
_RESULTED = (ReportState.FINAL, ReportState.CORRECTED)


class Value(NamedTuple):
    """A value as printed, with its unit in one or two spellings, or the codes of a concept."""

    text: str = ""
    unit: str = ""
    unit_text: str = ""
    codes: tuple[Coded, ...] = ()


def codes_of(concept: Json) -> tuple[Coded, ...]:
    """The codes of a concept; its text stands for the first that has none."""
    text = text_of(concept, "text")
    found = [
        Coded(text_of(one, "code"), code_system(text_of(one, "system")), text_of(one, "display"))
        for one in items(concept, "coding")
    ]
    found = [one for one in found if one.code or one.text]
    if found and text and not found[0].text:
        found[0] = found[0]._replace(text=text)
    return tuple(found) or ((Coded("", "", text),) if text else ())


def words_of(concept: Json) -> str:
    """A concept in words; a bare code with its system, so that its digits are no number."""
    codes = codes_of(concept)
    text = text_of(concept, "text") or next((one.text for one in codes if one.text), "")
    if text or not codes:
        return text
    return f"{codes[0].code} ({codes[0].system})" if codes[0].system else codes[0].code


def lines_of(observation: Json) -> list[Observed]:
    """The lines of one Observation: its own value, and one for each component with a value.

    An Observation that only groups others, or components, has no line of its own.
    """
    components = items(observation, "component")
    groups = bool(components) or bool(items(observation, "hasMember"))
    state = _STATES.get(text_of(observation, "status"), ReportState.PRELIMINARY)
    notes = tuple(text for one in items(observation, "note") if (text := text_of(one, "text")))
    own = _line(observation, state, notes, key=text_of(observation, "id"))
    lines = [] if groups and not own.text and "dataAbsentReason" not in observation else [own]
    return lines + [_line(one, state, () if lines else notes) for one in components]


def _line(holder: Json, state: ReportState, notes: tuple[str, ...], key: str = "") -> Observed:
    value = value_of(holder)
    if not value.text and (absent := item(holder, "dataAbsentReason")):
        waiting = any(one.code in _WAITING for one in codes_of(absent))
        if state in _RESULTED:
            state = ReportState.PENDING if waiting else ReportState.REJECTED
        notes = (f"No value: {words_of(absent)}", *notes)
    low, high, range_text = _range(holder, value.unit)
    flags = [coded.code or coded.text for one in items(holder, "interpretation") for coded in codes_of(one)[:1]]
    return Observed(
        codes=codes_of(item(holder, "code")),
        text=value.text,
        unit=value.unit,
        low=low,
        high=high,
        flag=",".join(flags),
        state=state,
        notes=notes,
        unit_text=value.unit_text,
        range_text=range_text,
        value_codes=value.codes,
        key=key,
    )


def value_of(holder: Json) -> Value:
    """The value of an Observation or component, whichever of its types was sent."""
    if quantity := item(holder, "valueQuantity"):
        return _quantity(quantity)
    if concept := item(holder, "valueCodeableConcept"):
        return Value(words_of(concept), codes=codes_of(concept))
    if ratio := item(holder, "valueRatio"):
        return _ratio(_quantity(item(ratio, "numerator")), _quantity(item(ratio, "denominator")))
    if span := item(holder, "valueRange"):
        return _span(_quantity(item(span, "low")), _quantity(item(span, "high")))
    return Value(_plain_value(holder))


def _plain_value(holder: Json) -> str:
    if isinstance(flag := holder.get("valueBoolean"), bool):
        return "true" if flag else "false"
    if (number := holder.get("valueInteger")) is not None:
        return number_text(number)
    if "valueSampledData" in holder or "valuePeriod" in holder:
        return "(a series or period of time)"
    return next(filter(None, (text_of(holder, name) for name in _TEXTS)), "")


def number_text(number: Any) -> str:
    """The digits as they were sent, without an exponent where that is no longer than a line."""
    if isinstance(number, Decimal) and "E" in str(number) and abs(number.adjusted()) < _FARTHEST_DIGIT:
        return f"{number:f}"
    return safe(str(number)) if isinstance(number, int | Decimal | str) and not isinstance(number, bool) else ""


def _quantity(quantity: Json) -> Value:
    """A number with comparator; the unit is the UCUM code if there is one, and what was printed beside it."""
    code, printed = text_of(quantity, "code"), text_of(quantity, "unit")
    unit = code if code and (text_of(quantity, "system") == UCUM or not printed) else printed
    number = number_text(quantity.get("value"))
    other = next((one for one in (printed, code) if one and one != unit), "")
    return Value(f"{text_of(quantity, 'comparator')}{number}" if number else "", unit, other if code else "")


def _ratio(upper: Value, lower: Value) -> Value:
    """1:64 of bare numbers is a titer; with units nothing is worked out."""
    if not (upper.text and lower.text):
        return Value()
    if not (upper.unit or lower.unit):
        return Value(f"{upper.text}:{lower.text}")
    return Value(f"{upper.text} {upper.unit} / {lower.text} {lower.unit}".strip())


def _span(low: Value, high: Value) -> Value:
    if low.text and high.text:
        if low.unit != high.unit:
            return Value(f"{low.text} {low.unit} - {high.text} {high.unit}")
        return Value(f"{low.text}-{high.text}", low.unit, low.unit_text)
    if low.text or high.text:
        return Value(f">={low.text}" if low.text else f"<={high.text}", low.unit or high.unit)
    return Value()


def _range(holder: Json, unit: str) -> tuple[str, str, str]:
    """Limits and printed text of the reference range. Of several the only normal one counts, otherwise none."""
    sent = items(holder, "referenceRange")
    normal = [one for one in sent if _is_normal(one) and not one.get("appliesTo") and not one.get("age")]
    chosen = sent[0] if len(sent) == 1 else normal[0] if len(normal) == 1 else None
    text = "; ".join(filter(None, (_range_text(one) for one in sent)))
    if chosen is None:
        return "", "", text
    low, high = _quantity(item(chosen, "low")), _quantity(item(chosen, "high"))
    for limit in (low, high):
        if limit.text and limit.unit and unit not in ("", limit.unit, limit.unit_text):
            return "", "", text
    return low.text, high.text, text


def _is_normal(sent: Json) -> bool:
    return "type" not in sent or any(one.code == "normal" for one in codes_of(item(sent, "type")))


def _range_text(sent: Json) -> str:
    if text := text_of(sent, "text"):
        return text
    span = _span(_quantity(item(sent, "low")), _quantity(item(sent, "high")))
    return f"{span.text} {span.unit}".strip()
