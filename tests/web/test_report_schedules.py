"""Reports that come by themselves on their pages: added, changed, ended by who may, with what is wrong at its field."""

import pytest
import sqlalchemy as sa

from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun, ReportSchedule
from clinic_tracker.services.report_schedules import make_due
from tests.made_reports import Numbers

NEW = "/reports/schedules/new?report=numbers"


@pytest.fixture(autouse=True)
def numbers(monkeypatch) -> Numbers:
    return Numbers().put_in(monkeypatch)


@pytest.fixture
def administrator(page, cast):
    return page.sign_in(cast.administrator)


def public_id(person):
    return str(db.session.scalar(sa.select(User.public_id).where(User.id == person.user_id)))


def test_add_one_change_it_and_end_it(administrator, cast):
    empty = administrator.get("/reports/schedules")
    assert "Nothing comes by itself yet" in empty.words
    administrator.submit(NEW, rhythm="monthly", month_day="31", recipients=[public_id(cast.auditor)])
    (line,) = administrator.follow().rows()
    assert line[0].startswith("Numbers")
    assert line[1:6] == [
        "on the last day of every month",
        "the calendar month before",
        "CSV",
        "Eli Voss",
        "31-Jan-2026",
    ]
    address = administrator.get("/reports/schedules").links()["Change Numbers"]
    form = administrator.get(address).fields()
    assert (form["month_day"], form["recipients"]) == ("31", public_id(cast.auditor))
    administrator.submit(address, rhythm="weekly", weekday="5", period="last_week", recipients=None)
    (line,) = administrator.follow().rows()
    assert line[1:6] == ["every Friday", "the seven days before", "CSV", "nobody", "23-Jan-2026"]
    administrator.post(f"{address}/end")
    (line,) = administrator.follow().rows()
    assert line[5].startswith("ended")
    administrator.post(f"{address}/end")
    assert "has ended" in administrator.follow().text


def test_what_is_not_complete_is_told_at_its_field(administrator):
    answer = administrator.submit(NEW, status=400, rhythm="monthly", month_day="")
    assert answer.errors == ["Enter the day of the month, 1 to 31."]
    assert administrator.submit(NEW, status=400, rhythm="monthly", month_day="32").errors
    assert administrator.submit(NEW, status=400, rhythm=None).errors


def test_an_older_page_does_not_undo_what_somebody_else_changed(administrator):
    administrator.submit(NEW)
    address = administrator.get("/reports/schedules").links()["Change Numbers"]
    old = administrator.get(address).fields()
    administrator.submit(address, rhythm="weekly", weekday="2")
    answer = administrator.post(address, old, status=409)
    assert "every Tuesday" in administrator.get("/reports/schedules").words
    assert answer.status == 409


def test_the_page_says_that_nobody_is_told_without_a_mail_server(administrator, app, monkeypatch):
    for address in ("/reports/schedules", NEW):
        assert "No mail server is set up here" in administrator.get(address).words
    monkeypatch.setitem(app.config, "MAIL_URL", "smtp://127.0.0.1")
    assert "No mail server" not in administrator.get("/reports/schedules").words


def test_what_came_so_far_is_on_its_pages(administrator, scope_for, cast, clock):
    administrator.submit(NEW, month_day="23", recipients=[public_id(cast.auditor), public_id(cast.neurologist)])
    clock.set("2026-01-23 05:00")
    make_due(scope_for(cast.administrator, clinic_id=0))
    db.session.rollback()
    administrator.sign_in(cast.administrator)
    run = db.session.scalar(sa.select(ReportRun.public_id))
    page = administrator.get("/reports/schedules")
    assert page.links()["23-Jan-2026: Numbers"] == f"/reports/files/{run}"
    assert "Waiting" in administrator.get(page.links()["Change Numbers"]).words
    answer = administrator.get(f"/reports/files/{run}")
    assert "asked for by Schedule" in answer.words
    assert "Made by the schedule of Ana Dow on 23-Jan-2026" in answer.words


def test_auditors_read_and_staff_do_not(administrator, new_page, cast):
    administrator.submit(NEW)
    address = administrator.get("/reports/schedules").links()["Change Numbers"]
    auditor = new_page().sign_in(cast.auditor)
    assert "Change Numbers" not in auditor.get("/reports/schedules").links()
    auditor.get(NEW, status=403)
    auditor.post(f"{address}/end", status=403)
    new_page().sign_in(cast.staff).get("/reports/schedules", status=403)
    stranger = new_page().sign_in(cast.stranger_neurologist)
    assert "Nothing comes by itself yet" in stranger.get("/reports/schedules").words
    stranger.get(address, status=404)
    stranger.post(f"{address}/end", status=404)


def test_a_change_keeps_a_prescriber_who_has_left(administrator, cast):
    prescriber = db.session.get(Prescriber, cast.prescriber.id)
    administrator.submit("/reports/schedules/new?report=overdue", prescriber=str(prescriber.public_id))
    prescriber.is_active = False
    db.session.commit()
    address = administrator.get("/reports/schedules").links()["Change Overdue"]
    administrator.submit(address, month_day="5")
    schedule = db.session.scalars(sa.select(ReportSchedule)).one()
    db.session.refresh(schedule)
    assert (schedule.month_day, schedule.parameters["prescriber"]) == (5, str(prescriber.public_id))
    assert f"{prescriber.name} (no longer here)" in administrator.get(address).text
