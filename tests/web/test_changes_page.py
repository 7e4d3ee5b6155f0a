"""The tab "Access and changes"."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from clinic_tracker.queries import chart_changes
from clinic_tracker.queries.chart_changes import Change, Look
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.patients.change_words import looks_by_day, told_change
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

ZONE = "America/New_York"
NOON = datetime(2026, 1, 22, 17, tzinfo=UTC)


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff, family_name="Okafor")


def test_changes_are_told_with_before_and_after(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff).submit(
        f"{chart.url}/edit", family_name="Okafor-Smith", prescriber=str(cast.prescriber.public_id)
    )
    first = page.get(f"{chart.url}/changes").rows()[0]
    assert first[:3] == ["22-Jan-2026 10:30", "Nia Brandt", "Patient details changed"]
    assert "family name: Okafor → Okafor-Smith" in first[3]
    assert "prescriber: empty → Dr. Tomas Rey" in first[3]


@pytest.mark.parametrize("place", ["9" * 30, "-1", "x", ""])
def test_an_address_with_an_impossible_place_begins_at_the_top(page: Page, cast: Cast, chart: Chart, place: str):
    assert page.sign_in(cast.staff).get(f"{chart.url}/changes?before={place}").rows()
    page.sign_in(cast.administrator).get(f"/admin/audit?before={place}")


def test_an_exam_is_told_by_its_name(page: Page, cast: Cast, chart: Chart):
    chart.exam("hiv_test", date(2026, 1, 5), "indeterminate")
    told = page.sign_in(cast.staff).get(f"{chart.url}/changes").rows()[0]
    assert told[2] == "Exam recorded"
    assert told[3] == "kind: HIV test; outcome: Indeterminate; performed on: 05-Jan-2026; worst level: amber"


def test_who_looked_is_for_those_who_watch_over_it(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff).get(f"{chart.url}/exams")
    assert "is shown to neurologists, administrators and auditors" in page.get(f"{chart.url}/changes").words
    for role in ("neurologist", "administrator", "auditor"):
        looks = page.sign_in(cast.person(role)).get(f"{chart.url}/changes").rows(1)
        assert ["22-Jan-2026", "Nia Brandt", "2", "10:30"] in [row[:4] for row in looks]


def test_long_histories_come_in_pages(page: Page, cast: Cast, chart: Chart, monkeypatch):
    monkeypatch.setattr(chart_changes.changes_of, "__defaults__", (None, 1))
    chart.exam("ecg", date(2026, 1, 5))
    first = page.sign_in(cast.staff).get(f"{chart.url}/changes")
    assert [row[2] for row in first.rows()] == ["Exam recorded"]
    second = page.get(first.links()["Next page →"])
    assert [row[2] for row in second.rows()] == ["Chart opened"]
    assert "No more changes" in page.get(f"{chart.url}/changes?before=1").words
    assert page.get(f"{chart.url}/changes?before=nonsense").status == 200


def change(**values) -> Change:
    given = {
        "id": 1, "at": NOON, "who": None, "system_actor": "import", "action": "infusion.recorded",
        "subject_type": "infusion", "reason": None, "before": None, "after": {},
    }  # fmt: skip
    return Change(**{**given, **values})


def test_instants_are_told_on_the_clinic_s_clock_and_keys_not_at_all():
    after = {"id": 7, "recorded_by_id": 3, "started_at": "2026-01-22T14:05:00+00:00", "dose_mg": 12.0, "note": ""}
    told = told_change(change(after=after), {}, ZONE)
    assert told.who == "import"
    assert [(field.name, field.after) for field in told.fields] == [
        ("dose (mg)", "12.0"),
        ("started at", "22-Jan-2026 09:05"),
    ]


def test_values_read_as_people_say_them():
    before = {"copy_given": True, "rows": None, "findings": [], "prescriber_id": 9, "vaccine": "mmr"}
    after = {
        "copy_given": False, "rows": {"lab_report": 2}, "findings": ["low"], "prescriber_id": None, "vaccine": "hpv",
    }  # fmt: skip
    told = told_change(change(before=before, after=after, who="Nia Brandt"), {}, ZONE)
    assert [(field.name, field.before, field.after) for field in told.fields] == [
        ("copy given", "yes", "no"),
        ("findings", "empty", "low"),
        ("prescriber", "another prescriber", "empty"),
        ("rows", "empty", "lab report: 2"),
        ("vaccine", "Measles, mumps, rubella (live)", "HPV"),
    ]


def test_an_outcome_without_its_kind_reads_as_words():
    told = told_change(
        change(subject_type="exam", before={"outcome": "not_immune"}, after={"outcome": "immune"}), {}, ZONE
    )
    assert [(field.before, field.after) for field in told.fields] == [("not immune", "immune")]


def test_looks_are_counted_by_local_day_and_person():
    late = datetime(2026, 1, 23, 2, tzinfo=UTC)  # still the evening of the 22nd in New York
    looks = [
        Look(late, "Nia Brandt", None, "patients.exams"),
        Look(NOON, "Nia Brandt", None, "patients.chart"),
        Look(NOON, None, "nightly export", "worklists.export_rows"),
    ]
    days = looks_by_day(looks, ZONE)
    assert [(day.on, day.who, day.count, day.pages) for day in days] == [
        (date(2026, 1, 22), "nightly export", 1, "Export rows"),
        (date(2026, 1, 22), "Nia Brandt", 2, "Exams, Overview"),
    ]
