"""Tables of results as pages: columns, rows checked and corrected, loading, giving up."""

import io
from datetime import date

import pytest
import xlsxwriter
from sqlalchemy import event

from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundContent, InboundMessage, InboundResult, InboundSource, LocalCode
from tests.factories import register
from tests.inbound import add_source, reports_of

TABLES = "/results/tables"
TITLES = "MRN,Last Name,Collection Date,LOINC,Result,Units"


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def patient(scope):
    return register(scope).row


@pytest.fixture
def source(scope):
    return add_source(scope, "Sheet", InboundKind.TABLE)


@pytest.fixture
def staff(page, cast, source):
    return page.sign_in(cast.staff)


def sheet(patient, *rows):
    lines = [f"{patient.mrn},{patient.family_name},{row}" for row in rows]
    return "\n".join([TITLES, *lines, ""]).encode()


def two_rows(patient):
    return sheet(patient, "1/12/2026,2160-0,0.8,mg/dL", "1/13/2026,3016-3,,m[IU]/L")


def opened(staff, raw):
    """The address of the preview of a file that was uploaded."""
    answer = staff.submit(TABLES, file=(io.BytesIO(raw), "secret-name.csv"))
    return answer.location.replace("/results/messages/", f"{TABLES}/")


def explained(staff, raw):
    """The same, once its columns were explained."""
    url = opened(staff, raw)
    staff.submit(f"{url}/columns", dates="mdy")
    return url


def test_columns_are_suggested_and_dates_must_be_chosen(staff, patient, source):
    url = opened(staff, two_rows(patient))
    assert staff.get(url, status=303).location == f"{url}/columns"
    page = staff.get(f"{url}/columns")
    assert page.fields()["column_0"] == "mrn"
    assert page.fields()["layout"] == "long"
    refused = staff.submit(f"{url}/columns", 400)
    assert "Choose in which order dates are written" in refused.errors
    assert staff.submit(f"{url}/columns", dates="mdy").location == url
    assert db.session.get(InboundSource, source.id).mapping["dates"] == "mdy"


def test_what_the_columns_lack_is_said(staff, patient):
    url = opened(staff, two_rows(patient))
    refused = staff.submit(f"{url}/columns", 400, dates="mdy", column_0="", column_4="")
    assert any("Say which column is the value" in error for error in refused.errors)


def test_rows_are_shown_as_they_will_be_recorded_and_nothing_is(staff, patient):
    page = staff.get(explained(staff, two_rows(patient)))
    good, bad = page.rows()
    assert good[0] == "2: correct this line"
    assert "recorded" in good[1]
    assert patient.mrn in good[2]
    assert "Creatinine 0.8 mg/dL" in good[4]
    assert "refused" in bad[1]
    assert "Result is empty" in bad[4]
    assert reports_of(patient) == []
    assert db.session.query(InboundResult).count() == 0
    assert db.session.query(AccessEvent).filter(AccessEvent.endpoint == "inbound.table_preview").count() == 1
    for secret in (patient.mrn, patient.family_name, "secret-name"):
        assert all(secret not in (link or "") for link in page.links().values())
        assert secret not in page.title


def test_a_cell_is_corrected_in_place_and_the_file_stays_as_it_is(staff, patient):
    url = explained(staff, two_rows(patient))
    assert staff.post(f"{url}/rows/3", {"cell_4": "1.9"}).location == url
    assert "TSH 1.9" in staff.get(url).rows()[1][4]
    assert "Every row is in order" in staff.get(f"{url}?show=wrong").words
    assert db.session.query(AuditEvent).filter_by(action="inbound_message.changed").count() == 1
    staff.post(f"{url}/load")
    assert {row.panel for row in reports_of(patient)} == {"creatinine", "tsh"}
    assert db.session.query(InboundContent).one().raw == two_rows(patient)


def test_a_row_can_be_corrected_on_a_page_of_its_own(staff, patient):
    url = explained(staff, two_rows(patient))
    staff.submit(f"{url}/rows/3", cell_4="2.5")
    assert "TSH 2.5" in staff.get(url).rows()[1][4]
    staff.get(f"{url}/rows/99", status=404)
    staff.submit(f"{url}/rows/3", 400, cell_4="1" * 501)


def test_rows_are_left_out_and_taken_in_again(staff, patient):
    url = explained(staff, two_rows(patient))
    staff.post(f"{url}/drop", {"lines": "3"})
    page = staff.get(url)
    assert len(page.rows()) == 1
    assert "1 line left out" in page.words
    staff.post(f"{url}/restore", {"lines": "3,x,99999999999"})
    assert len(staff.get(url).rows()) == 2


def test_the_good_rows_are_loaded_and_the_report_tells_of_the_rest(staff, patient):
    url = explained(staff, two_rows(patient))
    done = staff.post(f"{url}/load")
    report = staff.get(done.location)
    assert "1 recorded" in report.words
    assert "1 refused" in report.words
    staff.get(url, status=404)
    staff.post(f"{url}/load", status=404)


def test_columns_of_the_next_file_are_known(staff, patient):
    staff.post(f"{explained(staff, two_rows(patient))}/load")
    url = opened(staff, sheet(patient, "1/14/2026,2160-0,0.9,mg/dL"))
    assert "recorded" in staff.get(url).rows()[0][1]


def test_a_wide_table_with_units(staff, patient):
    raw = f"MRN,Name,Date,Creatinine (mg/dL),TSH\n{patient.mrn},{patient.family_name},1/12/2026,0.8,1.9\n".encode()
    url = opened(staff, raw)
    fields = staff.get(f"{url}/columns").fields()
    assert (fields["layout"], fields["column_3"], fields["unit_3"]) == ("wide", "test:2160-0", "mg/dL")
    staff.submit(f"{url}/columns", dates="mdy", unit_4="mIU/L", column_1="family_name")
    assert "Creatinine 0.8 mg/dL" in staff.get(url).rows()[0][4]
    staff.post(f"{url}/load")
    assert {row.panel for row in reports_of(patient)} == {"creatinine", "tsh"}


def test_files_that_wait_are_listed_and_can_be_given_up(staff, patient):
    url = opened(staff, two_rows(patient))
    assert "Not loaded yet" in staff.get(TABLES).words
    assert staff.post(f"{url}/discard").location == TABLES
    assert "Not loaded yet" not in staff.get(TABLES).words
    assert db.session.query(InboundMessage).count() == 0


@pytest.mark.parametrize("raw", [b"", b"no table", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0"])
def test_what_is_no_table_is_refused_at_its_field(staff, raw):
    answer = staff.submit(TABLES, 400, file=(io.BytesIO(raw), "odd.xlsx"))
    assert len(answer.errors) == 1
    assert db.session.query(InboundMessage).count() == 0


def test_an_auditor_and_another_clinic_see_nothing(page, cast, staff, patient):
    url = explained(staff, two_rows(patient))
    page.sign_in(cast.auditor)
    page.get(url, status=403)
    page.sign_in(cast.stranger)
    for address in (url, f"{url}/columns", f"{url}/rows/2"):
        page.get(address, status=404)
    page.post(f"{url}/load", status=404)
    assert reports_of(patient) == []


def seen_at(endpoint):
    """The patients whom the access log knows to have been shown by a page."""
    rows = db.session.query(AccessEvent).filter(AccessEvent.endpoint == endpoint)
    return {patient for row in rows for patient in row.patient_ids or ()}


def test_looking_at_the_preview_writes_nothing_but_the_access_log(staff, patient):
    url = explained(staff, two_rows(patient))
    begun, written = [], []

    def begins(connection):
        begun.append(connection.get_execution_options().get("sqlite_begin"))

    def executes(_connection, _cursor, statement, *_rest):
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN")):
            written.append(statement.split()[:3])

    event.listen(db.engine, "begin", begins)
    event.listen(db.engine, "before_cursor_execute", executes)
    try:
        staff.get(url)
    finally:
        event.remove(db.engine, "begin", begins)
        event.remove(db.engine, "before_cursor_execute", executes)
    assert written == [["INSERT", "INTO", "access_event"]]
    assert begun.count("IMMEDIATE") == 1


def test_who_may_be_meant_in_the_preview_is_noted(staff, patient):
    url = explained(staff, "\n".join([
        "MRN,Last Name,First Name,Birth Date,Collection Date,LOINC,Result,Units",
        f"X-1,{patient.family_name},{patient.given_name},{patient.birth_date:%m/%d/%Y},1/12/2026,2160-0,0.8,mg/dL",
        "",
    ]).encode())  # fmt: skip
    assert "1 unmatched" in staff.get(url).words
    assert seen_at("inbound.table_preview") == {patient.id}


def test_whose_cells_a_page_shows_is_noted(staff, patient):
    url = opened(staff, two_rows(patient))
    staff.get(f"{url}/columns")
    assert seen_at("inbound.table_columns") == {patient.id}
    staff.submit(f"{url}/columns", dates="mdy")
    staff.get(f"{url}/rows/3")
    assert seen_at("inbound.table_row") == {patient.id}


def test_whose_cells_are_shown_is_found_by_name_and_birth_date_in_whatever_order(staff, scope):
    born = register(scope, family_name="Quist", given_name="Ada", birth_date=date(1981, 2, 3)).row
    raw = b"Last Name,First Name,DOB,Date,LOINC,Result,Units\nQuist,Ada,03/02/1981,1/12/2026,2160-0,0.8,mg/dL\n"
    staff.get(f"{opened(staff, raw)}/columns")
    assert seen_at("inbound.table_columns") == {born.id}


def test_a_year_of_two_digits_is_pointed_out_with_its_cell_and_corrected_there(staff, patient):
    url = explained(staff, sheet(patient, "1/12/26,2160-0,0.8,mg/dL", "1/13/26,2160-0,0.9,mg/dL"))
    page = staff.get(url)
    assert "Collection Date has a year of two digits, and nobody guesses the century" in page.rows()[0][4]
    assert "2 rows cannot be read" in page.words
    assert "write all four digits of it: 2 rows" in page.words
    assert page.one("input", id="line-2").get("value") == "1/12/26"
    staff.post(f"{url}/rows/2", {"cell_2": "1/12/2026"})
    assert "1 row cannot be read" in staff.get(url).words
    staff.post(f"{url}/rows/3", {"cell_2": "1/13/2026", "everywhere": "yes"})
    assert "cannot be read" not in staff.get(url).words
    assert staff.get(f"{url}/rows/2").fields()["cell_2"] == "1/12/2026"


def test_a_cell_is_corrected_in_all_rows_that_say_the_same_or_they_are_left_out(staff, patient):
    url = explained(staff, sheet(patient, *(f"1/12/26,{test}" for test in ("2160-0,0.8,mg/dL", "3016-3,1.9,m[IU]/L"))))
    staff.post(f"{url}/drop", {"which": "refused"})
    assert "2 lines left out" in staff.get(url).words
    staff.post(f"{url}/restore", {"which": "dropped"})
    assert "left out" not in staff.get(url).words
    staff.post(f"{url}/rows/2", {"cell_2": "1/12/2026", "everywhere": "yes"})
    (part,) = staff.get(url).rows()
    assert "Creatinine 0.8" in part[4]
    assert "TSH 1.9" in part[4]


def test_a_code_is_mapped_from_the_preview_and_the_rows_follow(staff, patient):
    titles = "MRN,Last Name,Collection Date,Test,Result,Units"
    rows = [f"{patient.mrn},{patient.family_name},1/{day}/2026,CREA XY,0.{day},mg/dL" for day in (12, 13)]
    url = explained(staff, "\n".join([titles, *rows]).encode())
    page = staff.get(f"{url}?show=wrong")
    assert "CREA XY: 2 reports" in page.words
    link = page.links()["Say what CREA XY means"]
    assert link == f"{url}/rows/2/codes/0?show=wrong"
    ask = staff.get(link)
    assert "2 reports" in ask.words
    answer = staff.submit(link, target="analyte:creatinine")
    assert answer.location == f"{url}?show=wrong"
    assert db.session.query(LocalCode).one().code == "CREA XY"
    assert "Creatinine 0.13 mg/dL" in staff.get(url).rows()[1][4]
    staff.get(link, status=303)
    staff.get(f"{url}/rows/77/codes/0", status=303)


def test_what_was_mapped_elsewhere_asks_for_another_check(staff, scope, source, patient):
    url = explained(staff, two_rows(patient))
    db.session.add(
        LocalCode(
            clinic_id=scope.clinic_id,
            source_id=source.id,
            kind="ignored",
            system="",
            code="X",
            title="",
            target="",
            recorded_at=scope.now,
        )
    )
    db.session.commit()
    assert "may not hold any more" in staff.get(url).words
    staff.post(f"{url}/check")
    assert "may not hold any more" not in staff.get(url).words


def test_a_person_chooses_among_the_sheets_of_a_workbook(staff, patient):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        for number, name in enumerate(("Read me", "Results")):
            page = book.add_worksheet(name)
            page.write_row(0, 0, TITLES.split(","))
            page.write_row(1, 0, [patient.mrn, patient.family_name, "1/12/2026", "2160-0", f"0.{number + 8}", "mg/dL"])
    url = opened(staff, buffer.getvalue())
    assert staff.get(url, status=303).location == f"{url}/columns"
    assert staff.get(f"{url}/columns", status=303).location == f"{url}/sheet"
    staff.submit(f"{url}/sheet", 400)
    assert staff.submit(f"{url}/sheet", sheet="1").location == f"{url}/columns"
    assert "The sheet “Results” is read" in staff.get(f"{url}/columns").words
    staff.submit(f"{url}/columns", dates="mdy")
    page = staff.get(url)
    assert "Creatinine 0.9 mg/dL" in page.rows()[0][4]
    assert "Read me" not in page.words
    staff.submit(f"{url}/sheet", sheet="0")
    assert "Creatinine 0.8 mg/dL" in staff.get(url).rows()[0][4]


def test_where_a_person_was_in_the_preview_is_kept(staff, patient):
    url = explained(staff, two_rows(patient))
    form = staff.get(f"{url}?show=wrong&page=0").form(f"{url}/rows/3")
    assert form.get("action") == f"{url}/rows/3?show=wrong"
    assert staff.post(f"{url}/rows/3?show=wrong", {"cell_4": "1.9"}).location == f"{url}?show=wrong"
    assert "No row here" in staff.get(f"{url}?page=7").words
    assert len(staff.get(f"{url}?page=99999999999999").rows()) == 2
