"""What an evidence pack holds, and what it leaves out."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.reporting.evidence import TABLES
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.exports import evidence_pack
from clinic_tracker.exports.evidence_pack import write_pack
from clinic_tracker.exports.reports.writing import Made
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.reports.evidence_pack import NAME
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.infusions import withdraw_infusion
from clinic_tracker.services.reporting import make_report
from tests.factories import MONTHLY, Chart, past_day, register
from tests.listed import asked, read
from tests.pdf_text import squeezed, text_of

FIRST = date(2025, 3, 3)


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


@pytest.fixture
def nurse(cast, scope_for) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(nurse, cast) -> Chart:
    """Five days in March, two months of results, a checklist sent two days late."""
    treated = register(nurse, family_name="Okafor", given_name="Ada", mrn="M-1")
    treated.enroll(cast.prescriber, FIRST - timedelta(days=10)).infuse(FIRST)
    treated.results((date(2025, 4, 7), date(2025, 5, 20)), *MONTHLY)
    return treated.form("infusion_checklist", date(2025, 3, 18), 1)


def made(scope: Scope, form: ReportFormat, **values) -> bytes:
    stream = io.BytesIO()
    with make_report(scope, NAME, read(scope, NAME, **values)) as report:
        write_pack(scope, report.head, read(scope, NAME, **values), form, stream, Made("Ana Dow", scope.today))
    return stream.getvalue()


def tables(content: bytes) -> dict[str, list[dict[str, str]]]:
    """The tables of an archive by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name[3:-4]: list(csv.DictReader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
            if name[0].isdigit()
        }


def test_the_archive_tells_what_was_done_and_when(scope, chart):
    found = tables(made(scope, ReportFormat.ZIP, from_="2025-01-01"))
    assert list(found) == [table.name for table in TABLES]
    (enrollment,) = found["enrollments"]
    assert (enrollment["mrn"], enrollment["enrolled_on"]) == ("M-1", "2025-02-21")
    days = found["infusions"]
    assert [(day["day"], day["infused_on"], day["observed_minutes"], day["required_minutes"]) for day in days] == [
        (str(number), f"2025-03-0{2 + number}", "150", "120") for number in range(1, 6)
    ]
    assert days[0]["started_at"] == "2025-03-03T09:00:00-05:00"
    assert {day["observation_complete"] for day in days} == {"yes"}
    (form,) = found["forms"]
    assert (form["slot"], form["due_on"], form["submitted_on"], form["days_late"]) == (
        "C1", "2025-03-14", "2025-03-18", "4",
    )  # fmt: skip
    calendar = {(row["requirement"], row["slot"]): row for row in found["calendar"]}
    assert calendar["cbc_diff", "C1M1"]["done_on"] == "2025-04-07"
    assert calendar["cbc_diff", "C1M2"]["days_late"] == "13"
    assert calendar["cbc_diff", "C1M3"]["status"] == "missed"
    assert (found["patients"][0]["first_infusion_on"], found["patients"][0]["monitoring_ends_on"]) == (
        "2025-03-03", "2029-03-07",
    )  # fmt: skip


def test_the_manifest_holds_the_hash_of_each_file(scope, chart):
    content = made(scope, ReportFormat.ZIP, from_="2025-01-01")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        for file in manifest["files"]:
            assert hashlib.sha256(archive.read(file["name"])).hexdigest() == file["sha256"]
        assert {file["name"] for file in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
    assert manifest["made_by"] == "Ana Dow"


@pytest.mark.parametrize("form", [ReportFormat.ZIP, ReportFormat.PDF])
def test_the_same_data_give_the_same_bytes(scope, chart, form):
    assert made(scope, form, from_="2025-01-01") == made(scope, form, from_="2025-01-01")


def test_the_document_says_it_in_words_and_is_tagged(scope, chart):
    content = made(scope, ReportFormat.PDF, from_="2025-01-01")
    text = squeezed(text_of(content))
    for words in ("OKAFOR, Ada, MRN M-1", "CBC with differential", "07-Mar-2025", "9:00 am EST", "Made by Ana Dow"):
        assert squeezed(words) in text
    assert b"/MarkInfo" in content
    assert b"/StructTreeRoot" in content


def test_what_was_entered_in_error_stands_there_as_such(scope, nurse, chart):
    last = db.session.query(Infusion).filter_by(day_number=5).one()
    withdraw_infusion(nurse, chart.id, last.public_id, reason="Another patient's day")
    row = tables(made(scope, ReportFormat.ZIP, from_="2025-01-01"))["infusions"][-1]
    assert (row["state"], row["reason_ended"]) == ("entered_in_error", "Another patient's day")
    (line,) = asked(scope, NAME, from_="2025-01-01")
    assert (line["infusions"], line["incomplete"]) == (5, 0)


def test_a_short_observation_is_counted_and_its_departure_listed(scope, nurse, cast):
    left = {"discharged_at": past_day(nurse, FIRST, 1).facts.ended_at + timedelta(minutes=119)}
    short = register(nurse, mrn="M-2").enroll(cast.prescriber, FIRST - timedelta(days=10))
    short.infuse(FIRST, 1, **left)
    (line,) = asked(scope, NAME, from_="2025-01-01")
    assert (line["infusions"], line["incomplete"]) == (1, 1)
    found = tables(made(scope, ReportFormat.ZIP, from_="2025-01-01"))
    assert found["infusions"][0]["observed_minutes"] == "119"
    assert "R-48" in {row["requirement"] for row in found["deviations"]}


def test_the_period_leaves_out_days_and_people_of_another_time(scope, nurse, cast, chart):
    register(nurse, mrn="M-3").enroll(cast.prescriber, date(2025, 6, 1))
    everybody = {line["mrn"] for line in asked(scope, NAME, from_="2025-01-01")}
    assert everybody == {"M-1", "M-3"}
    early = {line["mrn"]: line for line in asked(scope, NAME, from_="2025-01-01", to="2025-03-05")}
    assert {mrn: line["infusions"] for mrn, line in early.items()} == {"M-1": 3}


def test_of_one_patient(scope, nurse, cast, chart):
    other = register(nurse, mrn="M-3").enroll(cast.prescriber, date(2025, 6, 1))
    found = tables(made(scope, ReportFormat.ZIP, from_="2025-01-01", patient=other.id))
    assert {row["mrn"] for row in found["enrollments"] + found["patients"]} == {"M-3"}
    assert found["infusions"] == []


@pytest.mark.parametrize("identity", ["shifted", "intervals"])
def test_a_copy_without_identity_names_nobody(scope, cast, chart, identity):
    content = made(scope, ReportFormat.ZIP, from_="2025-01-01", identity=identity)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told = "".join(archive.read(name).decode() for name in archive.namelist())
    for secret in ("Okafor", "Ada", "M-1", cast.prescriber.name):
        assert secret not in told
    assert "days_late" not in tables(content)["calendar"][0]
    first = tables(content)["infusions"][0]
    assert first["study_number"].startswith("S-")
    if identity == "intervals":
        assert first["infused_day"] == "0"
    else:
        assert first["infused_on"] != FIRST.isoformat()
    text = squeezed(text_of(made(scope, ReportFormat.PDF, from_="2025-01-01", identity=identity)))
    assert "OKAFOR" not in text
    assert first["study_number"] in text


def test_more_patients_than_one_reads_are_told_line_by_line(scope, nurse, cast, chart, monkeypatch):
    register(nurse, mrn="M-3").enroll(cast.prescriber, date(2025, 6, 1))
    monkeypatch.setattr(evidence_pack, "MOST_IN_FULL", 1)
    text = squeezed(text_of(made(scope, ReportFormat.PDF, from_="2025-01-01")))
    assert squeezed("The pack concerns 2 patients: the archive (ZIP) holds every table") in text
    assert squeezed("Infusions and observation") not in text


def test_another_clinic_sees_nothing_of_it(cast, scope_for, chart):
    stranger = scope_for(cast.stranger)
    assert asked(stranger, NAME, from_="2025-01-01") == []
    parameters = Parameters(stranger.today, FIRST, stranger.today, patient=chart.id)
    with pytest.raises(NotFound):
        list(evidence_pack.filled_tables(stranger, evidence_pack.who_of(stranger, parameters)))


def test_an_empty_clinic_has_a_pack_that_says_so(scope):
    text = squeezed(text_of(made(scope, ReportFormat.PDF, from_="2025-01-01")))
    assert squeezed("No patient was treated or monitored in the period.") in text
