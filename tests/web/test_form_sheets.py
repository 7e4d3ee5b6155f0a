"""Data sheets of the forms as pages and files: what is missing first, a link that fills it, and who looked."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import event

from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.treatment import Infusion, InfusionReaction
from clinic_tracker.queries.form_facts import form_facts
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, at, register
from tests.fixtures.pages import Page, words
from tests.fixtures.people import Cast
from tests.pdf_text import squeezed, text_of

CHECKLIST = "infusion_checklist"
AUTHORIZATION = "patient_authorization_and_baseline_lab_form"
ENROLLMENT = "patient_enrollment_form"
STATUS = "patient_status_form"
NOBODY = "00000000-0000-4000-8000-000000000000"
REPORT = "adverse_event_form"


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20)).infuse(date(2025, 12, 8))


@pytest.fixture
def staff(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.staff)


def sheet(chart: Chart, kind: str, query: str = "") -> str:
    return f"{chart.url}/forms/sheets/{kind}{query}"


def add_reaction(chart: Chart, *, serious: bool = True) -> InfusionReaction:
    day = db.session.query(Infusion).filter_by(patient_id=chart.row.id, day_number=2).one()
    row = InfusionReaction(
        clinic_id=chart.row.clinic_id,
        infusion_id=day.id,
        onset_at=at(chart.scope, day.infused_on, 11),
        ticked=["rash"],
        signs="both forearms",
        grade="severe",
        is_serious=serious,
        seriousness=["hospitalization"],
        actions=["stopped"],
        ending="recovered",
        recorded_at=chart.scope.now,
    )
    db.session.add(row)
    db.session.commit()
    return row


def test_what_is_missing_comes_first_and_leads_to_where_it_is_filled_in(staff: Page, chart: Chart) -> None:
    seen = staff.get(sheet(chart, CHECKLIST))
    assert seen.h1 == "Data for the Infusion Checklist, course 1"
    assert "Data of the clinic, laid out to copy or attach. Not the official form." in seen.words
    assert "Missing before it can be sent" in seen.words
    links = seen.links()
    day = db.session.query(Infusion).filter_by(day_number=1).one()
    assert links["Day 1 of 5: Corticosteroid"] == f"{chart.url}/infusions/{day.public_id}"
    assert "Authorized representative" in seen.words


def test_no_name_is_in_the_title_of_a_sheet(staff: Page, chart: Chart) -> None:
    seen = staff.get(sheet(chart, CHECKLIST))
    assert chart.row.family_name not in seen.title


def test_what_only_others_can_fill_in_is_no_link(staff: Page, cast: Cast, chart: Chart) -> None:
    cast.prescriber.npi = None
    db.session.commit()
    assert "Prescriber: NPI" not in staff.get(sheet(chart, CHECKLIST)).links()
    seen = staff.sign_in(cast.administrator).get(sheet(chart, CHECKLIST))
    assert seen.links()["Prescriber: NPI"] == f"/admin/prescribers/{cast.prescriber.public_id}"


@pytest.mark.parametrize("kind", [CHECKLIST, AUTHORIZATION, ENROLLMENT, STATUS])
def test_every_sheet_is_a_page_and_a_file_that_read_alike(staff: Page, chart: Chart, kind: str) -> None:
    seen = staff.get(sheet(chart, kind))
    answer = staff.get(sheet(chart, f"{kind}.pdf"))
    headers = answer.response.headers
    assert headers["Content-Type"] == "application/pdf"
    name = f"{str(chart.id)[:8]}-{kind}-2026-01-22.pdf"
    assert headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert headers["Cache-Control"] == "no-store"
    pdf = answer.response.data
    assert b"/StructTreeRoot" in pdf
    text = squeezed(text_of(pdf))
    rows = [squeezed(words(row)) for row in seen.all("div", "summary__row")]
    assert len(rows) > 20
    for row in rows:
        assert row.split("Fillin")[0] in text, row


def test_a_file_is_audited_and_the_look_is_logged(staff: Page, chart: Chart) -> None:
    staff.get(sheet(chart, f"{CHECKLIST}.pdf?course=1"))
    row = db.session.query(AuditEvent).filter_by(action="data.exported").one()
    assert (row.patient_id, row.user_id) == (chart.row.id, chart.scope.user_id)
    assert row.after == {"export": "form_sheet", "form": CHECKLIST, "course": "1"}
    assert db.session.query(AccessEvent).filter_by(endpoint="rems.sheet_pdf", patient_id=chart.row.id).count() == 1


def test_the_forms_tab_lists_how_far_each_form_is(staff: Page, chart: Chart) -> None:
    chart.plan(date(2026, 12, 14))
    seen = staff.get(f"{chart.url}/forms").words
    assert "Forms: Course 2" in seen
    assert "Infusion Checklist Not started" in seen
    assert "things missing" in seen
    staff.submit(f"{chart.url}/forms/new/{CHECKLIST}?course=1")
    assert "Sent on 22-Jan-2026" in staff.get(f"{chart.url}/forms").words
    assert "Recorded by" in staff.get(sheet(chart, CHECKLIST, "?course=1")).words


def test_a_report_is_prefilled_from_its_reaction_and_keeps_it(staff: Page, chart: Chart) -> None:
    row = add_reaction(chart)
    listed = staff.get(f"{chart.url}/forms")
    assert "Report of the serious reaction of 09-Dec-2025" in listed.words
    assert "10-Dec-2025" in listed.words, "one business day after its onset"
    place = f"{chart.url}/forms/new/{REPORT}?reaction={row.public_id}"
    fields = staff.get(place).fields()
    assert fields["reaction"] == str(row.public_id)
    assert fields["answer_event"] == "Rash; both forearms"
    assert fields["answer_onset_on"] == "09-Dec-2025"
    staff.submit(place, confirmation="AE-1", answer_sent_to=["rems", "medwatch"])
    sent = db.session.query(FormSubmission).filter_by(kind=REPORT).one()
    assert sent.reaction_id == row.id
    seen = staff.get(sheet(chart, REPORT, f"?reaction={row.public_id}"))
    assert "REMS, FDA MedWatch on 22-Jan-2026, AE-1" in seen.words
    assert "Sent on 22-Jan-2026" in seen.words


def test_a_correction_of_a_report_keeps_its_reaction_and_a_withdrawal_frees_it(staff: Page, chart: Chart) -> None:
    row = add_reaction(chart)
    staff.submit(f"{chart.url}/forms/new/{REPORT}?reaction={row.public_id}")
    first = db.session.query(FormSubmission).filter_by(kind=REPORT).one()
    staff.submit(f"{chart.url}/forms/{first.public_id}/correct", confirmation="AE-2", reason="Number")
    second = db.session.query(FormSubmission).filter_by(kind=REPORT, state="recorded").one()
    assert (second.reaction_id, second.confirmation) == (row.id, "AE-2")
    staff.submit(f"{chart.url}/forms/{second.public_id}/withdraw", reason="Never sent")
    seen = staff.get(sheet(chart, REPORT, f"?reaction={row.public_id}")).words
    assert "Sent on" not in seen
    assert "Sent to Not recorded" in seen


def test_a_status_form_is_prefilled_and_its_answers_are_kept(staff: Page, chart: Chart) -> None:
    add_reaction(chart)
    place = f"{chart.url}/forms/new/{STATUS}"
    fields = staff.get(place).fields()
    assert (fields["answer_period_from"], fields["answer_period_to"]) == ("08-Dec-2025", "22-Jan-2026")
    assert fields["answer_infusion_reaction"] == "yes"
    refused = staff.submit(place, 400, answer_under_care="no")
    assert refused.errors == ["Choose why the patient is no longer under your care."]
    staff.submit(place, answer_under_care="no", answer_left_care="transferred", answer_new_prescriber="Dr. Zora Yu",
                 answer_autoimmune="yes", answer_conditions=["itp", "thyroid"])  # fmt: skip
    sent = db.session.query(FormSubmission).filter_by(kind=STATUS).one()
    assert sent.answers["conditions"] == ["itp", "thyroid"]
    seen = staff.get(sheet(chart, STATUS, f"?sent={sent.public_id}")).words
    assert "Transferred to another prescriber" in seen
    assert "Immune thrombocytopenia (ITP); Hyper- or hypothyroidism" in seen
    corrected = staff.get(f"{chart.url}/forms/{sent.public_id}/correct").fields()
    assert corrected["answer_conditions"] == ["itp", "thyroid"]


@pytest.mark.parametrize(
    "query",
    [f"{CHECKLIST}?course=9", f"{CHECKLIST}?course=x", REPORT, f"{REPORT}?reaction={NOBODY}",
     f"{STATUS}?sent={NOBODY}", "prescription_ordering_form"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(staff: Page, chart: Chart, query: str) -> None:
    staff.get(sheet(chart, query), status=404)


def test_a_patient_without_a_course_has_an_enrollment_sheet_only(
    staff: Page, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    waiting = register(scope_for(cast.staff))
    assert "Not started" in staff.get(sheet(waiting, ENROLLMENT)).words
    assert "Not started" in staff.get(sheet(waiting, STATUS)).words
    staff.get(sheet(waiting, CHECKLIST), status=404)


def test_another_clinic_does_not_know_the_patient(page: Page, cast: Cast, chart: Chart) -> None:
    page.sign_in(cast.stranger)
    page.get(sheet(chart, CHECKLIST), status=404)
    page.get(sheet(chart, f"{CHECKLIST}.pdf"), status=404)


def test_a_reaction_of_another_patient_cannot_be_reported(
    staff: Page, cast: Cast, chart: Chart, scope_for: Callable[..., Scope]
) -> None:
    row = add_reaction(chart)
    other = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 6, 1)).infuse(date(2025, 7, 7))
    staff.get(sheet(other, REPORT, f"?reaction={row.public_id}"), status=404)
    place = f"{other.url}/forms/new/{REPORT}"
    refused = staff.submit(place, 400, answer_event="Rash", reaction=str(row.public_id))
    assert any("from the list" in error for error in refused.errors)


def test_the_facts_take_as_many_statements_for_one_course_as_for_three(
    cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2023, 1, 20)).infuse(date(2023, 2, 6))
    few = statements(chart)
    chart.infuse(date(2024, 3, 4)).infuse(date(2025, 4, 7))
    assert statements(chart) == few
    assert few <= 18


def statements(chart: Chart) -> int:
    key, told = chart.row.id, []

    def note(*_args: object) -> None:
        told.append(1)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        form_facts(chart.scope, key, "lemtrada-us")
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(told)
