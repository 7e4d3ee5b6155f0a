"""The data for the Patient Authorization and Baseline Lab Form of a course (data dictionary 2.6; R-14, R-20)."""

from clinic_tracker.domain.baseline_facts import BaselineItem, BaselineState, Weight
from clinic_tracker.domain.course_forms.blocks import (
    day_text,
    optional,
    patient_block,
    prescriber_block,
    required,
    sent_rows,
    signature,
    yes,
)
from clinic_tracker.domain.course_forms.facts import CourseFacts, FormFacts
from clinic_tracker.domain.course_forms.sheet import Field, Link, Place, Section, Sheet
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.vocabulary import FormKind, Panel

KIND = FormKind.PATIENT_AUTHORIZATION_FORM
_LABS = frozenset({Panel.CBC_DIFF, Panel.CREATININE, Panel.URINALYSIS_CELLS, Panel.UPCR, Panel.TSH, Panel.LIVER_PANEL})
_SKIN = "skin_exam"


def authorization_sheet(facts: FormFacts, course: CourseFacts) -> Sheet:
    """What the clinic knows for the authorization of a course."""
    given = course.authorization
    prescriber = (given and given.prescriber) or course.prescriber or facts.prescriber
    return Sheet(
        KIND,
        f"course {course.number}",
        (
            patient_block(facts.patient),
            prescriber_block(prescriber, facts.facility),
            _course(course),
            _labs(course),
            _decision(course),
        ),
        started=given is not None or any(_is_met(item) for item in _lab_items(course)),
        sent=sent_rows(facts.sent(KIND, course.number)),
    )


def _course(course: CourseFacts) -> Section:
    here = Link(Place.COURSE, course.public_id)
    first = "First infusion given on" if course.days else "First infusion planned for"
    return Section(
        "Course",
        (
            required("Course number", str(course.number), here),
            required("Infusion days planned", str(course.planned_days), here),
            required(first, day_text(course.first_on), here),
        ),
    )


def _labs(course: CourseFacts) -> Section:
    items = _lab_items(course)
    fields = [_collected(item) for item in items]
    skin = next((item for item in _items(course) if item.code == _SKIN), None)
    fields.append(
        required("Skin exam on", day_text(skin.collected_on) if skin and _is_met(skin) else "", Link(Place.EXAMS))
    )
    needed = [item for item in items if item.weight is Weight.BLOCK]
    whole = all(_is_met(item) for item in needed) if needed else None
    fields.append(optional("All collected within 30 days before the first infusion", yes(known=whole)))
    window = course.baseline
    note = (
        f"Counted from {show_date(window.window_opens_on)} to {show_date(window.start_on)}, both included."
        if window
        else "Plan the first infusion: the tests are counted back from its day."
    )
    return Section("Baseline tests", tuple(fields), note=note)


def _collected(item: BaselineItem) -> Field:
    label = f"{item.title}: collected on"
    text = day_text(item.collected_on) if _is_met(item) else ""
    if item.weight is Weight.BLOCK:
        return required(label, text, Link(Place.RESULTS))
    return optional(label, text)


def _decision(course: CourseFacts) -> Section:
    given = course.authorization
    here = Link(Place.AUTHORIZATION, course.public_id)
    return Section(
        "Authorization",
        (
            required("Authorized on", day_text(given and given.authorized_on), here),
            optional("Holds until", day_text(given and given.expires_on)),
            optional("Reason where the set was incomplete", given and given.override_reason),
            optional("REMS reference", given and given.rems_reference, unconfirmed=True),
            *signature("Prescriber"),
        ),
    )


def _items(course: CourseFacts) -> tuple[BaselineItem, ...]:
    return course.baseline.items if course.baseline else ()


def _lab_items(course: CourseFacts) -> tuple[BaselineItem, ...]:
    return tuple(item for item in _items(course) if item.code in _LABS)


def _is_met(item: BaselineItem) -> bool:
    return item.state is BaselineState.MET
