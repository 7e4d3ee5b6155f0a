"""The day of an administrator: people, settings, the protocol, who did what, reports, and charts opened twice."""

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Locator

from clinic_tracker.queries.scope import Scope
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import ALL, Chart, register
from tests.fixtures.people import Cast


@pytest.fixture
def administrator(visitor: Visitor, cast: Cast) -> Journey:
    """The administrator at a desk."""
    return Journey(visitor, cast.administrator)


@pytest.fixture
def treated(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient with a course and some months of results."""
    chart = register(scope_for(cast.staff), family_name="Okafor", given_name="Ada", birth_date=date(1984, 7, 14))
    chart.enroll(cast.prescriber, date(2025, 5, 1)).results(date(2025, 5, 20), *ALL).infuse(date(2025, 6, 2))
    return chart.results([date(2025, month, 2) for month in (7, 8, 9)], *ALL)


def download(journey: Journey, name: str) -> list[dict[str, str]]:
    """Press what downloads a CSV file, and read it."""
    with journey.page.expect_download() as caught:
        journey.find(name).click()
    assert caught.value.suggested_filename.endswith(".csv")
    text = caught.value.path().read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def lines(table: Locator) -> list[list[str]]:
    """The cells of a table, without its head."""
    rows = table.locator("tbody tr")
    return [rows.nth(number).locator("th, td").all_inner_texts() for number in range(rows.count())]


def test_a_person_is_added_and_chooses_a_password(
    administrator: Journey, cast: Cast, new_visitor: Callable[..., Visitor]
) -> None:
    # Given the administrator adds a nurse
    administrator.open("/admin/").press("Manage (People)")
    administrator.press("Add a person").press("Add the person").refused("Enter the name")
    administrator.fill(email="ida@northside.example", name="Ida Holm, RN").choose("role", "Clinic staff")
    administrator.press("Add the person").reads("It is shown only now")
    password = administrator.main.locator("code").inner_text()
    administrator.press("Done").reads("Ida Holm, RN", "One-time password")

    # When the nurse signs in with the password of the first day
    nurse = Journey(new_visitor()).open("/sign-in")
    nurse.fill(email="ida@northside.example", password=password).press("Sign in")
    nurse.reads("You signed in with a one-time password")
    nurse.fill(current=password, new="walnut-tide-lantern-88", again="walnut-tide-lantern-88")
    nurse.press("Change password")

    # Then the day opens, and the administration stays closed
    nurse.open("/today").reads("My clinic today").open("/admin/people", status=403)


def test_a_setting_is_changed_with_a_reason_and_the_protocol_names_every_source(administrator: Journey) -> None:
    # Given the settings
    administrator.open("/admin/settings").press("Change Time between Patient Status Forms")

    # When one is changed, first without a reason
    administrator.fill(value="12").press("Change the setting").refused("reason")
    administrator.fill(reason="Confirmed by the REMS on the phone").press("Change the setting")

    # Then it is in force, listed with its reason, and in the audit trail
    administrator.reads("was 6", "Confirmed by the REMS on the phone", "Ana Dow")
    administrator.open("/admin/protocol").reads("48 months", "CBC", "confirm before use")
    administrator.open("/admin/audit").main.get_by_label("What", exact=True).select_option(label="Clinic and settings")
    administrator.press("Apply").reads("Clinic setting changed", "Confirmed by the REMS on the phone")
    administrator.main.get_by_label("What", exact=True).select_option(label="Infusions")
    administrator.press("Apply").reads("Nothing was changed")


def test_what_is_listed_is_what_is_exported(administrator: Journey, treated: Chart) -> None:
    # Given the worklist, one row an item
    administrator.open("/worklists?by=item")
    table = administrator.page.get_by_role("table", name="Overdue")
    shown = lines(table)

    # When it is exported, then the file has the same rows
    listed = download(administrator, "Export CSV")
    assert len(listed) == len(shown) > 3
    assert [f"{row['days_overdue']} d" for row in listed] == [cells[2].split("\n")[0] for cells in shown]
    assert {row["mrn"] for row in listed} == {treated.row.mrn}

    # And the same holds for the report on compliance, whose last line adds up
    administrator.open("/reports/").press("Compliance").reads("local convention")
    *shown, total = lines(administrator.page.get_by_role("table", name="Compliance"))
    heads = administrator.page.get_by_role("table", name="Compliance").locator("thead th").all_inner_texts()
    due, missed = heads.index("Due"), heads.index("Missed")
    file = download(administrator, "CSV")
    assert [(row["due"], row["missed"]) for row in file] == [(cells[due], cells[missed]) for cells in shown]
    assert int(total[due].replace(",", "")) == sum(int(row["due"]) for row in file) > 0

    # And narrowing the report down to one requirement keeps its numbers
    administrator.page.goto("/reports/compliance?requirement=skin_exam")
    administrator.reads("Skin examination")
    assert download(administrator, "CSV") == [row for row in file if row["requirement"] == "skin_exam"]

    # And every export is in the audit trail
    administrator.open("/admin/audit?action=data.").reads("Ana Dow")
    assert len(lines(administrator.page.get_by_role("table", name="Changes"))) == 3


def test_people_on_no_list_are_counted_and_named(
    administrator: Journey, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    # Given a patient who is enrolled, and no course is planned
    register(scope_for(cast.staff), family_name="Moreau").enroll(cast.prescriber)

    # When the administrator looks for those whom no list names
    administrator.open("/today").press("Show all (People on no list)").reads("Enrolled, no course planned")
    administrator.press("Enrolled, no course planned")

    # Then the patient is named, with what to do
    administrator.reads("MOREAU", "Plan the course, or end the enrollment").press("Open Moreau")
    assert administrator.path.endswith("/courses")


def test_a_chart_opened_twice_is_merged_and_the_merge_undone(
    administrator: Journey, cast: Cast, scope_for: Callable[..., Scope], treated: Chart
) -> None:
    # Given a second chart of the same patient, with a result on it
    twice = register(scope_for(cast.staff), family_name="Okafor", given_name="Ada", birth_date=date(1984, 7, 14))
    twice.results(date(2026, 1, 12), "tsh")

    # When the two are compared and merged
    administrator.open("/patients/duplicates").press("Compare these two charts").reads("Differs")
    if administrator.path != f"/patients/duplicates/{treated.id}/{twice.id}":
        administrator.press("Keep the other chart instead")
    administrator.press("Merge charts")
    assert administrator.page.title().startswith("Error: ")
    administrator.fill(reason="Same person: registered twice").press("Merge charts")

    # Then the result counts for the surviving chart
    administrator.open(f"{treated.url}/results").reads("12-Jan-2026")
    administrator.open(f"{twice.url}/details").reads("This chart was merged into another one")

    # And when the merge is undone, it does not
    administrator.open("/patients/duplicates").press("Undo this merge").fill(reason="Two sisters after all")
    administrator.press("Undo merge").open(f"{treated.url}/results").reads_not("12-Jan-2026")
    administrator.open(f"{twice.url}/results").reads("12-Jan-2026")
    administrator.open(f"{twice.url}/changes").reads("Two sisters after all")
