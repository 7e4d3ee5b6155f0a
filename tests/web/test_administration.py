"""Pages of the administrator and of reports."""

import csv
import io

import pytest

PAGES = (
    "/admin/",
    "/admin/people",
    "/admin/prescribers",
    "/admin/certification",
    "/admin/settings",
    "/admin/roles",
    "/admin/audit",
    "/admin/access",
    "/reports/",
    "/reports/compliance",
)


@pytest.mark.parametrize("url", [*PAGES, "/admin/protocol"])
@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_administrators_and_auditors_see_every_page(page, cast, role, url):
    page.sign_in(cast.person(role))

    assert page.get(url).h1


@pytest.mark.parametrize("url", [url for url in PAGES if url.startswith("/admin")])
def test_staff_see_none_of_the_administration_but_the_protocol(page, cast, url):
    page.sign_in(cast.staff)

    page.get(url, status=403)
    page.get("/admin/protocol")


def test_a_person_is_added_and_the_password_shown_once(page, cast):
    page.sign_in(cast.administrator)

    shown = page.submit("/admin/people/new", status=200, email="new@northside.example", name="New Person", role="staff")

    assert shown.h1 == "One-time password"
    assert shown.response.headers["Cache-Control"] == "no-store"
    assert any("New Person" in row for row in map(str, page.get("/admin/people").rows(0)))


def test_a_bad_invitation_shows_the_page_again_with_what_was_typed(page, cast):
    page.sign_in(cast.administrator)

    again = page.submit("/admin/people/new", status=400, email="no address", name="New Person", role="staff")

    assert again.errors
    assert again.fields("/admin/people/new")["name"] == "New Person"


def test_an_auditor_cannot_change_anything(page, cast):
    page.sign_in(cast.auditor)

    for url in ("/admin/people/new", "/admin/prescribers/new", "/admin/certification/new", "/admin/clinic"):
        page.get(url, status=403)
    page.post("/admin/settings/psf_months", {"value": "12"}, status=403)


def test_a_changed_setting_is_listed_with_its_reason(page, cast):
    page.sign_in(cast.administrator)

    page.submit("/admin/settings/psf_months", value="12", effective_from="10-Jan-2026", reason="Confirmed by phone")

    assert "Confirmed by phone" in page.get("/admin/settings").words
    assert "Clinic setting changed" in page.get("/admin/audit?action=clinic.").words


@pytest.mark.parametrize(
    "typed, words",
    [
        ({"value": "0"}, "must be"),
        ({"effective_from": "23-Jan-2026"}, "future"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_bad_setting_is_explained(page, cast, typed, words):
    page.sign_in(cast.administrator)
    good = {"value": "12", "effective_from": "10-Jan-2026", "reason": "Confirmed"}

    answer = page.submit("/admin/settings/psf_months", status=400, **{**good, **typed})

    assert words in " ".join(answer.errors)


def test_official_and_unknown_settings_have_no_page(page, cast):
    page.sign_in(cast.administrator)

    for name in ("observation_min", "no_such_setting"):
        page.get(f"/admin/settings/{name}", status=404)


def test_the_protocol_page_marks_what_is_unconfirmed(page, cast):
    page.sign_in(cast.neurologist)

    words = page.get("/admin/protocol").words

    assert "unconfirmed" in words
    assert "local convention" in words


def test_two_administrators_change_the_clinic_and_the_second_is_told(page, new_page, cast):
    page.sign_in(cast.administrator)
    other = new_page()
    other.sign_in(cast.administrator)
    stale = other.get("/admin/clinic").fields("/admin/clinic")
    page.submit("/admin/clinic", name="Northside One")

    other.post("/admin/clinic", {**stale, "name": "Northside Two"}, status=409)

    assert "Northside One" in page.get("/admin/").words


def test_a_certification_is_recorded_and_entered_in_error(page, cast):
    page.sign_in(cast.administrator)
    page.submit("/admin/certification/new", certified_on="05-Jan-2026", representative_name="Ana Dow")

    links = page.get("/admin/certification").all("a")
    withdraw = next(link.get("href") for link in links if "withdraw" in (link.get("href") or ""))
    page.submit(withdraw, reason="Wrong year")

    assert "Entered in error" in page.get("/admin/certification").words
    page.get(withdraw, status=404)


@pytest.mark.parametrize(
    "url, typed, action",
    [
        ("/admin/certification/new", {"certified_on": "05-Jan-2026", "representative_name": "Ana Dow"}, "facility."),
        ("/admin/prescribers/new", {"name": "Dr. Ida Fox", "certified_on": "05-Jan-2026"}, "prescriber."),
        ("/admin/prescribers/new", {"name": "Dr. Ida Fox", "npi": "1003000159"}, "prescriber."),
    ],
)
def test_a_form_sent_twice_records_once(page, cast, url, typed, action):
    filled = page.sign_in(cast.administrator).get(url).fields(url) | typed

    for _ in range(2):
        page.post(url, filled, status=303)

    lines = page.get(f"/admin/audit.csv?action={action}").text.splitlines()
    assert len(lines) == 1 + 1


def test_a_certification_entered_in_error_can_be_recorded_again(page, cast):
    page.sign_in(cast.administrator)
    typed = {"certified_on": "05-Jan-2026", "representative_name": "Ana Dow"}
    page.submit("/admin/certification/new", **typed)
    links = page.get("/admin/certification").all("a")
    page.submit(next(link.get("href") for link in links if "withdraw" in (link.get("href") or "")), reason="By mistake")

    page.submit("/admin/certification/new", **typed)

    assert page.get("/admin/certification").words.count("05-Jan-2026") > 1
    assert len(page.get("/admin/audit.csv?action=facility.certified").text.splitlines()) == 2 + 1


def test_the_audit_trail_is_filtered_and_exported(page, cast):
    page.sign_in(cast.administrator)
    page.submit("/admin/settings/psf_months", value="12", effective_from="10-Jan-2026", reason="Confirmed by phone")

    text = page.get("/admin/audit.csv?action=clinic.").text
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["reason"] for row in rows] == ["Confirmed by phone"]
    assert "data.exported" in {row["action"] for row in csv.DictReader(io.StringIO(page.get("/admin/audit.csv").text))}


@pytest.mark.parametrize("query", ["from=31-Feb-2026", "person=nobody", "chart=1"])
def test_a_filter_that_cannot_be_read_is_explained(page, cast, query):
    page.sign_in(cast.administrator)

    page.get(f"/admin/audit?{query}", status=400)
    page.get(f"/admin/audit.csv?{query}", status=400)


@pytest.mark.parametrize("query", ["from=31-Feb-2026", "from=2026-01-10&to=2026-01-01", "requirement=none"])
def test_a_report_says_what_is_wrong_with_its_period(page, cast, query):
    page.sign_in(cast.administrator)

    page.get(f"/reports/compliance?{query}", status=400)
    page.get(f"/reports/compliance/file?{query}", status=400)


def test_staff_do_not_export_reports(page, cast):
    page.sign_in(cast.staff)

    page.get("/reports/compliance/file", status=403)
