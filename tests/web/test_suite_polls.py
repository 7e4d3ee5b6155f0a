"""Screens that ask again and again: nothing is done, noted or sent while nothing changed."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from clinic_tracker.models.access import Membership, User, UserSession
from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.infusion_day import pause_infusion, resume_infusion
from clinic_tracker.services.infusion_parts import Target, VitalsTaken, record_vital_signs
from clinic_tracker.services.infusions import withdraw_infusion
from tests.suite_parts import note_change
from tests.treated import Treated, add_patient

BOARD, WALL = "/infusions/board", "/infusions/wall/board"


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    found = add_patient(cast, scope_for)
    found.make_ready()
    found.prepare()
    return found


@pytest.fixture
def screen(page, cast):
    """A board that is on: ``screen(304)`` asks again with the tag of the last answer."""
    page.sign_in(cast.staff)

    class Screen:
        def __init__(self, url: str = BOARD) -> None:
            self.url, self.tag = url, None

        def ask(self, status: int):
            headers = {"X-Background": "1", **({"If-None-Match": self.tag} if self.tag else {})}
            return page.get(self.url, status=status, headers=headers)

        def __call__(self, status: int = 200):
            answer = self.ask(status)
            self.tag = answer.response.headers["ETag"]
            return answer

    return Screen


def accesses() -> int:
    return db.session.scalar(select(func.count()).select_from(AccessEvent))


def test_the_page_brings_the_tag_with_which_its_first_question_costs_nothing(treated, page, screen):
    tag = page.get("/infusions").one("div", **{"data-module": "refresh"}).get("data-tag")
    board = screen()
    board.tag = f'"{tag}"'
    board(304)


def test_an_unchanged_board_takes_one_statement_and_writes_nothing(treated, screen, clock):
    treated.start()
    board = screen()
    board()
    clock.forward(minutes=3)
    seen_at, before, statements = db.session.scalar(select(UserSession.last_seen_at)), accesses(), []
    db.session.rollback()

    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        answer = board(304)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert [text.split(maxsplit=1)[0] for text in statements] == ["SELECT"]
    assert accesses() == before
    assert db.session.scalar(select(UserSession.last_seen_at)) == seen_at
    assert answer.response.data == b""
    assert answer.response.headers["X-Now"] == clock.now.isoformat()


def test_every_step_of_an_infusion_changes_the_board(treated, screen, page, clock, cast):
    board = screen()
    board()

    def changes(act):
        board(304)
        found = act()
        board()
        return found

    def scope():
        page.sign_in(cast.staff)
        return treated.scope

    clock.forward(minutes=1)
    infusion = changes(treated.start)
    clock.forward(minutes=10)
    vitals = VitalsTaken(taken_at=clock.now, pulse=70)
    changes(lambda: record_vital_signs(scope(), Target(treated.patient, infusion), vitals))
    changes(lambda: pause_infusion(scope(), treated.patient, infusion, paused_at=clock.now, reason="Itch"))
    clock.forward(minutes=2)
    changes(lambda: resume_infusion(scope(), treated.patient, infusion, resumed_at=clock.now))
    clock.forward(minutes=2)
    page.sign_in(cast.staff)
    changes(lambda: treated.end(infusion))
    changes(lambda: treated.discharge(infusion, given=Reasons("Went home")))
    changes(lambda: withdraw_infusion(scope(), treated.patient, infusion, reason="Other patient"))


def test_time_changes_the_board_although_nobody_records_anything(treated, screen, page, cast, clock):
    clock.set("2026-01-22 10:31")
    infusion = treated.start()
    board = screen()
    page.sign_in(cast.staff)
    assert "due since" not in board().words
    clock.forward(minutes=14)
    board(304)
    clock.set("2026-01-22 10:59")
    page.sign_in(cast.staff)
    board(304)
    clock.set("2026-01-22 11:01")
    assert "due since 11:01" in board().words
    treated.end(infusion)
    assert "In observation" in board().words
    clock.set("2026-01-22 13:00")
    page.sign_in(cast.staff)
    board()
    clock.set("2026-01-22 13:01")
    assert "Observation over, to be signed out" in board().words


def test_a_change_elsewhere_in_the_clinic_is_answered_without_the_board(treated, screen, clock):
    board = screen()
    board()
    before = accesses()
    note_change(treated.scope)
    answer = board(204)
    assert answer.response.data == b""
    assert accesses() == before
    board(304)


def test_a_change_in_another_clinic_is_none(treated, screen, cast, scope_for):
    board = screen()
    board()
    note_change(scope_for(cast.stranger))
    board(304)


def test_a_screen_that_is_left_on_is_noted_once_for_the_same_people(treated, screen, page, cast, scope_for, clock):
    board = screen()
    board()
    before = accesses()
    infusion = treated.start()
    board()
    assert accesses() == before
    other = add_patient(cast, scope_for, family_name="Newcomer")
    other.make_ready()
    board()
    assert accesses() == before + 1
    clock.forward(minutes=1)
    # Nobody is excused by a tag that they made up, or that is somebody else's.
    board.tag = f'{board.tag.rsplit(".", 1)[0]}.{"0" * 24}"'
    treated.end(infusion)
    board()
    assert accesses() == before + 2
    page.sign_in(cast.neurologist)
    board()
    assert accesses() == before + 3


@pytest.mark.parametrize("tag", ['"nonsense"', '"a.b.c.d"', '"1-2-3.99999999999999999999.x.y"', "*", "W/"])
def test_a_tag_that_is_not_ours_brings_the_board(treated, screen, tag):
    board = screen()
    board.tag = tag
    board()


def test_a_weakened_tag_is_still_ours(treated, screen):
    board = screen()
    board()
    board.tag = f"W/{board.tag}"
    board(304)


def test_the_tag_of_one_layout_or_role_is_not_that_of_another(treated, screen, page, cast):
    board, wall = screen(), screen(WALL)
    board()
    wall.tag = board.tag
    wall()
    chairs = screen(f"{BOARD}?layout=chairs")
    chairs.tag = board.tag
    chairs()
    page.sign_in(cast.auditor)
    assert "Prepare" not in board().words


def test_screens_do_not_keep_a_session_alive_with_or_without_scripts(treated, page, cast, clock):
    page.sign_in(cast.staff)
    for _ in range(7):
        clock.forward(minutes=2)
        page.get(BOARD, headers={"X-Background": "1"})
        page.get("/infusions?background=1")
        page.get("/infusions/wall?background=1")
    clock.forward(minutes=2)
    page.get(BOARD, status=303, headers={"X-Background": "1"})


def ended(session, _user, _membership, clock):
    session.ended_at = clock.now


def idle(_session, _user, _membership, clock):
    clock.forward(minutes=15)


def too_old(session, _user, _membership, clock):
    session.created_at = clock.now - timedelta(hours=12)


def inactive(_session, user, _membership, _clock):
    user.is_active = False


def with_a_password_to_change(_session, user, _membership, _clock):
    user.must_change_password = True


def without_a_role(_session, _user, membership, clock):
    membership.ended_on = clock.today


@pytest.mark.parametrize("state", [ended, idle, too_old, inactive, with_a_password_to_change, without_a_role])
def test_the_gate_lets_nobody_in_who_may_not_come_in(treated, screen, cast, clock, state):
    board = screen()
    board()
    board(304)
    session = db.session.query(UserSession).one()
    user, membership = db.session.get(User, cast.staff.user_id), db.session.query(Membership)
    state(session, user, membership.filter_by(user_id=user.id).one(), clock)
    db.session.commit()
    board.ask(303)


def test_a_forged_or_missing_cookie_is_no_session(treated, screen, page, app):
    board = screen()
    board()
    name = app.config["SESSION_COOKIE_NAME"]
    for value in ("", "nonsense", "eyJfdXNlcl9pZCI6IjEifQ.aXQ.x"):
        page.client.set_cookie(name, value)
        board.ask(303)


def test_the_quick_answer_has_the_headers_of_every_answer(treated, screen):
    board = screen()
    board()
    headers = board(304).response.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"


def test_screens_share_a_board_for_a_moment_and_then_see_the_change(treated, screen, app, monkeypatch):
    monkeypatch.setitem(app.config, "SUITE_SHARED_SECONDS", 60)
    monkeypatch.delitem(app.extensions, "suite_boards", raising=False)
    one, other = screen(), screen()
    one()
    treated.start()
    other()
    assert other.tag == one.tag
    monkeypatch.setitem(app.config, "SUITE_SHARED_SECONDS", 0.0)
    assert "Infusion until" in one().words
    assert "Infusion until" in other().words
    app.extensions.pop("suite_boards")


def test_opened_by_themselves_the_parts_lead_to_their_pages(page, cast):
    page.sign_in(cast.staff)
    assert page.get(BOARD, status=302).location == "/infusions"
    assert page.get(f"{BOARD}?layout=chairs", status=302).location == "/infusions?layout=chairs"
    assert page.get(WALL, status=302).location == "/infusions/wall"


def test_the_wall_shows_nobody_and_is_not_noted(treated, page, cast, clock):
    page.sign_in(cast.staff)
    treated.start(chair="4")
    before = accesses()
    for url, headers in (("/infusions/wall", {}), (WALL, {"X-Background": "1"})):
        answer = page.get(url, headers=headers)
        assert "Day 1 of 5" in answer.words
        for secret in ("Okafor", "OKAFOR", "Ada", "14-Jul-1984", str(treated.patient), "MRN"):
            assert secret not in answer.text, secret
    assert accesses() == before
    clock.forward(minutes=45)
    page.sign_in(cast.staff)
    assert "Vital signs due" in page.get("/infusions/wall").words
