"""The figures of the dashboard against plain counts over the facts and the answers of the engine."""

from collections import Counter
from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from sqlalchemy import event

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.domain.reporting.span import Span
from clinic_tracker.domain.vocabulary import MonitoringDecisionKind, Role
from clinic_tracker.models.access import Membership
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import MonitoringDecision
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Obligation
from clinic_tracker.queries.dashboard.clinics import clinics_compared
from clinic_tracker.queries.dashboard.funnel import funnel
from clinic_tracker.queries.dashboard.on_time import by_month, by_requirement, tallies_by_month
from clinic_tracker.queries.dashboard.overdue import aging, overdue_curve, overdue_patients
from clinic_tracker.queries.dashboard.replayed import to_replay
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.services.histories import import_history
from tests.monitored import project
from tests.strategies import random_history

IDENTITY = {"family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"}
TODAY = date(2026, 1, 22)
SPAN = Span(36, TODAY)
PEOPLE = 40


def infusions(*days: str) -> dict:
    return {"infusions": [{"started_at": f"{day}T15:00+00:00"} for day in days]}


def common(**values) -> dict:
    return {
        "protocol": "lemtrada-us",
        "time_zone": "America/New_York",
        "patient": {"sex_at_birth": "female"},
        "labs": [],
        "exams": [],
        "forms": [],
        "waivers": [],
        **values,
    }


# What stored schedules do not tell: a course resumed after weeks, and a sign-off that treatment ended.
RESUMED = common(courses=[{"number": 1, **infusions("2024-03-04", "2024-03-05", "2024-05-20")}])
RESUMED_WITH_FORM = RESUMED | {"forms": [{"kind": "infusion_checklist", "course": 1, "submitted_on": "2024-03-07"}]}
TREATED_AGAIN = common(
    courses=[{"number": 1, **infusions("2022-03-07")}, {"number": 2, **infusions("2024-11-04")}],
    monitoring_closed_on="2024-02-10",
)
# A draw in no window, between the start of a course and its first slot, takes missed ones off the list.
BETWEEN = common(
    courses=[{"number": 1, **infusions("2023-01-09")}, {"number": 2, **infusions("2024-06-10")}],
    labs=[{"test": "cbc_diff", "collected_on": "2024-06-17"}],
)
ODD = [RESUMED, RESUMED_WITH_FORM, TREATED_AGAIN, BETWEEN]


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


@pytest.fixture
def histories(scope):
    """Random histories and odd ones, imported."""
    made = [random_history(seed, date(2026, 1, 20)) for seed in range(PEOPLE)] + ODD
    for number, history in enumerate(made):
        import_history(scope, read_imported({**history, "identity": {**IDENTITY, "mrn": f"M{number}"}}))
    return made


def told(value, on: date) -> dict:
    """The answer of the engine for a date, without the database."""
    history = read_history(value)
    return answer(history, packaged_protocols()[history.protocol], on.toordinal())


def plain_overdue(histories, on: date) -> tuple[int, int]:
    found = [sum(one["state"] == "overdue" for one in told(value, on)["standings"]) for value in histories]
    return sum(map(bool, found)), sum(found)


def test_the_overdue_curve_is_what_the_engine_says_of_each_of_its_days(scope, histories):
    days = SPAN.ends

    curve = overdue_curve(scope, days)

    assert [point.on for point in curve] == list(days)
    assert [(point.patients, point.items) for point in curve] == [plain_overdue(histories, day) for day in days]
    assert curve[-1].patients == overdue_patients(scope)
    assert curve[-1].items == sum(row.items for row in aging(scope))


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_is_exact_on_any_days(scope, seed):
    made = [random_history(seed * 1000 + number, date(2026, 1, 20)) for number in range(15)]
    for number, history in enumerate(made):
        import_history(scope, read_imported({**history, "identity": {**IDENTITY, "mrn": f"M{number}"}}))
    days = [date(2023, 6, 1) + timedelta(days=19 * step) for step in range(50)]

    found = [(point.patients, point.items) for point in overdue_curve(scope, days)]

    assert found == [plain_overdue(made, day) for day in days]


def test_only_what_the_schedule_does_not_tell_is_replayed(scope, histories):
    days = [date(2024, 3, 5), date(2024, 4, 30), date(2024, 5, 19), date(2024, 5, 20), TODAY]
    keys = {mrn: key for key, mrn in db.session.execute(db.select(Patient.id, Patient.mrn))}

    found = to_replay(scope, days)

    assert found[keys[f"M{PEOPLE}"]] == found[keys[f"M{PEOPLE + 1}"]] == (0, 1, 2)
    assert found[keys[f"M{PEOPLE + 2}"]] == (0, 1, 2, 3)
    assert keys[f"M{PEOPLE + 3}"] not in found
    assert len(found) < PEOPLE / 3
    assert to_replay(scope, [TODAY]) == to_replay(scope, []) == {}


def test_an_earlier_sign_off_counts_until_the_later_one(scope, histories, clock):
    patient = db.session.query(Patient).filter_by(mrn=f"M{PEOPLE + 3}").one()
    for day in (date(2025, 3, 3), date(2025, 9, 1)):
        decision = MonitoringDecision(
            clinic_id=scope.clinic_id,
            patient_id=patient.id,
            kind=MonitoringDecisionKind.CLOSED.value,
            decided_on=day,
            reason="Moved away",
            recorded_at=clock.now,
        )
        db.session.add(decision)
    db.session.commit()
    project(scope)
    days = [date(2025, 2, 28), date(2025, 3, 31), date(2025, 8, 31), TODAY]
    without = [told(ODD[3], day) for day in days]
    owed = [sum(one["state"] == "overdue" for one in one["standings"]) for one in without]

    found = overdue_curve(scope, days)

    everybody = [plain_overdue(histories, day)[1] for day in days]
    assert [point.items for point in found] == [everybody[0]] + [
        whole - own for whole, own in zip(everybody[1:], owed[1:], strict=True)
    ]


def outcome(obligation, due) -> str:
    if obligation["status"] == "done":
        late = date.fromisoformat(obligation["done_on"]) > due + timedelta(days=7)
        return "late" if late else "on_time"
    return {"waived": "waived", "missed": "missed"}.get(obligation["status"], "owed")


def plain_outcomes(histories, first: date) -> Counter:
    counted: Counter = Counter()
    for value in histories:
        closed = read_history(value).closed_on
        for one in told(value, TODAY)["obligations"]:
            due = date.fromisoformat(one["due_on"])
            if first <= due <= TODAY and not (closed and due.toordinal() > closed and one["done_on"] is None):
                counted[one["requirement"], due.replace(day=1), outcome(one, due)] += 1
    return counted


def test_every_month_of_every_requirement_equals_a_plain_count(scope, histories):
    tallies = tallies_by_month(scope, SPAN.first)

    counted: Counter = Counter()
    for (code, month), tally in tallies.items():
        for name in ("on_time", "late", "missed", "owed", "waived"):
            counted[code, month, name] = getattr(tally, name)
    assert +counted == plain_outcomes(histories, SPAN.first)
    due = sum(tally.due for tally in tallies.values())
    assert due == sum(tally.due for tally in by_month(scope, tallies).values())
    assert due == sum(tally.due for tally in by_requirement(scope, tallies).values())
    assert {month for _, month in tallies} <= set(SPAN.firsts)


def test_ages_are_those_of_the_standings(scope, histories):
    bands: Counter = Counter()
    for value in histories:
        for one in told(value, TODAY)["standings"]:
            if one["state"] == "overdue":
                late = (TODAY - date.fromisoformat(one["next_due_on"])).days
                band = next(place for place, most in enumerate((7, 30, 90, 10**6)) if late <= most)
                bands[one["requirement"], band] += 1

    found = {(row.requirement, place): count for row in aging(scope) for place, count in enumerate(row.bands)}

    assert +Counter(found) == bands
    assert len(bands) > len({code for code, _ in bands})


def plain_place(value) -> str | None:
    history, heads = read_history(value), told(value, TODAY)
    if heads["last_infusion_on"] is None:
        return None
    if history.closed_on is not None:
        return "signed_off"
    if date.fromisoformat(heads["monitoring_ends_on"]) < TODAY:
        return "ended"
    last = date.fromisoformat(heads["last_infusion_on"])
    return next((str(year) for year in (1, 2, 3, 4) if last + relativedelta(years=year) >= TODAY), "later")


def test_everybody_is_at_one_stage(scope, histories):
    places = Counter(plain_place(value) for value in histories)

    found = funnel(scope)

    assert found.registered == len(histories)
    assert found.treated == len(histories) - places[None]
    assert found.years == tuple(places[str(year)] for year in (1, 2, 3, 4))
    assert (found.later, found.ended, found.signed_off) == (places["later"], places["ended"], places["signed_off"])
    assert sum(found.years) + found.later + found.ended + found.signed_off == found.treated
    assert found.lost == sum(is_lost(value) for value in histories)


def is_lost(value) -> bool:
    history = read_history(value)
    days = [day for course in history.courses for day in course.infusion_days]
    if not days or history.closed_on is not None:
        return False
    days += [lab.collected for lab in history.labs if lab.status in VALID_STATUSES] + [
        exam.on for exam in history.exams
    ]
    days += [form.submitted for form in history.forms]
    return max(days) < TODAY.toordinal() - 90


def test_a_clinic_without_patients_has_only_zeros(scope):
    assert tallies_by_month(scope, SPAN.first) == {}
    assert {(point.patients, point.items) for point in overdue_curve(scope, SPAN.ends)} == {(0, 0)}
    assert overdue_curve(scope, []) == ()
    assert aging(scope) == ()
    assert funnel(scope) == (0, 0, 0, 0, (0, 0, 0, 0), 0, 0, 0, 0)


def test_another_clinic_has_its_own_figures(scope_for, cast, histories):
    stranger = scope_for(cast.stranger)
    assert tallies_by_month(stranger, SPAN.first) == {}
    assert overdue_curve(stranger, SPAN.ends)[-1].items == 0
    assert funnel(stranger).registered == 0


def test_clinics_are_compared_only_for_who_sees_reports_in_both(scope, scope_for, cast, histories):
    assert clinics_compared(scope, 12) == ()
    member = Membership(
        clinic_id=cast.southside.id, user_id=scope.user_id, role=Role.STAFF.value, started_on=date(2020, 1, 1)
    )
    db.session.add(member)
    db.session.commit()
    assert clinics_compared(scope, 12) == ()  # staff do not see reports

    member.role = Role.AUDITOR.value
    db.session.commit()
    rows = clinics_compared(scope, 12)

    assert [(row.slug, row.is_here) for row in rows] == [("northside", True), ("southside", False)]
    assert rows[0].overdue == overdue_patients(scope)
    assert rows[1].tally.due == rows[1].overdue == rows[1].monitored == 0

    member.ended_on = date(2026, 1, 1)
    db.session.commit()
    assert clinics_compared(scope, 12) == ()


def test_a_handful_of_statements_whatever_the_number_of_patients(scope, histories):
    counted: Counter = Counter()

    def count(*_) -> None:
        counted[0] += 1

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        tallies_by_month(scope, SPAN.first)
        aging(scope)
        funnel(scope)
        plain = counted[0]
        overdue_curve(scope, SPAN.ends)
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert plain <= 7  # with the settings of the grace and of silence
    assert counted[0] - plain <= 15  # of which 10 only because somebody is replayed


def test_the_spans_begin_with_a_month_and_end_today():
    assert Span.read({"months": "24"}, TODAY).months == 24
    assert {Span.read({"months": text}, TODAY).months for text in ("", "0", "13", "x", "-12")} == {12}
    span = Span(12, date(2024, 2, 29))
    assert (span.first, span.ends[-1], span.ends[-2]) == (date(2023, 3, 1), date(2024, 2, 29), date(2024, 1, 31))
    assert len(span.firsts) == len(span.ends) == 12


def test_the_trend_is_read_from_one_index():
    index = next(index for index in Obligation.__table__.indexes if index.name == "ix_obligation_outcome")
    needed = {"clinic_id", "due_on", "requirement", "done_on", "closes_on", "waived", "patient_id"}
    assert needed == {column.name for column in index.columns}
