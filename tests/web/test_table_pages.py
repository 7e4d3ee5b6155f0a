"""Tables of results as pages: columns, rows checked and corrected, loading, giving up."""

import io

import pytest

from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource
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
    assert good[0] == "2"
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
    assert db.session.query(InboundMessage).one().raw == two_rows(patient)


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
