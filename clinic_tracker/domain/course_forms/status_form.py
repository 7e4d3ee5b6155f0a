"""The data for the Patient Status Form (data dictionary 2.9; R-79): prefilled, the chart knows most of it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from clinic_tracker.domain.course_forms.blocks import (
    asked,
    day_text,
    listed,
    optional,
    patient_block,
    prescriber_block,
    required,
    sent_rows,
    signature,
    words,
)
from clinic_tracker.domain.course_forms.facts import DatedEvent, FormFacts, SubmissionFacts
from clinic_tracker.domain.course_forms.sheet import Field, Link, Place, Section, Sheet, Table
from clinic_tracker.domain.course_forms.status_answers import answer_text
from clinic_tracker.domain.local_time import local_date, show_date
from clinic_tracker.domain.vocabulary import FormKind

KIND = FormKind.PATIENT_STATUS_FORM
#: The tests of the monitoring, by the code of panel or examination.
TESTS = (
    ("cbc_diff", "CBC with differential", Place.RESULTS),
    ("creatinine", "Creatinine", Place.RESULTS),
    ("urinalysis_cells", "Urinalysis with cell counts", Place.RESULTS),
    ("tsh", "TSH", Place.RESULTS),
    ("liver_panel", "ALT, AST, bilirubin", Place.RESULTS),
    ("skin_exam", "Skin exam", Place.EXAMS),
)
_CERVIX_TEST = ("hpv_screen", "HPV screening", Place.EXAMS)
_QUESTIONS = (
    ("under_care", "Still under my care", False),
    ("left_care", "If not: why", True),
    ("new_prescriber", "If transferred: new prescriber", True),
    ("monitored", "Monitored as the prescribing information asks", False),
    ("autoimmune", "New autoimmune condition", False),
    ("conditions", "Which ones", False),
    ("condition_on", "Found on", False),
    ("reported", "Reported to the REMS", False),
    ("malignancy", "New malignancy", False),
    ("infusion_reaction", "Infusion reaction", False),
    ("stroke", "Stroke or arterial dissection", False),
    ("further_course", "Further course intended", True),
)
_FOLLOW_UP = frozenset({"left_care", "new_prescriber", "conditions", "condition_on", "reported"})


def reporting_period(facts: FormFacts) -> tuple[date | None, date]:
    """From the day of the form before (nothing falls between two forms), or from the first infusion, until today."""
    sent = facts.sent(KIND)
    if sent:
        return max(row.submitted_on for row in sent), facts.today
    days = [day.infused_on for course in facts.courses for day in course.days]
    return min(days, default=None), facts.today


def status_sheet(facts: FormFacts, answered: SubmissionFacts | None = None) -> Sheet:
    """What the chart knows for the next status form; or the data with the answers of one that was sent."""
    answers = answered.answers if answered else {}
    start, end = _period(facts, answers) if answered else reporting_period(facts)
    return Sheet(
        KIND,
        f"sent {show_date(answered.submitted_on)}" if answered else "",
        (
            patient_block(facts.patient),
            prescriber_block(facts.prescriber, facts.facility),
            Section(
                "Reporting period",
                (
                    required("From", day_text(start), Link(Place.COURSE)),
                    required("To", day_text(end), None),
                ),
            ),
            Section("Monitoring: last done on", _tests(facts)),
            _events(facts, start, end),
            Section("Only the prescriber can answer", tuple(_questions(answers))),
            Section("Signature", signature("Prescriber")),
        ),
        started=start is not None,
        sent=sent_rows([answered]) if answered else (),
    )


def events_between(facts: FormFacts, start: date | None, end: date) -> tuple[DatedEvent, ...]:
    """What the chart holds of a period: infusions, reactions, findings; oldest first."""
    found = [
        *(
            DatedEvent(day.infused_on, "Infusion", f"Course {course.number}, day {day.day_number}")
            for course in facts.courses
            for day in course.days
        ),
        *(
            DatedEvent(
                local_date(row.onset_at, day.time_zone),
                "Serious infusion reaction" if row.is_serious else "Infusion reaction",
                f"{words(row.grade)}: {listed(row.ticked, row.signs)}",
            )
            for course in facts.courses
            for day, row in course.reactions
        ),
        *facts.findings,
    ]
    return tuple(sorted(event for event in found if (start is None or start <= event.on) and event.on <= end))


def _period(facts: FormFacts, answers: Mapping[str, Any]) -> tuple[date | None, date]:
    start, end = reporting_period(facts)
    told = [answers.get(name) for name in ("period_from", "period_to")]
    return (
        date.fromisoformat(told[0]) if told[0] else start,
        date.fromisoformat(told[1]) if told[1] else end,
    )


def _tests(facts: FormFacts) -> tuple[Field, ...]:
    patient = facts.patient
    cervix = patient.sex_at_birth == "female" if patient.has_cervix is None else patient.has_cervix
    tests = (*TESTS, _CERVIX_TEST) if cervix else TESTS
    return tuple(required(title, day_text(facts.last_tests.get(code)), Link(place)) for code, title, place in tests)


def _events(facts: FormFacts, start: date | None, end: date) -> Section:
    rows = tuple((show_date(event.on), event.what, event.detail) for event in events_between(facts, start, end))
    return Section(
        "Events in the chart in this period",
        (optional("Events", str(len(rows)) if rows else "None"),),
        (Table("Events", ("On", "What", "Detail"), rows, "Nothing is in the chart."),),
    )


def _questions(answers: Mapping[str, Any]) -> list[Field]:
    """Every question; one that depends on another is asked only where that was answered so."""
    fields = []
    for name, label, unconfirmed in _QUESTIONS:
        text = answer_text(answers, name)
        follows = name in _FOLLOW_UP
        fields.append(
            optional(label, text, unconfirmed=unconfirmed) if follows else asked(label, text, unconfirmed=unconfirmed)
        )
    return fields
