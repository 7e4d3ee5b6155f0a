"""The schedule of the suite and the pages on which its days are booked, moved and given back."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.services.chairs import retire_chair
from clinic_tracker.services.courses import discontinue_course
from tests.booked import add_chairs, book, days_from
from tests.treated import add_patient

MONDAY = date(2026, 1, 26)
WEEK = "/infusions/schedule?week=2026-W05"


@pytest.fixture
def suite(cast, scope_for):
    return add_chairs(scope_for(cast.administrator), "1", "2", "3")


@pytest.fixture
def treated(cast, scope_for, suite):
    ready = add_patient(cast, scope_for)
    ready.make_ready(MONDAY)
    return ready


@pytest.fixture
def staff(page, cast):
    return page.sign_in(cast.staff)


def desk(treated):
    return f"/patients/{treated.patient}/courses/{treated.course}/chairs"


def cells(answer, chair):
    return next(row[1:] for row in answer.rows(len(answer.all("tbody")) and grid(answer)) if row[0] == chair)


def grid(answer):
    """Which body of the page's tables is that of the week."""
    return answer.all("tbody").index(answer.one("table", data_module="grid-keys").find("tbody"))


def conflicts(answer):
    return [row[3] for row in answer.rows(0)] if "What does not go together" in answer.words else []


# --------------------------------------------------------------------------------------------------- the week


def test_without_a_chair_the_page_says_who_adds_one(page, cast):
    assert "An administrator adds the chairs" in page.sign_in(cast.staff).get("/infusions/schedule").words
    assert page.sign_in(cast.administrator).get("/infusions/schedule").links()["Add a chair"] == "/admin/chairs/new"


def test_the_week_has_chairs_down_and_days_across(staff, treated):
    book(treated, *days_from(treated, MONDAY))

    answer = staff.get(WEEK)

    assert "Week 5, 26-Jan-2026 to 01-Feb-2026 · 5 days booked" in answer.words
    assert cells(answer, "1")[1].startswith("08:00–16:00 OKAFOR, Ada MRN")
    assert "Course 1, day 2 of 5 ready" in cells(answer, "1")[1]
    assert cells(answer, "2") == ["free"] * 5
    assert conflicts(answer) == []


def test_the_weekend_is_shown_where_somebody_is_booked(staff, treated):
    book(treated, *days_from(treated, MONDAY + timedelta(days=2)))

    assert len(cells(staff.get(WEEK), "1")) == 7
    assert len(cells(staff.get("/infusions/schedule?week=2026-W08"), "1")) == 5


@pytest.mark.parametrize(
    "address, words",
    [
        ("", "Week 4,"),
        ("?week=2026-W53", "Week 53,"),
        ("?from=02%2F14%2F2026", "Week 7,"),
        ("?from=nonsense&week=2026-W99", "Week 4,"),
    ],
)
def test_a_week_is_found_by_its_name_or_a_day_and_nonsense_shows_this_one(staff, suite, address, words):
    assert words in staff.get(f"/infusions/schedule{address}").words


def test_one_walks_from_week_to_week(staff, suite):
    links = staff.get("/infusions/schedule?week=2026-W01").links()

    assert links["← Previous week"] == "/infusions/schedule?week=2025-W52"
    assert links["Next week →"] == "/infusions/schedule?week=2026-W02"
    assert links["This week"] == "/infusions/schedule"


def test_who_is_not_ready_is_listed_by_date_with_what_is_missing_and_where_to_look(staff, treated, cast, scope_for):
    late = add_patient(cast, scope_for, family_name="Ruiz", enrolled=False)
    late.plan(MONDAY - timedelta(days=2))

    answer = staff.get("/infusions/schedule")

    row = answer.rows(len(answer.all("tbody")) - 1)[0]
    assert row[0] == "24-Jan-2026 in 2 daysCourse 1, day 1 of 5"
    assert row[1].startswith("RUIZ, Ada")
    assert row[2].startswith("stop")
    assert "enrolled" in row[2]
    link = answer.links()["Readiness RUIZ, Ada"]
    assert link.endswith(f"/courses/{late.course}/readiness?on=2026-01-24")
    staff.get(link)
    assert "OKAFOR" not in " ".join(row)


def test_when_everybody_is_ready_it_is_said(staff, treated):
    assert "Everybody of the next 14 days is ready" in staff.get("/infusions/schedule").words


def test_days_of_a_planned_course_without_a_chair_are_to_book(staff, treated):
    assert "OKAFOR" not in staff.get("/infusions/schedule").words
    answer = staff.get(WEEK)
    assert answer.rows(grid(answer) + 1)[0][3] == "5 of 5: 26-Jan-2026 to 30-Jan-2026"
    assert answer.links()["Book chairs OKAFOR, Ada"] == desk(treated)

    book(treated, *days_from(treated, MONDAY, 3))
    answer = staff.get(WEEK)
    assert answer.rows(grid(answer) + 1)[0][3] == "2 of 5: 29-Jan-2026 to 30-Jan-2026"
    book(treated, *days_from(treated, MONDAY + timedelta(days=3), 2))
    assert "Every day of the courses planned for this week has a chair." in staff.get(WEEK).words


def test_a_start_that_has_passed_without_an_infusion_is_not_lost(page, cast, treated, clock):
    clock.set("2026-02-03 09:00")

    assert "not begun" in page.sign_in(cast.staff).get("/infusions/schedule").words


def test_conflicts_are_told_plainly(staff, treated, cast, scope_for, suite, clock):
    book(treated, *days_from(treated, MONDAY + timedelta(days=1), 2, at="05:00", chair=suite[0]))
    retire_chair(scope_for(cast.administrator), suite[0])

    told = conflicts(staff.get(WEEK))

    assert told[0] == (
        "Chair 1 is no longer in use. The course is planned to start on 26-Jan-2026. "
        "The time starts before the suite opens at 07:00."
    )
    discontinue_course(
        treated.scope, treated.patient, treated.course, discontinued_on=clock.today, reason="x", unused_vials=0
    )
    assert conflicts(staff.get(WEEK))[0].startswith("Course 1 ended on 22-Jan-2026.")


def test_a_week_takes_a_fixed_number_of_statements(staff, treated, cast, scope_for):
    def count():
        seen = []
        listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        staff.get(WEEK)
        event.remove(db.engine, "before_cursor_execute", listen)
        return len(seen)

    book(treated, *days_from(treated, MONDAY, 2))
    staff.get(WEEK)
    few = count()
    for name in ("Adams", "Baker"):
        other = add_patient(cast, scope_for, family_name=name)
        other.make_ready(MONDAY)
        book(other, *days_from(other, MONDAY, 5))

    assert count() == few


def test_everybody_on_the_schedule_is_in_the_access_log(staff, treated, scope_for, cast):
    staff.get(WEEK)

    row = db.session.scalars(db.select(AccessEvent).order_by(AccessEvent.id.desc())).first()
    assert row.patient_ids == [treated.patient_id]


# ---------------------------------------------------------------------------------------------------- the day


def test_a_day_is_drawn_and_listed(staff, treated):
    book(treated, *days_from(treated, MONDAY, 1), nurse_name="Lee, RN", note="Needs a lift")

    answer = staff.get("/infusions/schedule/day?on=2026-01-26")

    assert answer.h1 == "Monday, 26-Jan-2026"
    held = answer.one("td", class_="hours__held")
    assert held.get("colspan") == "32"
    assert "Course 1, day 1 of 5Lee, RNNeeds a lift" in answer.words
    assert answer.links()["Move OKAFOR, Ada"].endswith("/move")


def test_an_empty_day_says_what_to_do_next(staff, suite):
    assert "Nobody is booked on this day" in staff.get("/infusions/schedule/day?on=2026-05-04").words


def test_an_auditor_sees_the_schedule_and_nothing_to_press(page, cast, treated):
    book(treated, *days_from(treated, MONDAY, 1))
    answer = page.sign_in(cast.auditor).get("/infusions/schedule/day?on=2026-01-26")

    assert "OKAFOR" in answer.words
    assert "Move" not in answer.words
