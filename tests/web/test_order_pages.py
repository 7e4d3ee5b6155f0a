"""Panels on order: beside what is owed, on their way, and specimens that never came back."""

from datetime import date, timedelta

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LabOrder
from tests.factories import register
from tests.monitored import project, treated


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def patient(scope):
    return register(scope).row


@pytest.fixture
def staff(page, cast):
    return page.sign_in(cast.staff)


def test_an_order_is_noted_once_and_stands_beside_what_is_owed(staff, patient, clock):
    new = f"/patients/{patient.public_id}/orders/new"
    sent = {**staff.get(new).fields(), "panels": ["cbc_diff", "tsh"]}
    for _ in range(2):
        staff.post(new, sent)
    assert db.session.query(LabOrder).count() == 2
    assert "ordered today" in staff.get(f"/patients/{patient.public_id}/results").words
    assert staff.submit(new, status=400, panels=None).errors == ["Choose at least one panel"]


def test_an_order_goes_its_way(staff, scope, patient):
    staff.submit(f"/patients/{patient.public_id}/orders/new", panels=["cbc_diff"])
    order = db.session.query(LabOrder).one()
    way = f"/patients/{patient.public_id}/orders/{order.public_id}"
    staff.submit(f"{way}/collected")
    assert "collected today" in staff.follow().words
    staff.submit(f"{way}/pending")
    assert staff.submit(f"{way}/rejected", status=400).errors == ["Give the reason of the laboratory"]
    staff.submit(f"{way}/rejected", reason="Clotted")
    assert "Clotted" in staff.follow().words
    staff.submit(f"{way}/withdraw", reason="Drawn again")
    assert "Nothing is on order" in staff.follow().words
    staff.post(f"{way}/withdraw", {"reason": "again"})
    assert "no longer open" in staff.follow().words


def test_a_specimen_that_never_came_back_is_found(staff, scope, patient):
    assert "Every specimen came back" in staff.get("/results/no-result-back").words
    day = (scope.today - timedelta(days=4)).strftime("%d-%b-%Y")
    staff.submit(f"/patients/{patient.public_id}/orders/new", panels=["tsh"], ordered_on=day, collected_on=day)
    rows = staff.get("/results/no-result-back").rows()
    assert rows[0][4] == "4 d"
    assert "No result back 1" in staff.get("/results/unmatched").words


def test_an_order_stands_on_the_worklist_and_takes_nothing_off_it(staff, scope):
    chart = treated(scope, date(2025, 6, 2), labs_until=date(2025, 12, 10), family_name="Okafor", given_name="Ada")
    project(scope)
    before = staff.get("/worklists").rows()
    staff.submit(
        f"/patients/{chart.public_id}/orders/new",
        panels=["cbc_diff"],
        collected_on="21-Jan-2026",
        ordered_on="20-Jan-2026",
    )
    after = staff.get("/worklists").rows()
    assert len(after) == len(before)
    assert any("collected yesterday" in row[1] for row in after)
