"""Protocols: every rule has a source and a grade, mistakes are refused by name, R and C values can be set."""

import copy
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.protocol import ProtocolError, load
from clinic_tracker.domain.requirement import Anchor, Period, Unit
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.vocabulary import Grade
from clinic_tracker.queries.protocols import packaged_protocols
from tests.charts import chart, facts

FILE = Path(__file__).parents[2] / "clinic_tracker" / "domain" / "protocols" / "lemtrada_us.toml"
CALENDARS: dict[str, frozenset[int]] = {"us-federal": frozenset()}


@pytest.fixture
def mapping() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def requirement(mapping: dict[str, Any], code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in mapping["requirements"] if item["code"] == code)
    return found


def complaint(mapping: dict[str, Any]) -> str:
    with pytest.raises(ProtocolError) as refused:
        load(mapping, "us.toml", CALENDARS)
    return str(refused.value)


@pytest.mark.parametrize("name", ["lemtrada-us", "lemtrada-eu"])
def test_every_part_has_a_source_a_grade_and_a_section(name: str) -> None:
    protocol = packaged_protocols()[name]
    parts = [*protocol.requirements, *protocol.settings.values(), *protocol.checks]
    for part in [*parts, protocol.dosing, protocol.antiviral, protocol.monitoring]:
        assert part.source
        assert part.section
        assert part.grade in Grade


def test_the_head_of_a_protocol() -> None:
    protocol = packaged_protocols()["lemtrada-us"]
    assert (protocol.jurisdiction, protocol.version) == ("US", "2024-03-04")
    assert protocol.effective_on == date(2024, 3, 4)
    assert [item.code for item in protocol.requirements] == sorted(item.code for item in protocol.requirements)
    assert set(protocol.lab_panels) == {"cbc_diff", "creatinine", "urinalysis_cells", "tsh", "liver_panel"}


def test_doses_and_days_of_a_course() -> None:
    us, eu = packaged_protocols()["lemtrada-us"].dosing, packaged_protocols()["lemtrada-eu"].dosing
    assert (us.dose_mg, us.days_in(1), us.days_in(2), us.days_in(5)) == (12, 5, 3, 3)
    assert (us.minimum_gap_months, us.maximum_courses, eu.maximum_courses) == (12, None, 4)


def test_europe_differs_where_it_should() -> None:
    eu = packaged_protocols()["lemtrada-eu"]
    assert {item.code for item in eu.requirements}.isdisjoint({"infusion_checklist", "patient_status_form"})
    assert str(eu.requirement("liver_panel").every) == "1 month"
    assert (eu.antiviral.minimum_months, eu.antiviral.cd4_minimum) == (1, None)
    with pytest.raises(KeyError):
        eu.value("psf_months")
    with pytest.raises(KeyError):
        eu.requirement("patient_status_form")


def test_no_rems_form_is_ever_shown_as_confirmed() -> None:
    us = packaged_protocols()["lemtrada-us"]
    for code in ("patient_status_form", "infusion_checklist"):
        assert us.requirement(code).unconfirmed
    assert us.settings["psf_months"].unconfirmed
    assert us.settings["early_days_monthly"].local_convention
    assert not us.settings["observation_min"].unconfirmed


def test_only_unconfirmed_values_and_conventions_can_be_set() -> None:
    for protocol in packaged_protocols().values():
        for setting in protocol.settings.values():
            assert setting.editable is (setting.grade in (Grade.R, Grade.C))
            if not setting.editable:
                assert setting.minimum == setting.value == setting.maximum


def test_a_setting_moves_the_schedule() -> None:
    history, protocol = facts(chart(["2025-01-31"]))
    changed = protocol.with_settings({"psf_months": 12, "early_days_monthly": 5})
    known = {item.slot: item for item in forecast(history, changed).obligations}
    assert known["PSF1"].due == date(2026, 1, 31).toordinal()
    assert known["C1M1"].opens == date(2025, 2, 23).toordinal()
    assert changed.settings["psf_months"].default == 6
    assert protocol.value("psf_months") == 6
    assert changed.with_settings({}).value("psf_months") == 6
    assert changed.requirement("patient_status_form").periods == (
        Period(12, Unit.MONTHS, "psf_months"),
        Period(30, Unit.DAYS, "early_days_psf"),
    )


@pytest.mark.parametrize(
    "name, value, code",
    [
        ("psf_monhts", 6, "setting_unknown"),
        ("observation_min", 60, "setting_fixed"),
        ("vaccine_gap_days", 42, "setting_fixed"),
        ("psf_months", 1, "setting_out_of_range"),
        ("psf_months", 25, "setting_out_of_range"),
        ("psf_months", True, "setting_out_of_range"),
        ("psf_months", "6", "setting_out_of_range"),
    ],
)
def test_settings_are_refused_by_name(name: str, value: Any, code: str) -> None:
    with pytest.raises(RuleViolation) as refused:
        packaged_protocols()["lemtrada-us"].with_settings({name: value})
    assert (refused.value.code, refused.value.field) == (code, name)


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(RuleViolation) as refused:
        packaged_protocols()["lemtrada-us"].with_settings({"lft_months": 1, "early_days_quarterly": 28})
    assert refused.value.code == "settings_conflict"
    assert "requirement liver_panel: opens: must be shorter than the cadence" in refused.value.message


CHANGES = [
    ("cbc_diff", "evidence", "lab:cbc", "evidence: lab:cbc is not known"),
    ("cbc_diff", "evidence", "lab:other", "evidence: lab:other is not known"),
    ("cbc_diff", "evidence", "x-ray:skin", "evidence: x-ray:skin is not known"),
    ("cbc_diff", "evidence", "form:patient_status_form", "evidence: must be a lab with this anchor and cadence"),
    ("cbc_diff", "opens", "28 days", "opens: must be shorter than the cadence, or windows would overlap"),
    ("cbc_diff", "opens", "1 month", "opens: must be in days"),
    ("cbc_diff", "opens", "ten days", "opens: 'ten days' is neither a period such as '3 months' nor a setting"),
    ("cbc_diff", "opens", "observation_min", "opens: 'observation_min' is neither a period"),
    ("cbc_diff", "every", "30 days", "every: must be one month or more"),
    ("cbc_diff", "every", "0 months", "every: must be one month or more"),
    ("cbc_diff", "slot", "M{n}", "slot: must contain {course} and {n}"),
    ("cbc_diff", "closes", "never", "closes: is next_opens for the slots of a course and never for the rest"),
    ("cbc_diff", "closes", "later", "closes: 'later' is not one of next_opens, never"),
    ("cbc_diff", "until", "2030", "until: '2030' is not one of monitoring_end"),
    ("cbc_diff", "until", None, "until: is missing"),
    ("cbc_diff", "source", None, "source: is missing"),
    ("cbc_diff", "source", "hearsay", "source: 'hearsay' is not one of"),
    ("cbc_diff", "grade", None, "grade: is missing"),
    ("cbc_diff", "grade", "D", "grade: 'D' is not one of A, B, R, C"),
    ("cbc_diff", "title", " ", "title: must be a text"),
    ("cbc_diff", "title", 5, "title: must be a text"),
    ("cbc_diff", "color", "red", "color: is not a field of this table"),
    ("skin_exam", "closes", "next_opens", "closes: is next_opens for the slots of a course and never for the rest"),
    ("skin_exam", "every", None, "first_due: is missing"),
    ("infusion_checklist", "until", "monitoring_end", "until: belongs to requirements that repeat"),
    ("infusion_checklist", "first_due", "1 month", "first_due: must be in days or business days"),
    ("infusion_checklist", "anchor", "first_infusion", "every: is needed with the anchor first_infusion"),
]


@pytest.mark.parametrize("code, field, value, message", CHANGES)
def test_mistakes_in_a_requirement_are_refused_by_name(
    mapping: dict[str, Any], code: str, field: str, value: Any, message: str
) -> None:
    if value is None:
        del requirement(mapping, code)[field]
    else:
        requirement(mapping, code)[field] = value
    assert complaint(mapping).startswith(f"us.toml: requirement {code}: {message}")


def test_codes_are_unique(mapping: dict[str, Any]) -> None:
    mapping["requirements"].append(copy.deepcopy(mapping["requirements"][0]))
    assert complaint(mapping) == "us.toml: requirement cbc_diff: code: is used twice"


@pytest.mark.parametrize(
    "path, value, message",
    [
        ("id", None, "us.toml: id: is missing"),
        ("effective_on", "2024-03-04", "us.toml: effective_on: must be a date"),
        ("requirements", [], "us.toml: requirements: must be a list of tables"),
        ("requirements", [3], "us.toml: requirements: must be a list of tables"),
        ("requirements", [{}], "us.toml: requirement number 1: evidence: is missing"),
        ("business_days", "lunar", "us.toml: business_days: 'lunar' is not one of us-federal"),
        ("dosing", "12 mg", "us.toml: dosing: must be a table"),
        ("dosing.dose_mg", 0, "us.toml: dosing: dose_mg: must be a whole number, 1 or more"),
        ("dosing.dose_mg", True, "us.toml: dosing: dose_mg: must be a whole number, 1 or more"),
        ("dosing.minimum_gap", "a_year", "us.toml: dosing: minimum_gap: 'a_year' is not one of"),
        ("settings.psf_months.value", 99, "us.toml: settings: psf_months: value: must lie between minimum and maximum"),
        ("settings.psf_months.grade", None, "us.toml: settings: psf_months: grade: is missing"),
        ("sources.label.author", "x", "us.toml: sources: label: author: is not a field of this table"),
        ("extra", 1, "us.toml: extra: is not a field of this table"),
    ],
)
def test_mistakes_elsewhere_are_refused_by_name(mapping: dict[str, Any], path: str, value: Any, message: str) -> None:
    *steps, last = path.split(".")
    place: Any = mapping
    for step in steps:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert complaint(mapping).startswith(message)


def test_a_protocol_needs_no_holidays_and_may_limit_courses(mapping: dict[str, Any]) -> None:
    del mapping["business_days"]
    mapping["dosing"]["maximum_courses"] = 2
    requirement(mapping, "infusion_checklist")["first_due"] = "7 days"
    protocol = load(mapping, "us.toml")
    assert protocol.dosing.maximum_courses == 2
    history, _ = facts(chart(["2025-12-20"]))
    checklist = next(item for item in forecast(history, protocol).obligations if item.slot == "C1")
    assert checklist.due == date(2025, 12, 27).toordinal()


def test_periods_read_like_language() -> None:
    assert [str(Period(count, Unit.BUSINESS_DAYS)) for count in (1, 5)] == ["1 business day", "5 business days"]


def test_anchors_are_named_as_in_the_files() -> None:
    assert {item.anchor for item in packaged_protocols()["lemtrada-us"].requirements} == set(Anchor)
