"""Files of reports on their pages: asked for, watched, taken out by who may, verified, made again."""

import hashlib
import io
from dataclasses import replace

import pytest
import sqlalchemy as sa

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun
from clinic_tracker.queries.reports.registry import REPORTS
from tests.factories import register
from tests.made_reports import DEFINITION, Numbers, asked_for, made, row, taken

NEW = "/reports/files/new?report=numbers&from=2025-12-01&to=2025-12-31"


@pytest.fixture(autouse=True)
def numbers(monkeypatch) -> Numbers:
    return Numbers().put_in(monkeypatch)


@pytest.fixture
def folder(app, tmp_path, monkeypatch):
    monkeypatch.setitem(app.config, "REPORTS_FOLDER", tmp_path / "reports")
    return tmp_path / "reports"


@pytest.fixture
def administrator(page, cast, folder):
    return page.sign_in(cast.administrator)


@pytest.fixture
def file(administrator):
    """A file that was asked for on the page and made while it waited; its address."""
    return administrator.submit(NEW, format="csv").location


def taken_out(page, file):
    """What a download answers: its content and headers."""
    response = page.get(f"{file}/file").response
    content = response.data
    response.close()
    return content, response.headers


def test_a_small_file_is_made_while_the_page_waits(administrator, file):
    answer = administrator.get(file)
    assert answer.h1 == "Numbers"
    assert "Ready" in answer.words
    assert "01-Dec-2025 to 31-Dec-2025" in answer.words
    assert "Made by Ana Dow on 22-Jan-2026" in answer.words
    content, headers = taken_out(administrator, file)
    assert content == b"number\r\n1\r\n2\r\n3\r\n"
    assert "numbers-northside-2025-12-01-2025-12-31-" in headers["Content-Disposition"]
    assert headers["Cache-Control"] == "no-store"


def test_each_download_is_audited(administrator, file, cast):
    for _ in range(2):
        taken_out(administrator, file)
    exports = list(db.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "data.exported")))
    assert [one.user_id for one in exports] == [cast.administrator.user_id] * 2
    assert exports[0].after["export"] == "report numbers"


def test_wrong_parameters_are_told_on_the_form(administrator):
    answer = administrator.submit("/reports/files/new?report=numbers&color=red", status=400, format="csv")
    assert answer.errors == ["The report “Numbers” takes no parameter color."]
    assert administrator.submit(NEW, status=400, format=None).status == 400


def test_a_long_file_waits_for_a_worker_and_says_so_when_there_is_none(administrator, numbers, clock, folder):
    numbers.count = 5000
    address = administrator.submit(NEW, format="csv").location
    assert "Waiting" in administrator.get(address).words
    assert "No worker is running" not in administrator.get(address).words
    clock.forward(seconds=11)
    assert "No worker is running" in administrator.get(address).words
    assert "No worker is running" in administrator.get("/reports/files").words
    held = taken()
    assert "No worker is running" not in administrator.get(address).words
    made(held, folder)
    assert "Ready" in administrator.get(address).words


def test_progress_is_told_cheaply(administrator, numbers, clock):
    numbers.count = 5000
    address = administrator.submit(NEW, format="csv").location
    held = taken()
    db.session.execute(sa.update(ReportRun).values(lines_done=2500, lines_expected=5000))
    db.session.commit()
    part = administrator.get(f"{address}/progress")
    assert part.one("progress").get("value") == "50"
    assert "2,500 of about 5,000 lines" in part.text
    tag = part.response.headers["ETag"]
    again = administrator.get(f"{address}/progress", status=304, headers={"If-None-Match": tag, "X-Background": "1"})
    assert again.response.data == b""
    whole = administrator.get("/reports/files/list")
    assert "Being made" in whole.text
    assert held is not None
    clock.forward(minutes=1)
    assert "begun again" in administrator.get(address).words


def test_a_file_can_be_cancelled_while_it_is_made(administrator, numbers):
    numbers.count = 5000
    address = administrator.submit(NEW, format="csv").location
    administrator.submit(address, action=f"{address}/cancel")
    answer = administrator.get(address)
    assert "Cancelled by Ana Dow" in answer.words
    assert answer.links()["Ask again"].startswith("/reports/files/new?report=numbers")
    assert taken() is None
    administrator.post(f"{address}/cancel")
    assert "has ended" in administrator.get(address).words
    assert administrator.get(f"{address}/file", status=303).location == address


def test_whoever_only_reads_cancels_nothing_but_their_own(administrator, numbers, new_page, cast):
    numbers.count = 5000
    address = administrator.submit(NEW, format="csv").location
    auditor = new_page().sign_in(cast.auditor)
    assert "Cancel" not in auditor.get(address).words
    assert auditor.post(f"{address}/cancel", status=403).status == 403
    assert "Waiting" in administrator.get(address).words
    own = auditor.submit(NEW, format="json").location
    auditor.submit(own, action=f"{own}/cancel")
    assert "Cancelled by" in auditor.get(own).words
    neurologist = new_page().sign_in(cast.neurologist)
    neurologist.submit(address, action=f"{address}/cancel")
    assert "Cancelled by" in neurologist.get(address).words


def test_asked_for_again_after_nothing_came_of_it_means_the_new_day(administrator, numbers):
    numbers.count = 5000

    def again(address):
        asked = administrator.submit(address, format="csv").location
        administrator.submit(asked, action=f"{asked}/cancel")
        return administrator.get(asked).links()["Ask again"]

    told = again(NEW)
    assert "known_at" not in told
    assert "as_of" not in told
    past = again(f"{NEW}&as_of=2025-12-31&known_at=2026-01-02")
    assert "as_of=2025-12-31" in past
    assert "known_at=2026-01-0" in past


def test_a_failure_is_told(administrator, numbers):
    def broken(_number):
        raise ValueError

    numbers.before = broken
    answer = administrator.get(administrator.submit(NEW, format="csv").location)
    assert "The file could not be made" in answer.words
    assert "Not made" in answer.words


def test_made_again_it_is_compared(administrator, file, numbers, clock, cast):
    clock.forward(days=2)
    administrator.sign_in(cast.administrator)
    again = administrator.submit(file, action=f"{file}/again").location
    assert "No difference" in administrator.get(again).words
    numbers.count = 4
    clock.forward(minutes=2)
    other = administrator.submit(file, action=f"{file}/again").location
    words = administrator.get(other).words
    assert "3 lines then, 4 lines now" in words
    assert "0 lines of the first file are not in this one, 1 line is new" in words


def test_the_stored_file_is_verified_before_it_leaves(administrator, file, folder):
    administrator.post(f"{file}/check")
    assert "here and unchanged" in administrator.get(file).words
    (path,) = folder.iterdir()
    path.write_bytes(b"number\r\n9\r\n2\r\n3\r\n")
    assert administrator.get(f"{file}/file", status=303).location == file
    assert "was changed after it was made" in administrator.get(file).words
    path.unlink()
    administrator.post(f"{file}/check")
    assert "missing from the disk" in administrator.get(file).words


def test_a_file_is_verified_by_upload_or_by_its_digest(administrator, file):
    content, _headers = taken_out(administrator, file)
    sent = {"file": (io.BytesIO(content), "any name.csv"), "digest": ""}
    administrator.post("/reports/verify", sent, content_type="multipart/form-data")
    answer = administrator.follow()
    assert "This is the file made on" in answer.words
    assert "from “Numbers”" in answer.words
    assert "unchanged" in answer.words
    administrator.post("/reports/verify", {"digest": f"{hashlib.sha256(content).hexdigest()}  x.csv"})
    assert "This is the file made on" in administrator.follow().words
    administrator.post("/reports/verify", {"digest": "ab" * 32})
    assert "not a file that this clinic made" in administrator.follow().words
    assert administrator.post("/reports/verify", {"digest": "abc"}, status=400).errors == [
        "A SHA-256 has 64 characters, 0 to 9 and a to f."
    ]
    assert administrator.post("/reports/verify", {}, status=400).errors == ["Choose the file, or enter its SHA-256."]


def test_an_expired_file_is_no_longer_there_but_its_row_is(administrator, file, clock, cast):
    clock.forward(days=31)
    administrator.sign_in(cast.administrator)
    answer = administrator.get(file)
    assert "No longer kept" in answer.words
    assert "Download" not in answer.links()
    assert administrator.get(f"{file}/file", status=404).status == 404


def test_the_list_shows_what_was_asked_for(administrator, file, scope_for, cast):
    (line,) = administrator.get("/reports/files").rows()
    assert line[0].startswith("Numbers")
    assert line[0].startswith("Numbers, CSV")
    assert line[2] == "Ready"
    asked_for(scope_for(cast.neurologist))
    lines = administrator.get("/reports/files").rows()
    assert [one[2] for one in lines].count("Waiting") == 1


def test_nobody_else_gets_it(file, new_page, cast):
    for person, status in ((cast.staff, 403), (cast.stranger_neurologist, 404), (cast.stranger, 403)):
        page = new_page().sign_in(person)
        for address in (file, f"{file}/file", f"{file}/progress"):
            assert page.get(address, status=status).status == status
        for act in ("cancel", "again", "check"):
            assert page.post(f"{file}/{act}", status=status).status == status


def test_auditors_take_files_out_too(file, new_page, cast):
    content, _headers = taken_out(new_page().sign_in(cast.auditor), file)
    assert content.startswith(b"number")


def test_a_report_that_needs_more_is_not_shown_to_others(administrator, folder, new_page, cast, monkeypatch):
    needs = replace(DEFINITION, permissions=(Permission.VIEW_REPORTS, Permission.VIEW_AUDIT))
    monkeypatch.setitem(REPORTS, "numbers", REPORTS["numbers"]._replace(definition=needs))
    address = administrator.submit(NEW, format="csv").location
    neurologist = new_page().sign_in(cast.neurologist)
    neurologist.get(address, status=404)
    assert neurologist.get("/reports/files").all("tbody") == []
    assert row(db.session.scalar(sa.select(ReportRun.public_id))).finished_at is not None


def test_a_file_about_one_patient_names_them_only_where_it_is_logged(administrator, scope_for, cast):
    chart = register(scope_for(cast.staff))
    name = chart.row.family_name.upper()
    address = administrator.submit(f"/reports/files/new?report=evidence-pack&patient={chart.id}", format="zip").location
    for place in ("/reports/files", "/reports/files/list", f"{address}/progress"):
        assert name not in administrator.get(place).text
    before = looks()
    answer = administrator.get(address)
    assert name in answer.words
    assert name not in answer.title
    assert looks() == before + 1
    taken_out(administrator, address)
    assert looks() == before + 2


def looks():
    db.session.rollback()
    return db.session.query(AccessEvent).count()
