"""Reading histories: what is accepted, and that everything else is refused with the name of the field."""

import copy
import json
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clinic_tracker.domain.calendar import iso
from clinic_tracker.domain.history_json import (
    PROTOCOLS,
    REQUIREMENTS,
    InvalidHistory,
    instant,
    read_day,
    read_history,
    read_infusion,
    read_json,
)
from clinic_tracker.domain.vocabulary import ResultStatus
from clinic_tracker.queries.protocols import packaged_protocols

FULL: dict[str, Any] = {
    "protocol": "lemtrada-us",
    "time_zone": "America/New_York",
    "patient": {"sex_at_birth": "female", "has_cervix": True},
    "courses": [
        {
            "number": 1,
            "infusions": [
                {
                    "started_at": "2025-11-03T09:05-05:00",
                    "ended_at": "2025-11-03T13:10-05:00",
                    "pauses": [{"paused_at": "2025-11-03T10:12-05:00", "resumed_at": "2025-11-03T10:30-05:00"}],
                }
            ],
            "monitoring_extended_to": None,
        },
        {"number": 3, "infusions": []},
        {"number": 2},
    ],
    "labs": [{"test": "cbc_diff", "collected_on": "2025-12-03", "status": "final", "value": None}],
    "exams": [{"kind": "skin_exam", "on": "2025-10-15"}],
    "forms": [
        {"kind": "patient_status_form", "submitted_on": "2026-05-01"},
        {"kind": "infusion_checklist", "course": 1, "submitted_on": "2025-11-06"},
    ],
    "waivers": [{"requirement": "tsh", "from_on": "2026-01-01", "to_on": "2026-03-31"}],
    "monitoring_closed_on": None,
}


def changed(path: str, value: object) -> dict[str, Any]:
    """FULL with one field set, given by a path such as labs.0.status."""
    history = copy.deepcopy(FULL)
    place: Any = history
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    for step in steps:
        place = place[step]
    place[last] = value
    return history


def without(path: str) -> dict[str, Any]:
    history = copy.deepcopy(FULL)
    place: Any = history
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    for step in steps:
        place = place[step]
    del place[last]
    return history


def refusal(history: object) -> str:
    with pytest.raises(InvalidHistory) as refused:
        read_history(history)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_full_history_is_read() -> None:
    history = read_history(FULL)
    assert [iso(day) for day in history.courses[0].infusion_days] == ["2025-11-03"]
    assert history.given == [history.courses[0]]
    assert history.has_cervix
    assert history.labs[0].status is ResultStatus.FINAL
    assert history.forms[1].course == 1


def test_lists_and_dates_may_be_left_out() -> None:
    names = ("labs", "exams", "forms", "waivers", "monitoring_closed_on")
    history = read_history({key: value for key, value in FULL.items() if key not in names})
    assert (history.labs, history.exams, history.forms, history.waivers) == ((), (), (), ())
    assert history.monitoring_closed_on is None


@pytest.mark.parametrize(
    "name", ["labs", "exams", "forms", "waivers", "courses.0.infusions", "courses.0.infusions.0.pauses"]
)
def test_a_list_may_be_null_which_is_as_good_as_left_out(name: str) -> None:
    assert read_history(changed(name, None)) == read_history(changed(name, []))


@pytest.mark.parametrize(
    "patient, expected",
    [
        ({"sex_at_birth": "female"}, True),
        ({"sex_at_birth": "female", "has_cervix": None}, True),
        ({"sex_at_birth": "female", "has_cervix": False}, False),
        ({"sex_at_birth": "male", "has_cervix": True}, True),
        ({"sex_at_birth": "unknown"}, False),
        ({"sex_at_birth": None}, False),
        ({}, False),
    ],
)
def test_a_cervix_is_stated_or_follows_from_the_sex(patient: dict[str, Any], expected: bool) -> None:
    assert read_history(changed("patient", patient)).has_cervix is expected


@pytest.mark.parametrize(
    "started_at, expected",
    [
        ("2025-11-03T09:05-05:00", "2025-11-03"),
        ("2025-11-03T09:05:30-05:00", "2025-11-03"),
        ("2025-11-03T09:05:30.1234567-05:00", "2025-11-03"),
        ("2025-11-04T03:00Z", "2025-11-03"),
        ("2025-11-04t05:00z", "2025-11-04"),
        ("2025-11-04T10:00+0530", "2025-11-03"),
        ("2025-11-02T01:30-04:00", "2025-11-02"),  # an hour that came twice, told apart by its offset
        ("2200-01-01T04:59Z", "2199-12-31"),
        ("1900-01-01T05:00Z", "1900-01-01"),
    ],
)
def test_an_infusion_is_on_the_local_date_of_its_start(started_at: str, expected: str) -> None:
    infusions = [{"started_at": started_at, "pauses": [], "ended_at": None}]
    history = read_history(changed("courses.0.infusions", infusions))
    assert [iso(day) for day in history.courses[0].infusion_days] == [expected]


@pytest.mark.parametrize("status", [None, "final", "corrected", "preliminary", "cancelled", "entered_in_error"])
def test_statuses(status: str | None) -> None:
    assert read_history(changed("labs.0.status", status)).labs[0].status == (status or "final")
    assert read_history(without("labs.0.status")).labs[0].status == "final"


@pytest.mark.parametrize("value", [None, 0, 3, 2.5, -2, 2**1000])
def test_values_are_numbers(value: float | None) -> None:
    assert read_history(changed("labs.0.value", value)).labs[0].value == value


def test_a_form_may_name_no_course() -> None:
    assert read_history(changed("forms.0.course", None)).forms[0].course is None


def test_extra_keys_are_for_callers_who_know_them() -> None:
    assert read_history({**FULL, "identity": {}}, extra=frozenset({"identity"})) == read_history(FULL)
    assert refusal({**FULL, "identity": {}}) == "identity: is not known"


@pytest.mark.parametrize("value", [None, [], "history", 3, True])
def test_a_history_is_an_object(value: object) -> None:
    assert refusal(value) == ": must be an object"


@pytest.mark.parametrize(
    "path",
    [
        *["protocol", "time_zone", "patient", "courses", "courses.0.number", "courses.0.infusions.0.started_at"],
        *["labs.0.test", "labs.0.collected_on", "exams.0.kind", "exams.0.on", "forms.0.kind", "forms.0.submitted_on"],
        *["waivers.0.requirement", "waivers.0.from_on", "waivers.0.to_on"],
    ],
)
def test_required_fields(path: str) -> None:
    assert refusal(without(path)) == f"{as_written(path)}: is required"


def as_written(path: str) -> str:
    """labs.0.status -> labs[0].status."""
    written = ""
    for step in path.split("."):
        written += f"[{step}]" if step.isdecimal() else f".{step}"
    return written.removeprefix(".")


@pytest.mark.parametrize(
    "place", ["", "patient.", "courses.0.", "courses.0.infusions.0.", "forms.0.", "labs.0.", "exams.0."]
)
def test_unknown_keys(place: str) -> None:
    assert refusal(changed(f"{place}color", 1)) == f"{as_written(place + 'color')}: is not known"


def test_an_unknown_key_is_shown_in_one_line() -> None:
    assert refusal({**FULL, "a\nb\ud800": 1}) == "a?b?: is not known"
    assert refusal({**FULL, "": 1}) == '"": is not known'


BAD = {
    "protocol": [None, 1, "lemtrada", "LEMTRADA-US", ["lemtrada-us"], {}],
    "time_zone": [
        *[None, 5, "", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "America", "America/New York", "\0"],
        *["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "./localtime", "\ud800", "x\ny"],
    ],
    "patient": [None, [], "female"],
    "patient.sex_at_birth": ["Female", "f", "", 1, True, []],
    "patient.has_cervix": ["yes", 1, 0, []],
    "courses": [None, {}, "1", 3],
    "courses.0": [None, [], 1],
    "courses.0.number": [None, 0, -1, 1.0, True, "1"],
    "courses.0.infusions": [{}, "2025-11-03", 1],
    "courses.0.infusions.0": [None, "2025-11-03T09:05-05:00"],
    "courses.0.infusions.0.started_at": [
        *[None, 5, "", "2025-11-03", "2025-11-03T09:05", "2025-11-03 09:05-05:00", "2025-11-03T09-05:00"],
        *["2025-11-03T09:05-05:00\n", "2025-11-03T25:05-05:00", "2025-13-03T09:05-05:00", "2025-02-29T09:05-05:00"],
        *["2025-11-03T09:05-25:00", "0001-01-01T00:00Z", "9999-12-31T23:59-10:00", "1900-01-01T04:59Z"],
        *["2200-01-01T05:00Z", "20251103T0905-0500"],
    ],
    "courses.0.infusions.0.ended_at": [
        *[5, "", "2025-11-03", "2025-11-03T09:04-05:00", "2025-11-03T13:10"],
        *["2200-01-01T05:00Z", "9999-12-31T23:59-12:00"],
    ],
    "courses.0.infusions.0.pauses": ["none", {}, 5],
    "courses.0.infusions.0.pauses.0": [5, None, [], "10:00"],
    "courses.0.monitoring_extended_to": [5, "", "2029", "2200-01-01", "2029-02-29", True],
    "labs": [{}, "x"],
    "labs.0": [None, [], "cbc_diff"],
    "labs.0.test": [None, "", 5, []],
    "labs.0.collected_on": [None, 20251203, "03.12.2025", "2025-12-3", "20251203", "1899-12-31", "2200-01-01", []],
    "labs.0.status": ["Final", "", 1, True, []],
    "labs.0.value": ["250", True, [], float("nan"), float("inf"), 10**400, -(10**309)],
    "exams.0.kind": [None, "tb_screen", "skin", 1],
    "exams.0.on": [None, 1, "2025-10-32"],
    "forms.0.kind": [None, "adverse_event_form", 1],
    "forms.0.submitted_on": [None, 1, "soon"],
    "forms.0.course": [0, 1, "1", 1.5, True],
    "forms.1.course": [None, 0, "1", True],
    "waivers.0.requirement": [None, "cd4", "CBC", 1],
    "waivers.0.from_on": [None, 1, "2026-1-1"],
    "waivers.0.to_on": [None, 1, "2025-12-31"],
    "monitoring_closed_on": [1, "", "never", "2200-01-01"],
}


@pytest.mark.parametrize("path, value", [(path, value) for path, values in BAD.items() for value in values])
def test_bad_values_are_refused_by_name(path: str, value: object) -> None:
    assert refusal(changed(path, value)).startswith(f"{as_written(path)}: ")


BAD_PAUSES = {
    "paused_at": [None, 5, "10:00", "2025-11-03T10:00", "1900-01-01T04:59Z"],
    "resumed_at": [5, "", "2025-11-03T10:11-05:00", "2200-01-01T05:00Z"],
    "from": ["noon", None],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in BAD_PAUSES.items() for value in values])
def test_pauses_are_read_where_they_are_kept_and_change_nothing_for_the_engine(name: str, value: object) -> None:
    path = f"courses.0.infusions.0.pauses.0.{name}"
    document: Any = changed(path, value)
    assert read_history(document) == read_history(FULL)
    with pytest.raises(InvalidHistory) as refused:
        read_infusion(document["courses"][0]["infusions"][0], ZoneInfo("America/New_York"))
    assert str(refused.value).startswith(f"pauses[0].{name}: ")


def test_a_checklist_needs_its_course() -> None:
    assert refusal(without("forms.1.course")) == "forms[1].course: must be a whole number, 1 or more"


def test_a_negative_cd4_is_refused() -> None:
    lab = {"test": "cd4", "collected_on": "2025-12-03", "value": -1}
    assert refusal(changed("labs", [lab])) == "labs[0].value: must not be negative"


def course(number: int, *started: str) -> dict[str, Any]:
    return {"number": number, "infusions": [{"started_at": f"{day}T12:00-05:00"} for day in started]}


def test_course_numbers_are_unique() -> None:
    courses = [course(1, "2024-01-01"), course(1, "2025-01-01")]
    assert refusal(changed("courses", courses)) == "courses[1].number: 1 is used twice"


@pytest.mark.parametrize(
    "courses, place",
    [
        ([course(1, "2025-01-01"), course(2, "2024-01-01")], 1),
        ([course(2, "2024-01-01"), course(1, "2025-01-01")], 0),
        ([course(1, "2024-01-01", "2024-01-05"), course(2, "2024-01-05")], 1),
        ([course(1, "2024-01-01", "2024-06-01"), course(2, "2024-03-01")], 1),
        ([course(1, "2024-01-05"), course(3), course(7, "2024-01-05")], 2),
    ],
)
def test_courses_follow_each_other(courses: list[dict[str, Any]], place: int) -> None:
    assert refusal(changed("courses", courses)).startswith(f"courses[{place}].infusions: course ")


def test_courses_may_have_holes_in_their_numbers_and_come_in_any_order() -> None:
    history = read_history(changed("courses", [course(7, "2025-01-05"), course(3), course(2, "2024-01-05")]))
    assert [item.number for item in history.given] == [2, 7]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "history: not JSON: Expecting value at line 1"),
        ('{"protocol":\n"lemtrada-us",}', "history: not JSON: Expecting property name"),
        ("[" * 100_000, "history: not JSON that can be read"),
    ],
)
def test_what_is_not_json_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InvalidHistory) as refused:
        read_json(text)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_a_key_given_twice_is_refused_by_name() -> None:
    text = json.dumps(FULL).replace('"status": "final"', '"status": "final", "status": "corrected"')
    assert refusal(read_json(text)) == "labs[0].status: is given twice"


def test_numbers_that_json_does_not_have_are_refused_by_name() -> None:
    text = json.dumps(FULL).replace('"value": null', '"value": NaN')
    assert refusal(read_json(text)) == "labs[0].value: must be a number or null"
    text = json.dumps(FULL).replace('"value": null', '"value": 1e400')
    assert refusal(read_json(text)) == "labs[0].value: must be a number or null"


@pytest.mark.parametrize("digits", ["9" * 400, "-" + "9" * 400, "9" * 5000, "-" + "9" * 5000])
def test_a_number_of_any_length_is_refused_by_name(digits: str) -> None:
    text = json.dumps(FULL).replace('"value": null', f'"value": {digits}')
    assert refusal(read_json(text)) == "labs[0].value: must be a number or null"


def test_a_course_number_may_be_as_long_as_numbers_can_be_read() -> None:
    text = json.dumps(FULL)
    assert read_history(read_json(text.replace('"number": 1', f'"number": {"9" * 4000}'))).courses
    refused = refusal(read_json(text.replace('"number": 1', f'"number": {"9" * 5000}')))
    assert refused == "courses[0].number: must be a whole number, 1 or more"


@pytest.mark.parametrize("name", ["UTC", "Etc/GMT+5", "Europe/Berlin", "EST5EDT"])
def test_places_and_fixed_offsets_are_time_zones(name: str) -> None:
    assert read_history(changed("time_zone", name)).courses


def test_the_name_of_a_test_may_be_anything_to_the_engine() -> None:
    for test in ("\ud800", "a\0b", "x" * 100_000):
        assert read_history(changed("labs.0.test", test)).labs[0].test == test


def test_the_last_day_of_the_format_is_a_day() -> None:
    infusion = {"started_at": "2199-12-31T20:00-05:00", "ended_at": "2199-12-31T23:59-05:00"}
    assert read_infusion(infusion, ZoneInfo("America/New_York")).on == date(2199, 12, 31)


def test_times_and_days_can_be_read_alone() -> None:
    assert instant("2025-11-03T09:05-05:00").isoformat() == "2025-11-03T09:05:00-05:00"
    assert iso(read_day("2025-11-03")) == "2025-11-03"


def test_complaints_can_be_seen_from_outside() -> None:
    error = InvalidHistory("on", "is wrong")
    assert str(error.inside("exams[0]").inside("[3]")) == "[3].exams[0].on: is wrong"
    assert str(InvalidHistory("[0]", "is wrong").inside("exams")) == "exams[0]: is wrong"
    assert str(InvalidHistory("", "is wrong").inside("exams")) == "exams: is wrong"


def test_the_vocabulary_is_that_of_the_packaged_protocols() -> None:
    protocols = packaged_protocols()
    assert protocols.keys() == PROTOCOLS
    assert {item.code for protocol in protocols.values() for item in protocol.requirements} == REQUIREMENTS
