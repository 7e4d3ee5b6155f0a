"""The data of an adverse-event report about one reaction (data dictionary 2.10; R-80)."""

from clinic_tracker.domain.course_forms.blocks import (
    by_hand,
    day_text,
    listed,
    moment,
    optional,
    patient_block,
    prescriber_block,
    required,
    sent_rows,
    words,
    yes,
)
from clinic_tracker.domain.course_forms.facts import CourseFacts, DayFacts, FormFacts, ReactionFacts
from clinic_tracker.domain.course_forms.sheet import Link, Place, Section, Sheet
from clinic_tracker.domain.local_time import local_date, show_date
from clinic_tracker.domain.reactions import report_due_on
from clinic_tracker.domain.vocabulary import FormKind

KIND = FormKind.ADVERSE_EVENT_FORM
RECIPIENTS = (("rems", "REMS"), ("manufacturer", "Manufacturer"), ("medwatch", "FDA MedWatch"))


def adverse_event_sheet(facts: FormFacts, course: CourseFacts, day: DayFacts, reaction: ReactionFacts) -> Sheet:
    """What the clinic knows of one reaction."""
    return Sheet(
        KIND,
        f"course {course.number}, day {day.day_number}",
        (
            _reporter(facts),
            patient_block(facts.patient),
            prescriber_block(course.prescriber or facts.prescriber, facts.facility),
            _event(facts, day, reaction),
            _drug(course, day, reaction),
            _assessment(facts, reaction),
        ),
        sent=sent_rows(facts.sent(KIND, reaction=reaction.public_id)),
    )


def report_by(facts: FormFacts, day: DayFacts, row: ReactionFacts) -> str:
    """By when a serious reaction is to be reported, in words; nothing for another one (R-80, local convention)."""
    if not row.is_serious:
        return ""
    onset_on = local_date(row.onset_at, day.time_zone)
    return show_date(report_due_on(onset_on, facts.report_business_days, facts.holidays))


def _reporter(facts: FormFacts) -> Section:
    return Section(
        "Reporter",
        (
            optional("Reported by", facts.reporter),
            optional("Facility", facts.facility.name),
            required("Phone", facts.facility.phone, Link(Place.FACILITY), unconfirmed=True),
            *by_hand("Profession"),
        ),
    )


def _event(facts: FormFacts, day: DayFacts, row: ReactionFacts) -> Section:
    here, zone = Link(Place.INFUSION, day.public_id), day.time_zone
    criteria = listed(row.seriousness)
    return Section(
        "Event",
        (
            required("Event terms", listed(row.ticked, row.signs), here),
            *by_hand("MedDRA code (optional)"),
            required("Onset", moment(row.onset_at, zone), here),
            required("Grade", words(row.grade).capitalize(), here),
            required("Serious", yes(known=row.is_serious), here),
            required("Why it is serious", criteria, here)
            if row.is_serious
            else optional("Why it is serious", criteria),
            required("Outcome", listed([row.ending] if row.ending else [], row.outcome), here),
            optional("To be reported by (local convention)", report_by(facts, day, row)),
            optional("Ended", moment(row.resolved_at, zone)),
            optional("Treatment", listed(row.actions, row.drugs, row.action)),
        ),
    )


def _drug(course: CourseFacts, day: DayFacts, row: ReactionFacts) -> Section:
    here = Link(Place.INFUSION, day.public_id)
    before = [given for given in course.days if given.infused_on <= local_date(row.onset_at, day.time_zone)]
    lots = ", ".join(dict.fromkeys(given.lot_number for given in before if given.lot_number))
    last = before[-1] if before else day
    return Section(
        "LEMTRADA",
        (
            required("Course", str(course.number), here),
            required("Last infusion before the event", f"Day {last.day_number}, {day_text(last.infused_on)}", here),
            required("Dose of that day", f"{last.dose_mg:g} mg" if last.dose_mg is not None else "", here),
            required("Lots", lots, here),
        ),
    )


def _assessment(facts: FormFacts, row: ReactionFacts) -> Section:
    named = dict(RECIPIENTS)
    to = [
        f"{', '.join(named.get(code, code) for code in sent.answers.get('sent_to', [])) or 'not known to whom'} "
        f"on {day_text(sent.submitted_on)}{f', {sent.confirmation}' if sent.confirmation else ''}"
        for sent in facts.sent(KIND, reaction=row.public_id)
    ]
    return Section(
        "Assessment",
        (*by_hand("Causality", "Laboratory reports attached"), optional("Sent to", "; ".join(to))),
    )
