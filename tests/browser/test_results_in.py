"""What comes from laboratories settled in a browser: tables, unmatched results, codes, a match undone, an upload."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from clinic_tracker.domain.messages import Coded, Identifier, Identity, Observed
from clinic_tracker.domain.vocabulary import InboundKind, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from tests.browser.conftest import DESKTOP, TABLET
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import Chart, register
from tests.fixtures.people import Cast
from tests.inbound import add_source, identity_of, message, report, reports_of, results, send
from tests.inbound_texts import oru

TITLES = ["Chart No", "Patient", "DOB", "Drawn", "Analyte", "Res", "Uom"]
LOOKS = [(DESKTOP, "light"), (TABLET, "dark")]
Arrive = Callable[..., Visitor]


@pytest.fixture(params=LOOKS, ids=["desktop, light", "tablet, dark"])
def nurse(request: pytest.FixtureRequest, new_visitor: Arrive, cast: Cast) -> Journey:
    """Somebody of the staff at a desk in the light, or with a tablet in the dark."""
    viewport, scheme = request.param
    return Journey(new_visitor(viewport=viewport), cast.staff, scheme)


@pytest.fixture
def scope(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(scope: Scope) -> Chart:
    return register(scope, mrn="M-100", family_name="Okafor", given_name="Ada", birth_date=date(1981, 2, 3))


def rows_of(*rows: tuple[str, str, str, str]) -> list[list[str]]:
    """Rows of Ada Okafor: birth date, test, value, unit."""
    return [["M-100", "Okafor, Ada", born, "1/12/2026", *rest] for born, *rest in rows]


def workbook(folder: Path, sheets: dict[str, list[list[str]]]) -> Path:
    path = folder / "extract.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for line, cells in enumerate([TITLES, *rows]):
                page.write_row(line, 0, cells)
    return path


def attach(somebody: Journey, path: Path) -> Journey:
    somebody.main.locator("input[type=file]").set_input_files(path)
    return somebody


def test_a_workbook_is_explained_checked_corrected_and_loaded(
    nurse: Journey, scope: Scope, chart: Chart, tmp_path: Path
) -> None:
    # Given a workbook with two sheets, a year of two digits, and a test that the laboratory names its own way
    add_source(scope, "Outside results", InboundKind.TABLE)
    good = rows_of(("2/3/1981", "CREA-J", "0.8", "mg/dL"), ("2/3/81", "TSH", "1.9", "mIU/L"))
    path = workbook(tmp_path, {"Older": rows_of(("2/3/1981", "TSH", "4.9", "mIU/L")), "January": good})
    nurse.open("/results/messages").press("Upload a table")
    attach(nurse, path).press("Check the file").reads("Which sheet is read")

    # When the sheet is chosen and the columns are explained
    nurse.choose("sheet", "January").press("Read this sheet").reads("The sheet “January” is read")
    nurse.press("Check the rows").refused("Choose in which order dates are written")
    nurse.choose("dates", "Month/day/year").choose("column_0", "MRN").choose("column_1", "Full name")
    nurse.choose("column_2", "Birth date").choose("column_3", "Day of collection").choose(
        "column_4", "Name of the test"
    )
    nurse.choose("column_5", "Value").choose("column_6", "Unit").press("Check the rows")

    # Then what is wrong is said with its cell, and set right on the spot
    nurse.reads("1 row cannot be read", "DOB has a year of two digits", "nothing is recorded yet")
    nurse.main.locator("#line-3").fill("2/3/1981")
    nurse.follow(nurse.main.get_by_role("button", name="Check again line 3").click).reads_not("cannot be read")
    nurse.press("Say what CREA-J means").choose("target", "Creatinine: Creatinine")
    nurse.press("Say so, and check the rows again").press("Say what TSH means")
    nurse.press("Say so, and check the rows again").reads("Creatinine 0.8", "TSH 1.9", "1 recorded")
    nurse.follow(nurse.row("Creatinine 0.8").get_by_role("link").first.click).reads("Correct line 2").press("Cancel")

    # And loading records it, with a report
    nurse.press("Load the good rows").reads("Loaded", "1 recorded", "OKAFOR")
    assert {one.panel for one in reports_of(chart.row)} == {"creatinine", "tsh"}


def test_an_unmatched_result_is_compared_side_by_side_matched_and_taken_off_again(
    nurse: Journey, scope: Scope, chart: Chart
) -> None:
    # Given a result with another birth date
    lab = add_source(scope)
    numbers = (Identifier("L-778", "CITY", "PI"),)
    doubtful = identity_of(chart.row, identifiers=numbers, birth_date=date(1982, 3, 4))
    send(scope, lab, message(doubtful, report("tsh")))

    # When it is compared with the likely chart
    nurse.open("/results/unmatched").reads("OKAFOR", "04-Mar-1982")
    nurse.follow(nurse.row("04-Mar-1982").get_by_role("link").click)
    nurse.reads("Whose is it?", "The message says", "Chart 1", "✗ differs", "✓ agrees")
    nurse.follow(nurse.main.get_by_role("link", name="Choose this chart 1").click)
    nurse.reads("One of the details differs").press("It is this patient’s").reads("Matched", "TSH")
    assert len(reports_of(chart.row)) == 1

    # Then the match can be undone from the message, with a reason
    nurse.open(f"/results/messages/{the_message()}")
    nurse.follow(nurse.main.get_by_role("link", name="Undo the match").click)
    nurse.press("Take it off this chart").refused("Give the reason")
    nurse.fill(reason="Her sister's").press("Take it off this chart").reads("Taken off the chart", "Whose is it?")
    assert reports_of(chart.row) == []


def test_somebody_without_a_chart_is_registered_from_the_message(nurse: Journey, scope: Scope, cast: Cast) -> None:
    lab = add_source(scope)
    identity = Identity((Identifier("N-77", "NORTHSIDE", "MR"),), "QUIST", "MAE", date(1979, 5, 5), Sex.FEMALE)
    send(scope, lab, message(identity, report("tsh")))
    nurse.open("/results/unmatched").follow(nurse.main.get_by_role("link", name="Choose the chart").click)
    nurse.reads("No chart is like it").press("Register a new patient").reads("what City Lab wrote")
    assert nurse.field("mrn").input_value() == "N-77"
    nurse.press("Continue").reads("Quist", "05-May-1979").press("Register patient")
    nurse.reads("Enroll")
    chart = db.session.query(Patient).filter_by(mrn="N-77").one()
    assert len(reports_of(chart)) == 1


def test_an_upload_is_reported_and_an_unknown_code_mapped_with_what_it_changes(
    nurse: Journey, scope: Scope, chart: Chart, tmp_path: Path
) -> None:
    # Given a message with a code of the laboratory's own among known ones
    add_source(scope)
    path = tmp_path / "results.hl7"
    path.write_bytes(oru(chart.row).replace(b"777-3^Name^LN", b"PLTX^Plt count auto^L"))
    nurse.open("/results/upload")
    attach(nurse, path).press("Upload").reads("1 not understood", "Plt count auto", "OKAFOR")

    # When the code is explained, beside every result that this changes
    nurse.open("/results/not-understood").follow(nurse.row("PLTX").get_by_role("link").click)
    nurse.reads("Plt count auto", "Read again: 1 result of 1 patient", "OKAFOR")
    nurse.choose("target", "CBC with differential: Platelets").press("Apply to 1 result").reads("Mapped")

    # Then nothing waits, the mapping is listed, and the result is in the review inbox
    nurse.reads("Everything was understood").open("/results/codes").reads("PLTX", "Platelets")
    nurse.open("/results").reads("OKAFOR", "Platelets 251")


def test_a_message_of_two_lines_says_what_became_of_each(nurse: Journey, scope: Scope, chart: Chart) -> None:
    lab = add_source(scope)
    unknown: Any = Observed((Coded("PLTX", "L", "Plt count auto"),), "212", "10*3/uL")
    send(scope, lab, message(chart.row, report("tsh"), report(unknown)))
    nurse.open(f"/results/messages/{the_message()}").reads("not understood", "recorded", "1 to 2 of 2 reports")
    nurse.follow(nurse.row("not understood").get_by_role("link", name="Panel", exact=True).click)
    nurse.reads("Say what PLTX means")


def the_message() -> str:
    return str(db.session.query(InboundMessage).filter_by(id=results()[-1].message_id).one().public_id)
