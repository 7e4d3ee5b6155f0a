"""What is judged otherwise now than it was as known at an instant, and which fact made it; local dates as instants."""

from datetime import date

import pytest

from clinic_tracker.domain.reporting.parameters import read_parameters
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.history import load_history
from clinic_tracker.queries.knowledge import Knowledge
from clinic_tracker.queries.reports import differences
from clinic_tracker.services.lab_reports import withdraw_report
from clinic_tracker.services.monitoring_decisions import extend_monitoring
from clinic_tracker.services.waivers import waive_requirement
from tests.factories import MONTHLY
from tests.listed import asked
from tests.replay import WHY, Clinic

SPAN = {"from_": "2023-01-01"}


@pytest.fixture
def clinic(cast, scope_for, clock) -> Clinic:
    clock.set("2024-01-02 08:00")
    return Clinic(cast, scope_for, clock)


@pytest.fixture
def treated(clinic, clock) -> Clinic:
    """Adler's course ended on 19 January 2024; the results of February were recorded in time."""
    clock.set("2024-01-15 09:00")
    clinic.register("Adler", sex_at_birth="male").enroll(clinic.cast.prescriber, date(2024, 1, 2))
    clock.set("2024-01-22 09:00")
    clinic.chart("Adler").infuse(date(2024, 1, 15))
    clock.set("2024-02-20 09:00")
    clinic.chart("Adler").results(date(2024, 2, 19), *MONTHLY).exam("skin_exam", date(2024, 1, 10))
    return clinic


def told(clinic, **values):
    """What differs: requirement, slot, outcomes, fact, its day and what happened to it."""
    names = ("requirement", "slot", "now", "then", "fact", "fact_on", "change")
    return [tuple(line[name] for name in names) for line in asked(clinic.scope, "differences", **SPAN, **values)]


def test_a_result_that_arrived_late_counts_for_the_past_but_was_not_known(treated, clock):
    clock.set("2024-04-23 09:00")
    treated.chart("Adler").results(date(2024, 3, 18), Panel.CBC_DIFF)
    clock.set("2024-05-02 09:00")

    late = ("cbc_diff", "C1M2", "on_time", "owed", "result", date(2024, 3, 18), "recorded")
    assert told(treated, as_of="2024-03-31") == [late]
    (line,) = asked(treated.scope, "differences", **SPAN, as_of="2024-03-31")
    assert (line["done_now"], line["done_then"]) == (date(2024, 3, 18), None)
    assert line["changed_at"].isoformat() == "2024-04-23T13:00:00+00:00"
    assert told(treated, as_of="2024-03-31", compared_with="2024-04-30") == []
    assert told(treated, as_of="2024-03-31", known_at="2024-04-22") == []
    assert [one[3] for one in told(treated, as_of="2024-04-22", compared_with="2024-04-22")] == ["missed"]


def test_a_result_withdrawn_later_and_a_waiver_are_named(treated, clock):
    clock.set("2024-04-23 09:00")
    report = treated.last(LabReport, "Adler")
    withdraw_report(treated.scope, treated.charts["Adler"].id, report.public_id, reason=WHY)
    clock.set("2024-04-24 09:00")
    span = {"from_on": date(2024, 3, 1), "to_on": date(2024, 3, 31)}
    waive_requirement(treated.scope, treated.charts["Adler"].id, requirement="creatinine", reason=WHY, **span)

    assert told(treated, as_of="2024-03-31") == [
        ("creatinine", "C1M2", "waived", "owed", "waiver", date(2024, 3, 1), "recorded"),
        (report.panel, "C1M1", "missed", "on_time", "result", date(2024, 2, 19), "withdrawn"),
    ]


def test_a_course_recorded_afterwards_fell_due_only_as_known_now(treated, clock):
    clock.set("2024-04-10 09:00")
    treated.register("Bell", sex_at_birth="male").enroll(treated.cast.prescriber, date(2024, 2, 1))
    treated.chart("Bell").infuse(date(2024, 2, 5))

    lines = asked(treated.scope, "differences", **SPAN, as_of="2024-03-31")
    assert {line["mrn"] for line in lines} == {"R-Bell"}
    assert {line["then"] for line in lines} == {None}
    assert {line["fact"] for line in lines} == {"infusion"}


def test_another_protocol_and_a_setting_are_named_where_no_fact_is(treated, clock):
    clock.set("2024-06-11 09:00")
    treated.status_forms_more_often()
    assert {(line[0], line[2], line[4]) for line in told(treated, as_of="2024-06-10")} == {
        ("patient_status_form", "owed", "setting")
    }
    treated.another_protocol()
    assert {(line[4], line[5], line[6]) for line in told(treated, as_of="2024-06-10")} == {("chart", None, "changed")}


def test_nothing_differs_from_what_was_known_today(treated):
    assert told(treated) == []
    assert told(treated, compared_with=treated.scope.now.isoformat()) == []


def test_differences_are_those_between_the_two_reports(clinic):
    for _ in clinic.story():
        pass
    for day in ("2024-05-31", "2024-08-31", "2024-11-30"):
        now, then = listed(clinic, as_of=day), listed(clinic, as_of=day, known_at=day)
        pairs = {key: (now.get(key), then.get(key)) for key in now.keys() | then.keys()}
        wanted = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        lines = asked(clinic.scope, "differences", **SPAN, as_of=day)
        assert {of(line): (line["now"], line["then"]) for line in lines} == wanted
        assert wanted


def of(line):
    return line["patient_id"], line["requirement"], line["slot"]


def listed(clinic, **values):
    lines = asked(clinic.scope, "obligations", **SPAN, **values)
    return {of(line): line["outcome"] for line in lines}


def test_an_extension_decided_after_the_day_asked_about_counts_and_is_named(treated, clock):
    clock.set("2028-05-15 09:00")
    extend_monitoring(treated.scope, treated.charts["Adler"].id, extended_to=date(2029, 1, 31), reason=WHY)
    clock.set("2028-06-01 09:00")
    found = told(treated, as_of="2028-04-30")
    assert ("cbc_diff", "C1M49", "missed", None) in [one[:4] for one in found]
    assert {one[4:] for one in found} == {("decision", date(2028, 5, 15), "recorded")}
    assert told(treated, as_of="2028-04-30", known_at="2028-05-14") == []


@pytest.mark.parametrize(
    "text, instant",
    [
        ("2024-02-29", "2024-03-01T05:00:00+00:00"),
        ("2024-03-10", "2024-03-11T04:00:00+00:00"),  # the clocks went forward that night
        ("2024-11-03", "2024-11-04T05:00:00+00:00"),  # and back
        ("29-Feb-2024", "2024-03-01T05:00:00+00:00"),
    ],
)
def test_a_date_means_the_end_of_that_day_in_the_time_zone_of_the_clinic(clinic, clock, text, instant):
    clock.set("2024-12-01 09:00")
    definition = differences.DEFINITION
    for name in ("known_at", "compared_with"):
        parameters = read_parameters(definition, {name: text}, clinic.scope.now, clinic.scope.time_zone)
        assert getattr(parameters, name).isoformat() == instant


def test_what_was_recorded_a_minute_before_midnight_was_known_on_that_day(clinic, clock):
    for act in clinic.story():
        if act == "results_of_a_leap_day_after_midnight":
            break
    clock.set("2024-03-05 09:00")

    def days(name, panel, text):
        known_at = read_parameters(differences.DEFINITION, {"known_at": text}, clock.now, "America/New_York").known_at
        key = clinic.chart(name).row.id
        history = load_history(clinic.scope, [key], date(2024, 2, 29), Knowledge(clinic.scope, known_at))[key]
        return [date.fromordinal(lab.collected) for lab in history.labs if lab.test == panel]

    feb, leap = date(2024, 2, 19), date(2024, 2, 29)
    assert days("Adler", "cbc_diff", "2024-02-28") == [feb]
    assert days("Adler", "cbc_diff", "2024-02-29") == [feb, leap]
    assert days("Bell", "tsh", "2024-02-29") == []
    assert days("Bell", "tsh", "2024-03-01 00:00") == []
    assert days("Bell", "tsh", "2024-03-01 00:01") == [leap]
