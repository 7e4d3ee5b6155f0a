"""A report on the screen: the question beside the answer, and its files."""

import csv
import io
import json
import re
from datetime import date

import pytest

from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.services.reporting import reports_for
from tests.monitored import add_course, add_labs, add_patient, enroll, project

URL = "/reports/obligations"
PERIOD = "from=2025-04-01&to=2025-12-31"
YEAR = "from=2025-01-01&to=2025-12-31"


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


@pytest.fixture
def patient(scope, cast):
    made = add_patient(scope, family_name="Ångström<b>", given_name="Eva")
    enroll(scope, made, cast.prescriber.id, date(2025, 3, 1))
    add_course(scope, made, date(2025, 3, 3))
    add_labs(scope, made, [date(2025, 4, 7)])
    project(scope)
    return made


def test_the_index_lists_what_the_person_may_see_with_the_question_of_each(page, cast, scope):
    shown = page.sign_in(cast.administrator).get("/reports/")
    for source in reports_for(scope):
        assert source.definition.question in shown.words
    assert "Who looked at which chart" not in page.sign_in(cast.neurologist).get("/reports/").words


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_report_has_a_page_with_the_definition_of_every_column(patient, page, cast, name):
    shown = page.sign_in(cast.administrator).get(f"/reports/{name}")
    for column in REPORTS[name].definition.columns:
        if column.only is None and not column.in_files_only:
            assert column.definition in shown.words
    assert "the end of that day in America/New_York" in shown.words
    assert "Everything on record, whenever it was recorded" in shown.words


def test_the_lines_lead_to_the_chart_and_are_in_the_access_log(patient, page, cast):
    shown = page.sign_in(cast.administrator).get(f"{URL}?{PERIOD}")
    assert f"/patients/{patient.public_id}" in shown.text
    assert "Ångström&lt;b&gt;" in shown.text or "ÅNGSTRÖM&lt;B&gt;" in shown.text
    seen = db.session.scalars(db.select(AccessEvent).where(AccessEvent.endpoint == "reports.obligations")).all()
    assert seen[-1].patient_ids == [patient.id]


def test_the_question_is_said_in_words_above_the_answer(patient, page, cast):
    shown = page.sign_in(cast.administrator).get(f"{URL}?{PERIOD}&known_at=2025-05-01&as_of=2025-12-01")
    assert "01-Apr-2025 to 31-Dec-2025, both included" in shown.words
    assert "01-Dec-2025, the end of that day in America/New_York" in shown.words
    assert "What was on record at 02-May-2025, 12:00 am EDT" in shown.words
    assert 'value="02-May-2025 00:00"' in shown.text


@pytest.mark.parametrize(
    "query, field",
    [
        ("from=soon", "from"),
        ("from=2026-01-05&to=2026-01-01", "to"),
        ("as_of=2031-01-01", "as_of"),
        ("known_at=whenever", "known_at"),
        ("requirement=tea", "requirement"),
        ("prescriber=00000000-0000-4000-8000-000000000000", "prescriber"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_in_the_summary(page, cast, query, field):
    shown = page.sign_in(cast.administrator).get(f"{URL}?{query}", status=400)
    assert f'href="#{field}"' in shown.text
    assert f'id="{field}-error"' in shown.text
    assert "Checksum" not in shown.words


def test_everything_that_is_wrong_is_said_at_once_and_what_was_typed_stays(page, cast):
    shown = page.sign_in(cast.administrator).get(f"{URL}?from=soon&as_of=later&weather=fine", status=400)
    assert "There are 3 problems" in shown.words
    assert 'value="soon"' in shown.text
    assert "takes no parameter weather" in shown.words


def test_an_empty_answer_says_so(page, cast):
    assert "Nothing answers the question" in page.sign_in(cast.administrator).get(f"{URL}?{PERIOD}").words


def test_a_deidentified_answer_leads_to_no_chart(patient, page, cast):
    shown = page.sign_in(cast.administrator).get(f"{URL}?{YEAR}&identity=intervals")
    assert f"/patients/{patient.public_id}" not in shown.text
    assert patient.mrn not in shown.words
    assert "Study number" in shown.words


def test_a_long_list_is_paged(scope, page, cast, monkeypatch):
    for _number in range(3):
        add_course(scope, add_patient(scope), date(2025, 3, 3))
    project(scope)
    monkeypatch.setattr("clinic_tracker.web.reports.showing.PAGE", 10)
    visitor = page.sign_in(cast.administrator)
    first, second = visitor.get(f"{URL}?{PERIOD}"), visitor.get(f"{URL}?{PERIOD}&page=2")
    assert "Lines 1 to 10 of" in first.words
    assert "Lines 11 to 20 of" in second.words
    assert len(first.rows(0)) == len(second.rows(0)) == 10
    assert first.rows(0) != second.rows(0)
    assert "page=2" in first.text
    visitor.get(f"{URL}?{PERIOD}&page=999", status=404)


def test_a_list_longer_than_a_page_reads_says_so(patient, page, cast, monkeypatch):
    monkeypatch.setattr("clinic_tracker.web.reports.showing.MOST_READ", 5)
    shown = page.sign_in(cast.administrator).get(f"{URL}?{PERIOD}")
    assert "There are more than" in shown.words
    assert "Checksum" not in shown.words


@pytest.mark.parametrize("form", ["csv", "xlsx", "json", "pdf"])
def test_a_file_is_what_the_command_makes_and_is_noted(patient, page, cast, form):
    visitor = page.sign_in(cast.administrator)
    first = visitor.get(f"{URL}/file?{PERIOD}&format={form}").response
    again = visitor.get(f"{URL}/file?{PERIOD}&format={form}").response
    assert first.data == again.data
    assert first.headers["Cache-Control"] == "no-store"
    name = re.search(r"filename=(\S+)", first.headers["Content-Disposition"])[1].strip('"')
    assert re.fullmatch(rf"obligations-northside-2025-04-01-2025-12-31-[0-9a-f]{{12}}\.{form}", name)
    noted = db.session.scalars(db.select(AuditEvent).where(AuditEvent.action == "data.exported")).all()
    assert [row.after["format"] for row in noted] == [form, form]
    assert noted[0].after["checksum"].startswith(name.split("-")[-1].split(".")[0])
    seen = db.session.scalars(
        db.select(AccessEvent).where(AccessEvent.endpoint == "reports.obligations as a file")
    ).all()
    assert [row.patient_ids for row in seen] == [[patient.id]] * 2


def test_the_page_and_the_file_have_the_same_checksum(patient, page, cast):
    visitor = page.sign_in(cast.administrator)
    told = json.loads(visitor.get(f"{URL}/file?{PERIOD}&format=json").response.text)
    assert told["checksum"] in visitor.get(f"{URL}?{PERIOD}").words


def test_a_file_without_identity(patient, page, cast):
    content = page.sign_in(cast.administrator).get(f"{URL}/file?{YEAR}&identity=shifted").response.text
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert rows
    assert "study_number" in rows[0]
    assert patient.mrn not in content


@pytest.mark.parametrize("query", ["format=docx", "format=zip", "from=soon"])
def test_a_file_that_cannot_be_is_refused_and_not_noted(page, cast, query):
    page.sign_in(cast.administrator).get(f"{URL}/file?{query}", status=400)
    assert db.session.scalars(db.select(AuditEvent).where(AuditEvent.action == "data.exported")).all() == []


def test_reports_are_for_those_who_may_see_them(page, cast):
    visitor = page.sign_in(cast.staff)
    for path in ("/reports/", URL, f"{URL}/file"):
        visitor.get(path, status=403)
    page.sign_in(cast.neurologist).get("/reports/access", status=403)
    page.sign_in(cast.neurologist).get("/reports/access/file", status=403)
    page.sign_in(cast.administrator).get("/reports/weather", status=404)


def test_another_clinic_has_its_own(patient, page, cast):
    assert "Nothing answers the question" in page.sign_in(cast.stranger_neurologist).get(f"{URL}?{PERIOD}").words


def test_a_figure_leads_to_the_list_behind_it_which_is_as_long(patient, page, cast):
    visitor = page.sign_in(cast.administrator)
    shown = visitor.get(f"/reports/compliance?{PERIOD}&by=whole")
    found = re.findall(r'href="(/reports/obligations\?[^"]+)">([\d,]+)<', shown.text)
    assert found
    for address, figure in found:
        listed = visitor.get(address.replace("&amp;", "&"))
        assert f"of {figure}" in listed.words


def test_a_long_report_is_made_beside_the_server_and_not_noted_yet(patient, page, cast, monkeypatch):
    monkeypatch.setattr("clinic_tracker.services.report_runs.SMALL_PATIENTS", 0)
    answer = page.sign_in(cast.administrator).get(f"{URL}/file?{PERIOD}&format=csv", status=303)
    assert answer.location.startswith("/reports/files/new?")
    assert "from=2025-04-01" in answer.location
    assert db.session.scalars(db.select(AuditEvent).where(AuditEvent.action == "data.exported")).all() == []


def test_a_copy_without_identity_of_a_few_days_is_refused(page, cast):
    shown = page.sign_in(cast.administrator).get(f"{URL}?{PERIOD}&identity=shifted", status=400)
    assert "A copy without identity is of at least 330 days" in " ".join(shown.errors)


LARGE = "clinic_tracker.services.report_runs.SMALL_PATIENTS"


@pytest.mark.parametrize("asked", ["gaps?", "evidence-pack?", "differences?", "compliance?as_of=2025-12-01&"])
def test_what_takes_long_is_not_made_by_the_page_of_a_large_clinic(patient, page, cast, monkeypatch, asked):
    visitor = page.sign_in(cast.administrator)
    address = f"/reports/{asked}{PERIOD}"
    assert "A file answers this" not in visitor.get(address).words
    monkeypatch.setattr(LARGE, 0)
    monkeypatch.setattr("clinic_tracker.web.reports.views.show_report", None)
    shown = visitor.get(address)
    assert "A file answers this" in shown.words
    link = shown.links()["Ask for the file"]
    assert link.startswith("/reports/files/new?")
    assert visitor.get(link).words


def test_today_and_one_patient_are_shown_in_a_large_clinic_too(patient, page, cast, monkeypatch):
    monkeypatch.setattr(LARGE, 0)
    visitor = page.sign_in(cast.administrator)
    for address in (f"compliance?{PERIOD}", "overdue", f"evidence-pack?{PERIOD}&patient={patient.public_id}"):
        assert "A file answers this" not in visitor.get(f"/reports/{address}").words
