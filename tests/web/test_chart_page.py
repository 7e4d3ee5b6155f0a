"""The chart: what is owed and why, the months, the decisions, and who may act."""

from datetime import date

import pytest

from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.worklist_filter import WorklistFilter
from clinic_tracker.queries.worklist_pages import worklist_totals
from tests.monitored import add_lab, add_patient, project, treated

TODAY = date(2026, 1, 22)


@pytest.fixture
def staff(cast, scope_for):
    return scope_for(cast.staff)


@pytest.fixture
def patient(staff):
    """Monthly labs overdue since 06-Jan-2026."""
    made = treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10), family_name="Okafor", given_name="Ada")
    project(staff)
    return made


@pytest.fixture
def url(patient):
    return f"/patients/{patient.public_id}"


def test_what_is_owed_stands_first_with_its_reason(page, cast, url):
    answer = page.sign_in(cast.staff).get(url)
    owed = answer.rows(0)
    assert owed[0][1] == "16 days overdue"
    assert "06-Jan-2026" in owed[0][2]
    assert "16 days overdue" in owed[0][0]
    assert "course 1" in owed[0][0].lower()
    assert "3 items overdue" in answer.words


def test_the_timeline_says_each_month_in_words_and_leads_to_its_reason(page, cast, url):
    answer = page.sign_in(cast.staff).get(url)
    marks = answer.all("a", class_="mark")
    texts = [mark.get("title") for mark in marks]
    assert "CBC + diff, course 1, month 7, due 06-Jan-2026, 16 days overdue" in texts
    assert any(text.startswith("CBC + diff, course 1, month 6, due 06-Dec-2025, done") for text in texts)
    place = texts.index("CBC + diff, course 1, month 7, due 06-Jan-2026, 16 days overdue")
    reason = page.get(marks[place].get("href"))
    assert "month 7" in reason.h1
    assert "16 days overdue" in reason.words


def test_a_report_without_its_differential_is_named_as_what_is_missing(page, cast, staff, url, patient):
    add_lab(staff, patient, "cbc_diff", date(2026, 1, 5), is_complete=False, missing="no differential")
    project(staff)
    answer = page.sign_in(cast.staff).get(url)
    line = next(row for row in answer.rows(0) if row[0].startswith("CBC"))
    assert line[1] == "16 days overdue"
    assert "05-Jan-2026" in line[0]
    assert "has no differential" in line[0]
    assert "The report of 05-Jan-2026 counts for nothing: no differential." in answer.words
    reason = page.get(f"{url}/schedule/cbc_diff/1/7")
    assert any("/results/" in link.get("href") for link in reason.all("a"))


def test_done_leads_to_its_evidence(page, cast, url):
    answer = page.sign_in(cast.staff).get(f"{url}/schedule/cbc_diff/1/6")
    page.get(answer.links()["Open the evidence"])


def test_an_obligation_that_does_not_exist_is_not_found(page, cast, url):
    page.sign_in(cast.staff).get(f"{url}/schedule/cbc_diff/1/999", status=404)
    page.get(f"{url}/schedule/nonsense/1/1", status=404)


def test_every_status_has_a_page(page, cast, staff, url, patient):
    add_lab(staff, patient, "cbc_diff", date(2026, 1, 20))
    project(staff)
    answer = page.sign_in(cast.staff).get(url)
    addresses = {}
    for mark in answer.all("a", class_="mark"):
        addresses.setdefault(mark.get("title").split(", ")[-1].split(" ")[0], mark.get("href"))
    for href in addresses.values():
        page.get(href)


def test_a_chart_before_the_first_infusion_says_what_comes(page, cast, staff):
    waiting = add_patient(staff)
    project(staff)
    answer = page.sign_in(cast.staff).get(f"/patients/{waiting.public_id}")
    assert "Monitoring has not begun" in answer.words


def test_another_clinic_finds_no_chart(page, cast, url):
    page.sign_in(cast.stranger).get(url, status=404)
    for part in ("contacts", "waivers/new", "monitoring/close", "schedule/cbc_diff/1/7"):
        page.sign_in(cast.stranger_neurologist).get(f"{url}/{part}", status=404)


class TestDecisions:
    def waive(self, page, url, **values):
        return page.submit(
            f"{url}/waivers/new",
            **{
                "requirement": "cbc_diff",
                "from_on": "1 Jan 2026",
                "to_on": "31 Jan 2026",
                "reason": "Abroad",
                **values,
            },
        )

    def test_a_waiver_takes_the_item_off_chart_and_list(self, page, cast, url):
        page.sign_in(cast.neurologist)
        self.waive(page, url)
        answer = page.follow()
        assert "CBC with differential waived from 01-Jan-2026 to 31-Jan-2026" in answer.words
        assert all("CBC" not in row[0] for row in answer.rows(0))
        assert "CBC + diff" not in page.get("/worklists").words

    def test_from_the_chart_the_form_knows_what_is_owed_and_since_when(self, page, cast, url):
        opened = page.sign_in(cast.neurologist).get(url)
        form = page.get(opened.links()["Waive CBC with differential"])
        assert form.fields()["requirement"] == "cbc_diff"
        assert "06-Jan-2026" in form.fields().values()
        assert "06-Jan-2026" in form.rows(0)[0][1]

    def test_it_can_be_withdrawn_with_a_reason(self, page, cast, url):
        page.sign_in(cast.neurologist)
        self.waive(page, url)
        link = next(href for text, href in page.follow().links().items() if text.startswith("Withdraw"))
        page.submit(link, status=400, reason="")
        page.submit(link, reason="Wrong month")
        answer = page.follow()
        assert "withdrawn" in answer.words
        assert "CBC + diff" in page.get("/worklists").words

    def test_a_refusal_is_said_at_its_field_and_keeps_what_was_typed(self, page, cast, url):
        page.sign_in(cast.neurologist)
        answer = page.submit(
            f"{url}/waivers/new", status=400, requirement="tsh", from_on="1 Jan 2026", to_on="2 Jan 2026", reason="x"
        )
        assert "does not fall due between these days" in answer.errors[0]
        assert answer.fields()["requirement"] == "tsh"

    def test_closing_early_lists_what_is_owed_and_wants_a_tick(self, page, cast, scope_for, url):
        page.sign_in(cast.neurologist)
        opened = page.get(f"{url}/monitoring/close")
        assert "Still owed" in opened.words
        refused = page.submit(f"{url}/monitoring/close", status=400, reason="Moved away")
        assert "Confirm that you close it anyway" in refused.errors[0]
        page.submit(f"{url}/monitoring/close", reason="Moved away", confirmed="y")
        assert "Monitoring closed on 22-Jan-2026" in page.follow().words
        assert worklist_totals(scope_for(cast.staff), WorklistFilter()).patients == 0

    def test_an_extension_moves_the_end(self, page, cast, url):
        page.sign_in(cast.neurologist)
        page.submit(f"{url}/monitoring/extend", extended_to="6 Jun 2030", reason="Creatinine rising")
        assert "Ends 06-Jun-2030" in page.follow().words

    def test_another_protocol_is_previewed_and_makes_the_schedule_anew(self, page, cast, url):
        page.sign_in(cast.neurologist)
        assert "Change protocol (Patient)" in page.get(f"{url}/details").links()
        opened = page.get(f"{url}/protocol")
        assert "Monitoring still ends on 06-Jun-2029" in opened.words
        assert ["Patient Status Form", "02-Jun-2026", "not asked for"] in opened.rows(0)
        assert "Give the reason" in page.submit(f"{url}/protocol", status=400, protocol_id="lemtrada-eu").words
        page.submit(f"{url}/protocol", protocol_id="lemtrada-eu", reason="Moved here from Ireland")
        assert "Status form" not in page.follow().words
        told = page.get(f"{url}/changes").words
        assert "Protocol changed" in told
        assert "Moved here from Ireland" in told
        assert "LEMTRADA in the EU and UK" in told

    @pytest.mark.parametrize("role", [Role.STAFF, Role.ADMINISTRATOR, Role.AUDITOR])
    def test_nobody_else_decides(self, page, cast, url, role):
        page.sign_in(cast.person(role))
        for part in ("waivers/new", "monitoring/extend", "monitoring/close", "protocol"):
            page.get(f"{url}/{part}", status=403)
            page.post(f"{url}/{part}", {"reason": "x"}, status=403)
        assert "Waive" not in page.get(url).words


class TestContacts:
    def test_a_contact_is_kept_with_what_it_was_about(self, page, cast, url):
        page.sign_in(cast.staff)
        page.submit(f"{url}/contacts/new", channel="phone", outcome="left_message", note="With her sister")
        row = page.follow().rows(0)[0]
        assert row[2] == "Left a message"
        assert "CBC + diff" in row[3]
        assert "With her sister" in row[6]
        assert row[7] == cast.staff.name

    def test_the_same_form_sent_twice_is_one_contact(self, page, cast, url):
        page.sign_in(cast.staff)
        fields = {**page.get(f"{url}/contacts/new").fields(), "channel": "phone", "outcome": "no_answer"}
        page.post(f"{url}/contacts/new", fields)
        page.post(f"{url}/contacts/new", fields)
        assert len(page.follow().rows(0)) == 1

    def test_what_is_missing_is_said(self, page, cast, url):
        answer = page.sign_in(cast.staff).submit(f"{url}/contacts/new", status=400)
        assert "Choose what came of the contact" in answer.errors
        answer = page.submit(f"{url}/contacts/new", status=400, channel="phone", outcome="will_come")
        assert "Enter the day on which the patient will come" in answer.errors[0]

    def test_it_can_be_withdrawn_and_stays_in_sight(self, page, cast, url):
        page.sign_in(cast.staff)
        page.submit(f"{url}/contacts/new", channel="phone", outcome="no_answer")
        link = next(href for text, href in page.follow().links().items() if text.startswith("Withdraw"))
        page.submit(link, reason="Wrong chart")
        assert "Wrong chart" in page.follow().words
        assert "no answer" not in page.get("/worklists").words

    def test_only_our_own_lists_are_gone_back_to(self, page, cast, url):
        page.sign_in(cast.staff)
        address = f"{url}/contacts/new?next=https://elsewhere.example/worklists"
        page.submit(address, channel="phone", outcome="no_answer")
        assert page.last.location == f"{url}/contacts"

    def test_the_auditor_reads_and_does_not_act(self, page, cast, url):
        answer = page.sign_in(cast.auditor).get(f"{url}/contacts")
        assert "Nobody has contacted this patient yet" in answer.words
        assert "Record contact" not in answer.words
