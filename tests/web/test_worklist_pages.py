"""The worklist pages: what a person sees, filters, exports and does, and what each role may not."""

import csv
import io
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Outreach
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import Cursor
from tests.monitored import add_course, add_lab, add_patient, enroll, project, treated

TODAY = date(2026, 1, 22)
LIST = "/worklists"


@pytest.fixture
def staff(cast, scope_for) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def late(staff):
    """Overdue since 06-Jan-2026: 16 days."""
    made = treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10), family_name="Okafor", given_name="Ada")
    project(staff)
    return made


@pytest.fixture
def lost(staff):
    """Not seen since August."""
    made = treated(staff, date(2025, 3, 3), labs_until=date(2025, 8, 10), family_name="Ruiz", given_name="Elena")
    project(staff)
    return made


def test_the_longest_overdue_is_the_first_row(page, cast, late, lost):
    answer = page.sign_in(cast.staff).get(LIST)
    rows = answer.rows()
    assert "RUIZ, Elena" in rows[0][0]
    assert "OKAFOR, Ada" in rows[1][0]
    assert lost.mrn in rows[0][0]
    assert "2 patients" in answer.words
    assert "16 d" in rows[1][2]


def test_an_entry_changes_list_and_export_in_the_same_second(page, cast, staff, late):
    page.sign_in(cast.staff)
    assert "CBC + diff, Creatinine, UA cells 16 d" in page.get(LIST).words
    add_lab(staff, late, "cbc_diff", TODAY)
    project(staff)
    assert "CBC + diff" not in page.get(LIST).words
    assert "cbc_diff" not in page.get(f"{LIST}/export.csv").text


def exported(page, query=""):
    text = page.get(f"{LIST}/export.csv{query}").text
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "query",
    ["", "?view=due", "?view=all", "?view=owed", "?requirement=tsh", "?requirement=labs", "?band=over-90",
     "?by=item&band=8-30", "?by=item", "?by=item&view=all", "?snoozed=hide"],
)  # fmt: skip
def test_the_export_equals_the_page(page, cast, late, lost, query):
    rows = page.sign_in(cast.staff).get(LIST + query).rows()
    in_file = exported(page, query)
    assert {row["mrn"] for row in in_file} == {row[0].split("MRN ")[1] for row in rows}
    if "by=item" in query:
        assert len(in_file) == len(rows)


def test_an_export_is_noted_with_its_filter_and_size(page, cast, late):
    page.sign_in(cast.staff)
    number = len(exported(page, "?requirement=creatinine"))
    event = db.session.scalar(sa.select(AuditEvent).where(AuditEvent.action == "data.exported"))
    assert event.after == {"export": "worklist", "rows": number, "requirement": "creatinine"}
    assert event.user_id == cast.staff.user_id


def test_an_export_is_noted_as_a_look_at_everybody_in_it(page, cast, late, lost):
    page.sign_in(cast.staff)
    exported(page)
    exported(page, "?band=over-90")
    looks = sa.select(AccessEvent.patient_ids).where(AccessEvent.endpoint == "worklists.export")
    assert db.session.scalars(looks.order_by(AccessEvent.id)).all() == [sorted([late.id, lost.id]), [lost.id]]


def test_a_name_that_is_a_formula_stays_text_in_the_file(page, cast, staff):
    treated(staff, date(2025, 6, 2), family_name="=HYPERLINK(1)", given_name="Eve")
    project(staff)
    page.sign_in(cast.staff)
    assert {row["family_name"] for row in exported(page)} == {"'=HYPERLINK(1)"}


def test_the_list_is_noted_as_looked_at(page, cast, late, lost):
    page.sign_in(cast.staff).get(LIST)
    event = db.session.scalar(sa.select(AccessEvent).order_by(AccessEvent.id.desc()))
    assert event.patient_ids == sorted([late.id, lost.id])
    assert event.endpoint == "worklists.index"


def test_filters_stay_in_the_address_and_can_be_cleared(page, cast, late, lost):
    answer = page.sign_in(cast.staff).get(f"{LIST}?band=over-90&requirement=creatinine&sort=name")
    assert [row[0].split(" ", 1)[0] for row in answer.rows()] == ["RUIZ,"]
    assert answer.one("option", value="creatinine").get("selected") is not None
    assert answer.links()["Clear 2 filters"] == f"{LIST}?sort=name"
    assert "band=over-90" in answer.links()["One row an item"]


@pytest.mark.parametrize(
    "query",
    ["?view=nonsense", "?band=zzz", "?sort=mrn;drop", "?prescriber=x", "?requirement=aids", "?after=%00", "?by=1",
     f"?after={Cursor(10**30, TODAY).text}", f"?before={Cursor(10**30, TODAY).text}"],
)  # fmt: skip
def test_what_an_address_gets_wrong_shows_the_whole_list(page, cast, late, query):
    assert len(page.sign_in(cast.staff).get(LIST + query).rows()) == 1


def test_an_empty_list_says_so_and_leads_on(page, cast):
    answer = page.sign_in(cast.staff).get(LIST)
    assert "Nobody is overdue" in answer.words
    assert answer.links()["See what is due"] == f"{LIST}?view=due"
    assert "Clear the filters" in page.get(f"{LIST}?requirement=tsh").words


def test_pages_follow_one_another(page, cast, staff):
    for _ in range(53):
        treated(staff, date(2025, 12, 22))
    project(staff)
    first = page.sign_in(cast.staff).get(f"{LIST}?view=all")
    second = page.get(first.one("a", rel="next").get("href"))
    assert (len(first.rows()), len(second.rows())) == (50, 3)
    assert not second.all("a", rel="next")
    back = page.get(second.one("a", rel="prev").get("href"))
    assert back.rows() == first.rows()


def test_a_contact_from_the_list_leads_back_to_it(page, cast, late):
    page.sign_in(cast.staff)
    here = f"{LIST}?sort=name"
    link = next(href for text, href in page.get(here).links().items() if text.startswith("Contact "))
    page.submit(link, channel="phone", outcome="will_come", expected_on="25-Jan-2026")
    assert page.last.location == here
    row = page.follow().rows()[0]
    assert "will come 22-Jan-2026" in row[4]
    assert "expected 25-Jan-2026" in row[4]
    assert "16 d" in row[2]


def test_a_broken_promise_is_told(page, cast, staff, late, clock):
    page.sign_in(cast.staff)
    page.submit(
        f"/patients/{late.public_id}/contacts/new", channel="phone", outcome="will_come", expected_on="23-Jan-2026"
    )
    clock.forward(days=3)
    page.sign_in(cast.staff)
    assert "did not come" in page.get(LIST).rows()[0][4]


def test_a_snoozed_row_is_marked_and_stays(page, cast, late):
    page.sign_in(cast.staff)
    page.submit(
        f"/patients/{late.public_id}/contacts/new", channel="phone", outcome="no_answer", snooze_until="30-Jan-2026"
    )
    assert "snoozed until 30-Jan-2026" in page.get(LIST).words
    assert "Nobody matches" in page.get(f"{LIST}?snoozed=hide").words
    assert len(page.get(f"{LIST}?snoozed=only").rows()) == 1


class TestRoles:
    def test_staff_and_neurologists_may_act(self, page, cast, late):  # noqa: ARG002
        for person in (cast.staff, cast.neurologist):
            words = page.sign_in(person).get(LIST).words
            assert "Contact OKAFOR" in words or "Contact Okafor" in words
            assert "Enter result" in words

    @pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
    def test_others_may_look_and_export(self, page, cast, late, role):
        answer = page.sign_in(cast.person(role)).get(LIST)
        assert "Contact Okafor" not in answer.words
        assert "Enter result" not in answer.words
        assert len(exported(page)) > 0
        page.get(f"/patients/{late.public_id}/contacts/new", status=403)
        page.post(f"/patients/{late.public_id}/contacts/new", {"channel": "phone"}, status=403)
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Outreach)) == 0

    def test_another_clinic_sees_nothing(self, page, cast, late):
        page.sign_in(cast.stranger)
        assert "Nobody is overdue" in page.get(LIST).words
        assert exported(page, "?view=all") == []
        page.get(f"/patients/{late.public_id}/contacts/new", status=404)

    def test_my_patients_are_those_of_the_prescriber_who_is_signed_in(self, page, cast, staff, late, lost):  # noqa: ARG002
        enroll(staff, late, cast.prescriber.id, date(2025, 5, 1))
        db.session.commit()
        rows = page.sign_in(cast.neurologist).get(f"{LIST}?mine=1").rows()
        assert [late.mrn in row[0] for row in rows] == [True]


class TestTallies:
    ADDRESS = f"{LIST}/people-on-no-list"

    def test_nobody_in_them_is_said(self, page, cast):
        assert "Nobody falls between the lists" in page.sign_in(cast.staff).get(self.ADDRESS).words

    def test_who_is_counted_is_named(self, page, cast, staff, late):  # noqa: ARG002
        waiting = add_patient(staff)
        enroll(staff, waiting, cast.prescriber.id, date(2026, 1, 5))
        project(staff)
        answer = page.sign_in(cast.staff).get(self.ADDRESS)
        assert "Enrolled, no course planned" in answer.links()
        named = page.get(answer.links()["Enrolled, no course planned"])
        assert [waiting.mrn in row[0] for row in named.rows()] == [True]
        assert "05-Jan-2026" in named.words
        assert "Plan the course" in named.words

    def test_a_tally_that_does_not_exist_is_not_found(self, page, cast):
        page.sign_in(cast.staff).get(f"{self.ADDRESS}/nobody", status=404)

    def test_planned_start_passed_leads_to_the_course(self, page, cast, staff):
        patient = add_patient(staff)
        add_course(staff, patient, None, planned_start_on=TODAY - timedelta(days=3))
        project(staff)
        answer = page.sign_in(cast.staff).get(f"{self.ADDRESS}/planned-start-passed")
        assert "19-Jan-2026" in answer.words
