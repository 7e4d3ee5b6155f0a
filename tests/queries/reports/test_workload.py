"""What falls due in each of twelve weeks, against a plain count of the answers of the engine."""

from collections import Counter
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.models.base import db
from clinic_tracker.models.suite import Chair, ChairBooking
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.histories import import_history
from tests.listed import asked
from tests.monitored import add_course, add_infusion, add_patient, project, treated
from tests.strategies import random_history

TODAY = date(2026, 1, 22)
DAY = timedelta(days=1)
LABS = {"cbc_diff", "creatinine", "urinalysis_cells", "tsh", "liver_panel"}
FORMS = {"infusion_checklist", "patient_status_form"}


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def counted(lines, *kinds):
    """Count and patients by week, kind and requirement, where there are any."""
    return {
        (line["week"], line["kind"], line["what"]): (line["count"], line["patients"])
        for line in lines
        if line["count"] and line["kind"] in kinds
    }


def test_every_figure_equals_a_plain_count(scope):
    histories = [random_history(seed, TODAY) for seed in range(60)]
    due: Counter = Counter()
    people: dict = {}
    visits = set()
    for number, history in enumerate(histories):
        identity = {"family_name": "Test", "given_name": f"T{number}", "birth_date": "1950-05-17", "mrn": f"M{number}"}
        import_history(scope, read_imported({**history, "identity": identity}))
        read = read_history(history)
        if read.closed_on is not None:
            continue
        for one in answer(read, packaged_protocols()[read.protocol], TODAY.toordinal())["obligations"]:
            on, code = date.fromisoformat(one["due_on"]), one["requirement"]
            if one["status"] not in ("upcoming", "due") or not TODAY <= on < TODAY + 84 * DAY:
                continue
            week = (on - TODAY).days // 7 + 1
            key = (week, "draw" if code in LABS else "form" if code in FORMS else "exam", code)
            due[key] += 1
            people.setdefault(key, set()).add(number)
            if code in LABS:
                visits.add((week, number, on))
    lines = asked(scope, "workload")
    assert counted(lines, "draw", "exam", "form") == {key: (due[key], len(people[key])) for key in due}
    by_week = Counter(week for week, _, _ in visits)
    of_people = Counter(week for week, _ in {(week, number) for week, number, _ in visits})
    shown = {week: (by_week[week], of_people[week]) for week in by_week}
    assert {key[0]: value for key, value in counted(lines, "visit").items()} == shown
    assert len(due) > 20


def test_a_line_for_each_week_and_kind_even_in_an_empty_clinic(scope):
    lines = asked(scope, "workload")
    assert [line["week"] for line in lines] == sorted(line["week"] for line in lines)
    first = [line for line in lines if line["week"] == 1]
    assert {(line["kind"], line["what"]) for line in first} == {
        ("visit", "any"),
        *(("draw", code) for code in LABS),
        *(("form", code) for code in FORMS),
        ("exam", "skin_exam"),
        ("exam", "hpv_screen"),
        ("infusion", "booked"),
        ("infusion", "not_booked"),
    }
    assert len(lines) == 12 * len(first)
    assert {line["count"] for line in lines} == {0}
    assert (first[0]["from_on"], first[0]["to_on"]) == (TODAY, TODAY + 6 * DAY)
    assert (lines[-1]["from_on"], lines[-1]["to_on"]) == (TODAY + 77 * DAY, TODAY + 83 * DAY)


def test_a_man_after_one_course(scope):
    treated(scope, date(2025, 10, 20), labs_until=TODAY)  # last infusion on 24-Oct: months end on the 24th
    project(scope)
    lines = asked(scope, "workload")
    monthly = {"cbc_diff", "creatinine", "urinalysis_cells"}
    expected = {(week, "draw", code): (1, 1) for week in (1, 5, 9) for code in monthly}
    expected |= {(1, "draw", code): (1, 1) for code in ("tsh", "liver_panel")}
    assert counted(lines, "draw") == expected
    assert counted(lines, "visit") == {(week, "visit", "any"): (1, 1) for week in (1, 5, 9)}
    assert counted(lines, "form", "exam") == {}


def test_infusions_booked_planned_and_left_of_a_course(scope, cast):
    planned, begun, stale, ended, given, late = (add_patient(scope) for _ in range(6))
    booked = add_course(scope, planned, None, planned_start_on=TODAY + 10 * DAY)
    course = add_course(scope, begun, None)
    for number in (1, 2):
        add_infusion(scope, begun, course, TODAY - (2 - number) * DAY, number)
    old = add_course(scope, stale, None)
    add_infusion(scope, stale, old, TODAY - 31 * DAY, 1)
    add_course(scope, ended, None, planned_start_on=TODAY, discontinued_on=TODAY, discontinued_reason="Pregnant")
    add_course(scope, given, TODAY - 4 * DAY)
    add_course(scope, late, None, days=3, planned_start_on=TODAY - 30 * DAY)
    chair = Chair(clinic_id=scope.clinic_id, name="1", position=1)
    db.session.add(chair)
    db.session.flush()
    for day, cancelled in ((10, None), (11, None), (12, scope.now)):
        db.session.add(
            ChairBooking(
                clinic_id=scope.clinic_id,
                patient_id=planned.id,
                course_id=booked.id,
                chair_id=chair.id,
                booked_on=TODAY + day * DAY,
                starts_at=scope.now + day * DAY,
                ends_at=scope.now + day * DAY + timedelta(hours=7),
                booked_at=scope.now,
                cancelled_at=cancelled,
            )
        )
    db.session.commit()
    assert counted(asked(scope, "workload"), "infusion") == {
        (2, "infusion", "booked"): (2, 1),  # days 10 and 11
        (2, "infusion", "not_booked"): (2, 1),  # days 12 and 13
        (3, "infusion", "not_booked"): (1, 1),  # day 14
        (1, "infusion", "not_booked"): (6, 2),  # three left from tomorrow; three of the late start from today
    }


def test_of_one_prescriber_and_not_of_another_clinic(scope, cast, scope_for):
    mine = treated(scope, date(2025, 10, 20), labs_until=TODAY)
    treated(scope, date(2025, 10, 20), labs_until=TODAY)
    mine.prescriber_id = cast.prescriber.id
    project(scope)
    all_of_them = counted(asked(scope, "workload"), "draw")
    assert set(all_of_them.values()) == {(2, 2)}
    only_mine = counted(asked(scope, "workload", prescriber=cast.prescriber.public_id), "draw")
    assert only_mine == dict.fromkeys(all_of_them, (1, 1))
    assert {line["count"] for line in asked(scope_for(cast.stranger), "workload")} == {0}


def test_a_past_date_is_refused_for_what_was_ahead_then_is_not_stored(scope):
    with pytest.raises(RuleViolation, match="looks ahead"):
        asked(scope, "workload", as_of=TODAY - DAY)
