"""The dashboard: its figures, its words, its links, and who may see it."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import event

from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.domain.reporting.span import Span
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import ClinicSetting, Membership
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, InfusionReaction
from clinic_tracker.queries.dashboard.on_time import by_requirement, tallies_by_month
from clinic_tracker.queries.dashboard.overdue import aging, overdue_patients
from clinic_tracker.services.histories import import_history
from clinic_tracker.services.schedules import rebuild_schedule
from tests.fixtures.html_rules import problems_of
from tests.monitored import add_course, add_infusion, add_patient, project, treated
from tests.strategies import random_history

URL = "/reports/dashboard"
TITLES = [
    "On time, by requirement",
    "Requirement by month",
    "Overdue over time",
    "How long it has been overdue",
    "Infusions and observation",
    "Reactions",
    "From enrollment to the end of monitoring",
]


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


@pytest.fixture
def patients(scope):
    identity = {"family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"}
    for seed in range(12):
        history = random_history(seed, date(2026, 1, 20))
        import_history(scope, read_imported({**history, "identity": {**identity, "mrn": f"M{seed}"}}))


def figure(answer, title):
    return next(one for one in answer.all("figure") if title in answer_words(one))


def answer_words(element) -> str:
    return " ".join("".join(element.itertext()).split())


def numbers(element) -> list[list[str]]:
    return [[answer_words(cell) for cell in row] for body in element.iter("tbody") for row in body.iter("tr")]


def test_every_chart_has_a_title_a_definition_a_drawing_and_its_numbers(page, cast, patients):
    shown = page.sign_in(cast.administrator).get(URL)
    assert [answer_words(title) for title in shown.all("h2", "figure__title")] == TITLES
    for one in shown.all("figure", "card"):
        assert len(answer_words(next(iter(one.iter("p"))))) > 40
    for drawing in shown.all("svg", "chart"):
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label")
        assert not list(drawing.iter("a"))  # what is in an image cannot be reached
    assert len(shown.all("details", "figure__numbers")) >= len(shown.all("svg", "chart"))


def test_the_numbers_are_those_of_the_queries(page, cast, scope, patients):
    shown = page.sign_in(cast.administrator).get(f"{URL}?months=48")
    span = Span(48, scope.today)
    tallies = tallies_by_month(scope, span.first)
    small = shown.all("figure", "figure--small")
    whole = sum(tally.expected for tally in tallies.values())
    assert f"of {whole:,}" in answer_words(small[0])
    assert len(small) == 1 + len(by_requirement(scope, tallies))
    assert sum(int(row[1].replace(",", "")) for row in numbers(small[0])) == whole
    late = figure(shown, "How long it has been overdue")
    assert numbers(late)[-1][-1] == str(sum(row.items for row in aging(scope)))
    curve = numbers(figure(shown, "Overdue over time"))
    assert len(curve) == 48
    assert curve[0] == ["22-Jan-2026, today", str(overdue_patients(scope)), numbers(late)[-1][-1]]


def test_numbers_lead_to_what_they_count(page, cast, patients):
    visitor = page.sign_in(cast.administrator)
    links = {
        cell.get("href")
        for one in visitor.get(URL).all("figure")
        for table in one.iter("table")
        for cell in table.iter("a")
    }
    by_place = {}
    for link in sorted(links):
        by_place.setdefault(link.split("?")[0], link)
    assert {"/reports/obligations", "/reports/overdue", "/worklists", "/reports/observation"} <= {
        place.rstrip("/") for place in by_place
    }
    for link in by_place.values():
        visitor.get(link)


def test_a_number_and_the_list_behind_it_agree(page, cast, patients):
    visitor = page.sign_in(cast.administrator)
    first = visitor.get(URL).all("figure", "figure--small")[0]
    row = next(row for row in first.iter("tr") if row.get("class") is None and list(row.iter("a")))
    link = next(iter(row.iter("a")))
    listed = visitor.get(link.get("href"))
    assert int(answer_words(link)) == len([line for line in listed.rows(0) if line[0] != "All lines"])


def test_what_happened_on_infusion_days_is_what_its_lists_hold(page, cast, scope):
    """A late reaction counts for the month of its infusion, and a departure of a whole course for none."""
    patient = add_patient(scope)
    course = add_course(scope, patient, None)
    infusion = add_infusion(scope, patient, course, date(2025, 11, 28), 1)
    db.session.flush()
    common = {"clinic_id": scope.clinic_id, "recorded_at": scope.now}
    late = infusion.started_at + timedelta(days=8)
    db.session.add(
        InfusionReaction(**common, infusion_id=infusion.id, onset_at=late, grade="severe", signs="", is_serious=True)
    )
    about = {**common, "patient_id": patient.id, "code": "x", "message": "X", "reason": "Y"}
    for values in ({"infusion_id": infusion.id}, {"course_id": course.id}):
        db.session.add(Deviation(**about, **values, occurred_on=infusion.infused_on))
    project(scope)
    visitor = page.sign_in(cast.administrator)
    shown = visitor.get(URL)
    for title in ("Infusions and observation", "Reactions"):
        link = [one for one in figure(shown, title).iter("a") if one.get("href")][-1]
        assert answer_words(link) == "1"
        assert len(visitor.get(link.get("href")).rows(0)) == 1, title


def change_setting(scope, name, value, on):
    db.session.add(
        ClinicSetting(
            clinic_id=scope.clinic_id, name=name, value=value, effective_from=on, reason="Agreed",
            recorded_at=scope.now,
        )
    )  # fmt: skip
    db.session.commit()


def curve_links(visitor) -> dict[str, tuple[int, str]]:
    """Items and the address behind them, by the day, of the days that have one."""
    rows = next(iter(figure(visitor.get(URL), "Overdue over time").iter("tbody"))).iter("tr")
    links = [([answer_words(cell) for cell in row], [one.get("href") for one in row.iter("a")]) for row in rows]
    return {words[0]: (int(words[2]), found[1]) for words, found in links if found}


def test_a_past_day_leads_to_the_report_only_if_that_counts_the_same(page, cast, scope, patients):
    visitor = page.sign_in(cast.administrator)
    assert "31-Aug-2025" in curve_links(visitor)
    change_setting(scope, "no_evidence_days", 60, date(2025, 10, 20))  # asks for nothing
    assert "31-Aug-2025" in curve_links(visitor)
    change_setting(scope, "psf_months", 3, date(2025, 11, 20))
    rebuild_schedule(scope)
    links = curve_links(visitor)
    assert {"30-Nov-2025", "22-Jan-2026, today"} <= links.keys()
    assert not {"31-Aug-2025", "31-Oct-2025"} & links.keys()
    for items, link in links.values():
        assert len(visitor.get(link).rows(0)) == items
    change_setting(scope, "psf_months", 6, date(2026, 1, 10))
    rebuild_schedule(scope)
    links = curve_links(visitor)
    assert "31-Aug-2025" in links
    assert not {"30-Nov-2025", "31-Dec-2025"} & links.keys()


@pytest.mark.parametrize("months", ["12", "24", "36", "48", "0", "soon", ""])
def test_the_time_shown_is_one_of_four(page, cast, months):
    shown = page.sign_in(cast.administrator).get(f"{URL}?months={months}")
    chosen = [answer_words(link) for link in shown.all("a", aria_current="true")]
    assert chosen == [f"{months if months in {'24', '36', '48'} else '12'} months"]


def test_a_clinic_without_anybody(page, cast):
    shown = page.sign_in(cast.administrator).get(URL)
    assert [answer_words(title) for title in shown.all("h2", "figure__title")] == TITLES
    assert shown.all("svg", "chart") == []
    assert "Nothing to draw." in shown.words


def test_a_clinic_with_its_first_patient(page, cast, scope):
    treated(scope, scope.today - timedelta(days=40))
    project(scope)
    shown = page.sign_in(cast.administrator).get(URL)
    assert numbers(figure(shown, "From enrollment"))[3] == ["First infusion", "1", "100.0%"]
    assert numbers(figure(shown, "Overdue over time"))[0][1] == "1"


def test_it_is_for_those_who_see_reports(page, cast):
    page.sign_in(cast.staff).get(URL, status=403)
    page.sign_in(cast.auditor).get(URL)


def test_clinics_side_by_side_only_where_the_person_sees_reports(page, cast, patients):
    visitor = page.sign_in(cast.administrator)
    assert "Your clinics" not in visitor.get(URL).words
    member = Membership(
        clinic_id=cast.southside.id,
        user_id=cast.administrator.user_id,
        role=Role.STAFF.value,
        started_on=date(2020, 1, 1),
    )
    db.session.add(member)
    db.session.commit()
    assert "Southside" not in visitor.get(URL).words
    member.role = Role.NEUROLOGIST.value
    db.session.commit()
    rows = numbers(figure(visitor.get(URL), "Your clinics"))
    assert [row[0] for row in rows] == ["Northside MS Center, this clinic", "Southside Neurology"]
    assert rows[1][1:] == ["0", "0", "-", "0", "-"]


def test_statements_do_not_grow_with_patients(page, cast, scope, patients):
    visitor = page.sign_in(cast.administrator)
    visitor.get(URL)
    counted: Counter = Counter()

    def count(*_) -> None:
        counted[0] += 1

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        visitor.get(URL)
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert counted[0] <= 40  # with the session, and the facts of those few who are replayed


def test_the_page_keeps_the_rules(page, cast, patients):
    shown = page.sign_in(cast.administrator).get(f"{URL}?months=36")
    assert problems_of(shown.tree) == []
    assert not [element for element in shown.tree.iter() if element.get("style")]
