"""The report of departures from the protocol."""

from datetime import timedelta

import pytest

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.deviations import deviations_between
from clinic_tracker.services.deviations import Reasons
from tests.treated import Treated, add_patient

URL = "/reports/deviations"


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.start(given=Reasons("Sheet to follow", "Dr. Rey"))
    return ready


def test_every_departure_is_listed_with_its_reason_and_counted(treated, page, cast):
    shown = page.sign_in(cast.neurologist).get(URL)
    assert sorted(shown.rows(0)) == [["R-43", "1"], ["R-47", "1"]]
    lines = shown.rows(1)
    assert {line[3] for line in lines} == {"R-43", "R-47"}
    assert {line[5] for line in lines} == {"Sheet to follow (decided by Dr. Rey)"}
    assert {line[2] for line in lines} == {"1, day 1"}
    seen = db.session.scalars(db.select(AccessEvent).where(AccessEvent.endpoint == "reports.deviations_report")).one()
    assert seen.patient_ids == [treated.patient_id]


def test_a_period_without_any_and_dates_that_are_none(treated, page, cast):
    before = (treated.scope.today - timedelta(days=1)).isoformat()
    visitor = page.sign_in(cast.neurologist)
    assert "No deviation" in visitor.get(f"{URL}?from=2025-12-01&to={before}").words
    assert "must not end before it begins" in visitor.get(f"{URL}?from=2026-01-05&to=2026-01-01", status=400).words
    visitor.get(f"{URL}?from=soon", status=400)


def test_another_clinic_sees_none_of_them(treated, cast, scope_for):
    today = treated.scope.today
    assert deviations_between(scope_for(cast.stranger), today, today) == []
    assert len(deviations_between(treated.scope, today, today)) == 2


def test_it_is_for_those_who_see_reports(treated, page, cast):
    page.sign_in(cast.staff).get(URL, status=403)
