"""Forms that were late or are owed: the calendar by hand, and a plain count of the answers of the engine."""

from datetime import date, timedelta

import pytest

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.models.base import db
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.histories import import_history
from tests.listed import asked
from tests.monitored import add_course, add_form, add_patient, project
from tests.strategies import random_history

TODAY = date(2026, 1, 22)
DAY = timedelta(days=1)
FORMS = ("infusion_checklist", "patient_status_form")


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def told(lines):
    return [
        (line["form"], line["slot"], line["due"], line["sent"], line["outcome"], line["days_late"]) for line in lines
    ]


def test_five_business_days_and_six_months_over_holidays_and_the_end_of_a_month(scope):
    # The last infusion on Friday 29-Aug; Monday 1-Sep is Labor Day: five business days end on Monday 8-Sep.
    patient = add_patient(scope)
    course = add_course(scope, patient, date(2025, 8, 25))
    add_form(scope, patient, "infusion_checklist", date(2025, 9, 9), course)
    other = add_patient(scope)
    add_course(scope, other, date(2025, 7, 31), days=1)  # 31-Jan is not due yet; the checklist was on 7-Aug
    project(scope)
    found = asked(scope, "forms")
    assert told(found) == [
        ("infusion_checklist", "C1", date(2025, 8, 7), None, "owed", 168),
        ("infusion_checklist", "C1", date(2025, 9, 8), date(2025, 9, 9), "on_time", 1),
    ]
    assert [line["patient_id"] for line in found] == [other.id, patient.id]
    assert told(asked(scope, "forms", show="owed")) == told(found[:1])
    assert asked(scope, "forms", form="patient_status_form") == []
    assert told(asked(scope, "forms", as_of="2025-09-08")) == [
        ("infusion_checklist", "C1", date(2025, 8, 7), None, "owed", 32),
        ("infusion_checklist", "C1", date(2025, 9, 8), None, "owed", 0),
    ]


def test_what_is_owed_is_listed_however_long_ago_it_fell_due(scope):
    owed, sent = add_patient(scope), add_patient(scope)
    add_course(scope, owed, date(2024, 8, 5), days=1)
    course = add_course(scope, sent, date(2024, 8, 5), days=1)
    add_form(scope, sent, "infusion_checklist", date(2024, 10, 1), course)
    project(scope)
    only = {"form": "infusion_checklist"}
    for show in ("owed", "late"):
        for as_of in (TODAY, TODAY - DAY):
            (line,) = asked(scope, "forms", show=show, as_of=as_of, **only)
            assert (line["patient_id"], line["due"]) == (owed.id, date(2024, 8, 12))
    assert asked(scope, "forms", show="all", **only) == []
    assert asked(scope, "forms", show="owed", from_="2024-01-01", to="2024-08-11", **only) == []


@pytest.mark.parametrize("as_of", [TODAY, date(2025, 6, 30), date(2024, 2, 29)])
def test_every_line_is_one_that_the_engine_tells(scope, as_of):
    expected = []
    for seed in range(25):
        history = random_history(seed, TODAY)
        identity = {"family_name": f"F{seed:02}", "given_name": "T", "birth_date": "1950-05-17", "mrn": f"M{seed}"}
        import_history(scope, read_imported({**history, "identity": identity}))
        read = read_history(history)
        closed = read.closed_on if read.closed_on is not None and read.closed_on <= as_of.toordinal() else None
        for one in answer(read, packaged_protocols()[read.protocol], as_of.toordinal())["obligations"]:
            due = date.fromisoformat(one["due_on"])
            if one["requirement"] not in FORMS or due > as_of:
                continue
            sent = date.fromisoformat(one["done_on"]) if one["done_on"] else None
            owed = sent is None and one["status"] in ("due", "overdue")
            if closed is not None and due.toordinal() > closed and sent is None:
                continue
            if owed or (sent and sent > due >= date(2022, 1, 1)):
                expected.append((f"M{seed}", one["requirement"], due, sent, ((sent or as_of) - due).days))
    found = asked(scope, "forms", from_="2022-01-01", to=TODAY, as_of=as_of)
    lines = [(line["mrn"], line["form"], line["due"], line["sent"], line["days_late"]) for line in found]
    assert sorted(lines, key=str) == sorted(expected, key=str)
    assert [line["due"] for line in found] == sorted(line["due"] for line in found)
    assert expected


def test_another_clinic_a_withdrawn_form_and_an_empty_clinic(scope, cast, scope_for):
    patient = add_patient(scope)
    course = add_course(scope, patient, date(2025, 8, 25))
    form = add_form(scope, patient, "infusion_checklist", date(2025, 9, 1), course)
    form.state, form.withdrawn_at = "entered_in_error", scope.now
    db.session.commit()
    project(scope)
    assert len(asked(scope, "forms")) == 1
    assert asked(scope, "forms", prescriber=cast.prescriber.public_id) == []
    assert asked(scope_for(cast.stranger), "forms") == []
