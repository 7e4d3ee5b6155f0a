"""An auditor sees what the others see, and can change none of it."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.queries.scope import Scope
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import ALL, Chart, register
from tests.fixtures.people import Cast

PLACES = ("", "/details", "/results", "/courses", "/exams", "/forms", "/contacts", "/changes")
LISTS = (
    "/today",
    "/worklists",
    "/worklists/people-on-no-list",
    "/infusions",
    "/patients",
    "/patients/duplicates",
    "/results",
    "/reports/",
    "/reports/compliance",
    "/admin/",
    "/admin/people",
    "/admin/prescribers",
    "/admin/certification",
    "/admin/settings",
    "/admin/protocol",
    "/admin/audit",
    "/admin/access",
)
ACTIONS = (
    "/new",
    "/edit",
    "/correct",
    "/withdraw",
    "/undo",
    "/discharge",
    "/end",
    "/start",
    "/authorize",
    "/close",
    "/extend",
    "/enter",
    "/back-entry",
    "/verify",
)
ADDRESSES = "found => found.map(element => element.getAttribute('action') ?? element.getAttribute('href'))"


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient with some of everything."""
    chart = register(scope_for(cast.staff), family_name="Okafor", given_name="Ada").enroll(cast.prescriber)
    chart.results(date(2025, 5, 20), *ALL).infuse(date(2025, 6, 2)).results(date(2025, 7, 2), *ALL)
    chart.exam("skin_exam", date(2025, 5, 20)).form("infusion_checklist", date(2025, 6, 13), course=1)
    return chart.plan(date(2026, 6, 9))


def test_an_auditor_sees_every_page_without_anything_to_change(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    auditor = Journey(visitor, cast.auditor)
    for place in (*LISTS, *(f"{chart.url}{place}" for place in PLACES)):
        auditor.open(place)
        found = auditor.page.locator("main form[method=post], main a[href]").evaluate_all(ADDRESSES)
        leads = [address.split("?")[0] for address in found if address]
        # Two charts can be named there to compare them, which changes nothing.
        # A report can be kept as a file, and a file compared with what was made here: neither changes anything.
        offered = [address for address in leads if address.endswith(ACTIONS) and not address.startswith("/reports/")]
        assert offered == [], place
        assert auditor.main.locator("form[method=post]").count() == (place == "/patients/duplicates"), place


def test_what_an_auditor_may_not_do_is_refused_when_asked_directly(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    auditor = Journey(visitor, cast.auditor).open("/today")
    course = f"{chart.url}/courses/{chart.courses[-1]}"
    for place in (
        "/patients/new",
        f"{chart.url}/edit",
        f"{chart.url}/results/new",
        f"{chart.url}/exams/new",
        f"{chart.url}/contacts/new",
        f"{chart.url}/waivers/new",
        f"{chart.url}/monitoring/close",
        f"{chart.url}/courses/new",
        f"{chart.url}/forms/new/patient_status_form",
        f"{course}/authorize",
        f"{course}/start",
        "/results/review",
        "/admin/people/new",
        "/admin/settings/psf_months",
    ):
        assert auditor.ask("POST", place) == 403, place
    auditor.open("/patients/new", status=403).reads("administrator")
