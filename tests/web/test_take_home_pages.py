"""The sheet to take home as page and file."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast
from tests.pdf_text import squeezed, text_of


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 12, 20)).infuse(date(2026, 1, 15))


@pytest.fixture
def staff(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.staff)


def place(chart: Chart, day: int = 5) -> str:
    row = db.session.query(Infusion).filter_by(patient_id=chart.row.id, day_number=day, state="recorded").one()
    return f"{chart.url}/infusions/{row.public_id}"


def test_the_sheet_is_reached_from_the_day_and_says_its_language(staff: Page, chart: Chart) -> None:
    day = place(chart)
    assert staff.get(day).links()["Sheet to take home"] == f"{day}/take-home"
    seen = staff.get(f"{day}/take-home")
    assert seen.one("article").get("lang") == "en"
    assert "Call 911 right away if" in seen.words
    assert "until 22-Jan-2026" in seen.words
    assert "Your next blood and urine tests: 19-Feb-2026" in seen.words
    assert "Phone of Northside MS Center:" in seen.words, "the clinic has no number: a line to write on"


def test_the_phone_of_the_clinic_is_printed(staff: Page, cast: Cast, chart: Chart) -> None:
    cast.northside.phone = "555-0100"
    db.session.commit()
    assert "Northside MS Center: 555-0100" in staff.get(f"{place(chart)}/take-home").words


def test_the_file_reads_as_the_page_and_is_audited(staff: Page, chart: Chart) -> None:
    seen = staff.get(f"{place(chart)}/take-home")
    answer = staff.get(f"{place(chart)}/take-home.pdf")
    assert answer.response.headers["Content-Disposition"].endswith(f'{str(chart.id)[:8]}-take-home-2026-01-22.pdf"')
    pdf = answer.response.data
    assert b"/StructTreeRoot" in pdf
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    text = squeezed(text_of(pdf))
    for item in seen.one("article").iter():
        if item.tag in {"li", "h2", "p"}:
            assert squeezed("".join(item.itertext())) in text
    assert db.session.query(AuditEvent).filter_by(action="data.exported").one().after["export"] == "take_home"


def test_a_name_in_another_script_does_not_stop_the_file(staff: Page, chart: Chart) -> None:
    db.session.query(Patient).filter_by(public_id=chart.id).one().family_name = "王 #panic()"
    db.session.commit()
    assert "#panic()".upper() in text_of(staff.get(f"{place(chart)}/take-home.pdf").response.data).upper()


def test_in_the_eu_another_number_is_called(staff: Page, chart: Chart) -> None:
    chart.row.protocol_id = "lemtrada-eu"
    db.session.commit()
    assert "Call 112 right away if" in staff.get(f"{place(chart)}/take-home").words


def test_an_infusion_in_error_and_another_clinic_have_no_sheet(page: Page, cast: Cast, chart: Chart) -> None:
    address = f"{place(chart)}/take-home"
    page.sign_in(cast.stranger).get(address, status=404)
    page.sign_in(cast.staff).submit(f"{place(chart)}/withdraw", reason="Other patient")
    page.get(address, status=404)
    page.get(f"{address}.pdf", status=404)
