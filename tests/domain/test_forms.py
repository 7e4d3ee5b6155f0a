"""Infusion Checklists and Patient Status Forms: when they are owed and which submission does which."""

from tests.charts import answer_on, chart, checklist, slot, slots, standing, status_forms, waiver

COURSE_1 = ["2025-11-03", "2025-11-04", "2025-11-05", "2025-11-06", "2025-11-07"]


def test_the_checklist_is_due_five_business_days_after_the_last_infusion() -> None:
    item = slot(chart(COURSE_1), "infusion_checklist", "C1", "2025-11-20")
    assert (item["opens_on"], item["due_on"], item["closes_on"]) == ("2025-11-07", "2025-11-17", None)
    assert (item["status"], item["days_late"]) == ("overdue", 3)


def test_a_checklist_sent_before_the_last_infusion_does_not_do_it() -> None:
    history = chart(COURSE_1, forms=[checklist(1, "2025-11-06")])
    assert slot(history, "infusion_checklist", "C1", "2025-11-07")["status"] == "due"
    assert standing(history, "infusion_checklist", "2025-11-07")["last_done_on"] == "2025-11-06"
    # As known on 6 November that was the last infusion, and the checklist was in.
    assert slot(history, "infusion_checklist", "C1", "2025-11-06")["status"] == "done"


def test_the_first_checklist_since_the_last_infusion_does_it() -> None:
    history = chart(
        COURSE_1, forms=[checklist(1, "2025-11-20"), checklist(1, "2025-11-19"), checklist(2, "2025-11-08")]
    )
    item = slot(history, "infusion_checklist", "C1", "2025-11-21")
    assert (item["done_on"], item["days_late"]) == ("2025-11-19", 2)


def test_a_checklist_of_a_course_not_given_is_no_evidence() -> None:
    history = chart(COURSE_1, [], forms=[checklist(2, "2025-11-20"), checklist(9, "2025-11-21")])
    assert standing(history, "infusion_checklist", "2025-11-22")["last_done_on"] is None


def test_a_waived_checklist_is_not_owed() -> None:
    history = chart(COURSE_1, waivers=[waiver("infusion_checklist", "2025-11-17", "2025-11-17")])
    assert slot(history, "infusion_checklist", "C1", "2025-12-20")["status"] == "waived"
    assert standing(history, "infusion_checklist", "2025-12-20")["state"] == "complete"


def test_checklists_due_on_one_day_are_in_the_order_of_their_names() -> None:
    history = chart(["2025-10-03"])
    history["courses"] = [
        {"number": 2, "infusions": [{"started_at": "2025-10-03T12:00+00:00"}]},
        {"number": 10, "infusions": [{"started_at": "2025-10-04T12:00+00:00"}]},
    ]
    items = slots(history, "infusion_checklist", "2025-10-20")
    assert [(item["slot"], item["due_on"]) for item in items] == [("C10", "2025-10-10"), ("C2", "2025-10-10")]
    assert standing(history, "infusion_checklist", "2025-10-20")["opens_on"] == "2025-10-04"


def test_status_forms_are_due_every_six_months_from_the_first_infusion() -> None:
    items = slots(chart(["2024-08-31"], ["2025-09-15"]), "patient_status_form", "2025-10-01")
    assert [item["due_on"] for item in items][:3] == ["2025-02-28", "2025-08-31", "2026-02-28"]
    assert (items[0]["opens_on"], items[0]["closes_on"]) == ("2025-01-29", None)
    assert (items[-1]["slot"], items[-1]["due_on"]) == ("PSF10", "2029-08-31")


def test_each_submission_does_the_earliest_form_open_on_that_day() -> None:
    # Both forms are open on 1 September; the third does not open before 29 January.
    history = chart(["2024-08-31"], forms=status_forms("2025-09-01", "2025-09-01", "2025-09-02"))
    items = slots(history, "patient_status_form", "2025-10-01")
    assert [item["done_on"] for item in items][:3] == ["2025-09-01", "2025-09-01", None]


def test_a_submission_before_any_form_opens_does_nothing() -> None:
    history = chart(["2024-08-31"], forms=status_forms("2025-01-28"))
    assert slot(history, "patient_status_form", "PSF1", "2025-02-01")["status"] == "due"
    assert standing(history, "patient_status_form", "2025-02-01")["last_done_on"] == "2025-01-28"


def test_a_waived_form_is_passed_over() -> None:
    history = chart(
        ["2024-08-31"],
        forms=status_forms("2025-09-01"),
        waivers=[waiver("patient_status_form", "2025-02-01", "2025-03-01")],
    )
    items = slots(history, "patient_status_form", "2025-10-01")
    assert [item["status"] for item in items][:3] == ["waived", "done", "upcoming"]


def test_forms_due_in_a_gap_in_monitoring_are_skipped_and_numbers_not_reused() -> None:
    # Monitoring of course 1 ends on 31 August 2024; course 2 comes on 15 September 2025.
    history = chart(["2020-08-31"], ["2025-09-15"])
    names = [item["slot"] for item in slots(history, "patient_status_form", "2025-10-01")]
    assert names[:9] == ["PSF1", "PSF2", "PSF3", "PSF4", "PSF5", "PSF6", "PSF7", "PSF8", "PSF11"]


def test_forms_are_never_missed_and_stay_overdue_after_monitoring() -> None:
    answer = answer_on(chart(["2015-08-31"]), "2026-01-01")
    forms = [item for item in answer["obligations"] if item["requirement"] == "patient_status_form"]
    assert {item["status"] for item in forms} == {"overdue"}
    assert answer["monitoring_complete"] is True
