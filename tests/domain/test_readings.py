import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.readings import Flag, Reading, flag, parse_reading


@pytest.mark.parametrize(
    "text,number,comparator",
    [
        ("145", 145, ""),
        (" 0.85 ", 0.85, ""),
        (".5", 0.5, ""),
        ("1,234", 1234, ""),
        ("1,234.5", 1234.5, ""),
        ("<0.1", 0.1, "<"),
        ("> 200", 200, ">"),
        ("<=5", 5, "<="),
        ("≥ 60", 60, ">="),
        ("0-2", 2, ""),
        ("3 – 5", 5, ""),
        ("0 to 2", 2, ""),
        ("None seen", 0, ""),
        ("TNTC", 100, ">"),
    ],
)
def test_results_are_read_as_laboratories_print_them(text, number, comparator):
    reading = parse_reading(text)
    assert (reading.number, reading.comparator) == (number, comparator)
    assert reading.text == " ".join(text.split())


@pytest.mark.parametrize("text", ["1,5", "few", "5-3", "2-2", "12 mg", "-3", "1.2.3", "<", "1e3"])
def test_what_is_no_value_is_refused_with_examples(text):
    with pytest.raises(RuleViolation) as caught:
        parse_reading(text, "platelets")
    assert (caught.value.code, caught.value.field) == ("unreadable_value", "platelets")
    assert "<0.1" in caught.value.message


@pytest.mark.parametrize("text", ["negative", "none seen", "absent", "TNTC", "packed", "0-2"])
def test_only_what_is_counted_by_eye_can_be_none_or_too_many(text):
    with pytest.raises(RuleViolation) as caught:
        parse_reading(text, "platelets", by_eye=False)
    assert caught.value.code == "unreadable_value"
    assert "urine" not in caught.value.message


def test_a_missing_value_is_asked_for():
    with pytest.raises(RuleViolation) as caught:
        parse_reading("  ")
    assert caught.value.code == "missing_value"


@given(st.text(max_size=12))
def test_any_text_is_a_reading_or_a_refusal(text):
    with contextlib.suppress(RuleViolation):
        assert parse_reading(text).number >= 0


@given(st.floats(0, 1e6), st.sampled_from(["", "<", ">", "<=", ">="]))
def test_a_printed_number_is_read_back(number, comparator):
    assert parse_reading(f"{comparator}{number:.3f}")[:2] == (round(number, 3), comparator)


@pytest.mark.parametrize(
    "number,expected",
    [(149.9, Flag.LOW), (150, Flag.NORMAL), (450, Flag.NORMAL), (450.1, Flag.HIGH)],
)
def test_the_limits_themselves_are_normal(number, expected):
    assert flag(number, 150, 450) is expected


@pytest.mark.parametrize(
    "text,low,high,expected",
    [
        ("<0.1", 0.4, 4.5, Flag.LOW),
        ("<0.4", 0.4, 4.5, Flag.LOW),
        ("<=0.4", 0.4, 4.5, None),
        ("<1", 0.4, 4.5, None),
        ("<1", None, 4.5, Flag.NORMAL),
        (">200", 0, 150, Flag.HIGH),
        (">150", 0, 150, Flag.HIGH),
        (">=150", 0, 150, None),
        (">100", 0, 150, None),
        (">60", 60, None, Flag.NORMAL),
        ("TNTC", 0, 2, Flag.HIGH),
    ],
)
def test_a_comparator_is_flagged_only_where_it_is_certain(text, low, high, expected):
    assert flag(parse_reading(text), low, high) is expected


def test_no_value_or_no_range_tells_nothing():
    assert flag(None, 1, 2) is None
    assert flag(1.5, None, None) is None


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_plain_number_is_always_flagged(number, one, other):
    low, high = sorted((one, other))
    expected = Flag.LOW if number < low else Flag.HIGH if number > high else Flag.NORMAL
    assert flag(number, low, high) is flag(Reading(number, "", ""), low, high) is expected
