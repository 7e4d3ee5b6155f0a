"""Data sheets: what is missing before a form can be sent, and where it is filled in."""

import uuid
from datetime import UTC, date, datetime

import pytest

from clinic_tracker.domain.baseline import BaselineFacts, BaselineSettings, ExamDone, LabDraw, baseline
from clinic_tracker.domain.course_forms.adverse_event import adverse_event_sheet
from clinic_tracker.domain.course_forms.authorization import authorization_sheet
from clinic_tracker.domain.course_forms.checklist import checklist_sheet
from clinic_tracker.domain.course_forms.enrollment import enrollment_sheet
from clinic_tracker.domain.course_forms.facts import DatedEvent, SubmissionFacts
from clinic_tracker.domain.course_forms.sheet import Place, Sheet, SheetState
from clinic_tracker.domain.course_forms.status_answers import check_answers
from clinic_tracker.domain.course_forms.status_form import events_between, reporting_period, status_sheet
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import ExamKind, FormKind, Panel
from tests.form_data import AUTHORIZATION, ENROLLMENT, FIRST, PATIENT, course, day, facts, reaction

pytestmark = pytest.mark.no_database

ONSET = datetime(2026, 1, 6, 16, tzinfo=UTC)
PANELS = (Panel.CBC_DIFF, Panel.CREATININE, Panel.URINALYSIS_CELLS, Panel.UPCR, Panel.TSH, Panel.LIVER_PANEL)


def missing(sheet: Sheet) -> dict[str, Place | None]:
    return {item.label: item.link.place if item.link else None for item in sheet.missing}


def text(sheet: Sheet, label: str) -> str:
    return next(item.shown for section in sheet.sections for item in section.fields if item.label == label)


def sent(kind: FormKind, **changed: object) -> SubmissionFacts:
    values = {
        "public_id": uuid.UUID(int=70), "kind": kind, "course": None, "reaction": None,
        "submitted_on": date(2026, 1, 15), "method": "fax", "confirmation": "FX-1", "signed_by": "Dr. Rey",
        "recorded_by": "Nia Bell", "answers": {},
    }  # fmt: skip
    return SubmissionFacts(**{**values, **changed})  # type: ignore[arg-type]


def ready(*panels: Panel, collected: date = date(2025, 12, 20)) -> object:
    draws = tuple(LabDraw(panel, collected, True) for panel in panels)
    exams = (ExamDone(ExamKind.SKIN_EXAM, date(2025, 11, 1), "normal"),)
    return baseline(BaselineFacts(1, FIRST, FIRST, draws, exams), BaselineSettings())


def test_a_whole_course_misses_nothing_and_is_ready():
    sheet = checklist_sheet(facts(), course())
    assert missing(sheet) == {}
    assert sheet.state is SheetState.READY
    assert sheet.title == "Data for the Infusion Checklist, course 1"


@pytest.mark.parametrize(
    "changed, label",
    [
        ({"lot_number": None}, "Lot number"),
        ({"lot_expires_on": None}, "Lot expires on"),
        ({"dose_mg": None}, "Dose"),
        ({"ended_at": None, "discharged_at": None}, "Infusion ended"),
        ({"discharged_at": None}, "Observed for"),
        ({"infection_excluded": None}, "No active infection"),
        ({"stroke_advice_given": False}, "Advice on stroke given"),
        ({"drugs": ()}, "Corticosteroid"),
    ],
)
def test_what_a_day_lacks_is_missing_and_leads_to_that_day(changed, label):
    days = [day(1), day(2, **changed), *(day(number) for number in (3, 4, 5))]
    found = checklist_sheet(facts(), course(*days)).missing
    assert label in [item.label for item in found]
    assert {item.link.ref for item in found} == {days[1].public_id}
    assert {item.section for item in found} == {"Day 2 of 5"}


def test_the_steroid_is_asked_for_on_the_first_three_days_only():
    days = [day(number, drugs=() if number > 3 else day(number).drugs) for number in range(1, 6)]
    assert missing(checklist_sheet(facts(), course(*days))) == {}


def test_a_course_that_goes_on_cannot_be_reported_yet():
    found = missing(checklist_sheet(facts(), course(day(1), day(2))))
    assert found == {"Course completed": Place.COURSE}


def test_a_course_that_was_stopped_says_why_and_what_became_of_the_vials():
    stopped = course(day(1), discontinued_on=date(2026, 1, 6))
    assert list(missing(checklist_sheet(facts(), stopped))) == ["Reason", "Unused vials", "What became of them"]
    told = course(
        day(1),
        discontinued_on=date(2026, 1, 6),
        discontinued_reason="Rash",
        unused_vials=4,
        vials_disposition="Returned",
    )
    sheet = checklist_sheet(facts(), told)
    assert missing(sheet) == {}
    assert text(sheet, "Course completed") == "No"
    assert text(sheet, "Infusion days given") == "1 of 5"


def test_authorization_and_verification_lead_to_their_pages():
    unverified = AUTHORIZATION._replace(verified_on=None, verified_method=None, verified_by=None)
    found = checklist_sheet(facts(), course(authorization=unverified)).missing
    assert {(item.link.place, item.link.ref) for item in found} == {(Place.VERIFICATION, AUTHORIZATION.public_id)}
    found = checklist_sheet(facts(), course(authorization=None)).missing
    assert {item.link.place for item in found} == {Place.AUTHORIZATION}


def test_a_course_without_infusions_is_not_started():
    assert checklist_sheet(facts(), course(day(1), days=())).state is SheetState.NOT_STARTED


def test_a_form_that_was_sent_says_so_whatever_is_missing():
    done = facts(submissions=(sent(FormKind.INFUSION_CHECKLIST, course=1),))
    sheet = checklist_sheet(done, course(day(1)))
    assert sheet.state is SheetState.SENT
    assert (sheet.sent[0].method, sheet.sent[0].confirmation) == ("Fax", "FX-1")
    assert checklist_sheet(done, course(number=2)).state is SheetState.READY, "of another course"


def test_elapsed_minutes_count_through_a_change_of_clocks():
    """From 23:30 EDT to 3:00 EST on the night when the clocks go back is four and a half hours."""
    start = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    late = day(1, started_at=start, ended_at=datetime(2026, 11, 1, 8, tzinfo=UTC),
               discharged_at=datetime(2026, 11, 1, 10, tzinfo=UTC))  # fmt: skip
    sheet = checklist_sheet(facts(), course(late))
    assert text(sheet, "Drug ran for") == "270 minutes"
    assert text(sheet, "Observed for") == "120 minutes"
    assert text(sheet, "Infusion ended") == "01-Nov-2026 3:00 am EST"


def test_a_baseline_test_that_is_missing_or_outside_its_window_leads_to_the_results():
    sheet = authorization_sheet(facts(), course(baseline=ready(*PANELS)))
    assert missing(sheet) == {}
    assert text(sheet, "All collected within 30 days before the first infusion") == "Yes"
    sheet = authorization_sheet(facts(), course(baseline=ready(*PANELS[1:])))
    assert missing(sheet) == {"CBC with differential: collected on": Place.RESULTS}
    old = authorization_sheet(facts(), course(baseline=ready(*PANELS, collected=date(2025, 12, 5))))
    assert len(old.missing) == 6
    assert text(old, "All collected within 30 days before the first infusion") == "No"


def test_an_authorization_needs_a_day_of_the_first_infusion():
    unplanned = course(day(1), days=(), planned_start_on=None, authorization=None)
    sheet = authorization_sheet(facts(), unplanned)
    assert sheet.state is SheetState.NOT_STARTED
    assert missing(sheet)["First infusion planned for"] is Place.COURSE


def test_enrollment_names_what_was_not_handed_out_and_who_must_be_known():
    assert missing(enrollment_sheet(facts())) == {}
    row = ENROLLMENT._replace(guide_given_on=None, copy_given=False)
    found = missing(enrollment_sheet(facts(enrollment=row, patient=PATIENT._replace(rems_patient_id=None))))
    assert found == {
        "REMS patient id": Place.PATIENT,
        "Patient Guide received and read": Place.ENROLLMENT,
        "Copy given to the patient": Place.ENROLLMENT,
    }
    assert enrollment_sheet(facts(enrollment=None)).state is SheetState.NOT_STARTED


def test_what_was_recalled_and_not_seen_is_marked():
    marks = {item.label: item.unconfirmed for section in enrollment_sheet(facts()).sections for item in section.fields}
    assert marks["REMS patient id"]
    assert marks["Patient's permission to share health information"]
    assert not marks["Patient Guide received and read"]


def test_a_report_says_lots_last_infusion_and_deadline():
    row = reaction(ONSET, is_serious=True, seriousness=["hospitalization"], grade="severe", ending=None)
    second = day(2, lot_number="B77", reactions=(row,))
    whole = course(day(1), second, day(3, lot_number="C1"))
    sheet = adverse_event_sheet(facts(whole), whole, second, row)
    assert text(sheet, "Lots") == "A1234, B77", "not the lots given after the event"
    assert text(sheet, "Last infusion before the event") == "Day 2, 06-Jan-2026"
    assert text(sheet, "To be reported by (local convention)") == "07-Jan-2026"
    assert missing(sheet) == {"Outcome": Place.INFUSION}


def test_a_report_was_sent_only_by_a_submission_about_that_reaction():
    row = reaction(ONSET)
    whole = course(day(1, reactions=(row,)))
    other = sent(FormKind.ADVERSE_EVENT_FORM, reaction=uuid.UUID(int=91))
    assert adverse_event_sheet(facts(whole, submissions=(other,)), whole, whole.days[0], row).state is SheetState.READY
    own = other._replace(reaction=row.public_id, answers={"sent_to": ["rems", "medwatch"]})
    sheet = adverse_event_sheet(facts(whole, submissions=(own,)), whole, whole.days[0], row)
    assert sheet.state is SheetState.SENT
    assert text(sheet, "Sent to") == "REMS, FDA MedWatch on 15-Jan-2026, FX-1"


def test_a_status_form_reports_since_the_form_before():
    assert reporting_period(facts()) == (FIRST, date(2026, 1, 22)), "the first one from the first infusion on"
    done = facts(submissions=(sent(FormKind.PATIENT_STATUS_FORM),))
    assert reporting_period(done) == (date(2026, 1, 15), date(2026, 1, 22))


def test_a_status_form_tells_the_events_of_its_period_and_the_last_tests():
    row = reaction(ONSET)
    found = facts(
        course(day(1), day(2, reactions=(row,))),
        findings=(DatedEvent(date(2026, 1, 20), "Finding in a result", "Platelets low"),),
        last_tests={"cbc_diff": date(2026, 1, 20)},
    )
    told = [(event.on.day, event.what) for event in events_between(found, date(2026, 1, 6), date(2026, 1, 22))]
    assert told == [(6, "Infusion"), (6, "Infusion reaction"), (20, "Finding in a result")]
    sheet = status_sheet(found)
    assert text(sheet, "CBC with differential") == "20-Jan-2026"
    assert missing(sheet)["HPV screening"] is Place.EXAMS
    assert "HPV screening" not in missing(status_sheet(facts(patient=PATIENT._replace(sex_at_birth="male"))))
    assert "Still under my care" in sheet.asked
    assert "Which ones" not in sheet.asked, "asked only after a yes"


def test_answers_of_a_sent_status_form_are_on_its_sheet():
    answers = {"under_care": "no", "left_care": "transferred", "period_from": "2025-07-07", "conditions": ["itp"]}
    row = sent(FormKind.PATIENT_STATUS_FORM, answers=answers)
    sheet = status_sheet(facts(submissions=(row,)), row)
    assert text(sheet, "Still under my care") == "No"
    assert text(sheet, "If not: why") == "Transferred to another prescriber"
    assert text(sheet, "Which ones") == "Immune thrombocytopenia (ITP)"
    assert text(sheet, "From") == "07-Jul-2025"
    assert sheet.state is SheetState.SENT


@pytest.mark.parametrize(
    "answers, code",
    [
        ({"under_care": "no"}, "left_care_required"),
        ({"under_care": "yes", "left_care": "lost"}, "still_under_care"),
        ({"autoimmune": "yes"}, "conditions_required"),
        ({"autoimmune": "no", "conditions": ["itp"]}, "no_condition"),
        ({"conditions": ["gout"]}, "unknown_condition"),
    ],
)
def test_answers_that_contradict_each_other_are_refused(answers, code):
    with pytest.raises(RuleViolation) as refused:
        check_answers(answers)
    assert refused.value.code == code


def test_no_answers_at_all_are_not_judged():
    check_answers({})
    check_answers({"under_care": "no", "left_care": "deceased"})
    check_answers({"autoimmune": "yes", "conditions": ["thyroid", "other"]})
