"""The data for the Infusion Checklist of a course (data dictionary 2.8; R-04, R-16, R-18, R-43 to R-53)."""

from clinic_tracker.domain.course_forms.blocks import (
    by_hand,
    day_text,
    facility_block,
    listed,
    moment,
    optional,
    patient_block,
    prescriber_block,
    required,
    sent_rows,
    signature,
    words,
    yes,
)
from clinic_tracker.domain.course_forms.facts import CourseFacts, DayFacts, DrugFacts, FormFacts, PauseFacts
from clinic_tracker.domain.course_forms.sheet import Field, Link, Place, Section, Sheet, Table
from clinic_tracker.domain.infusion_day import Pause, active_minutes
from clinic_tracker.domain.local_time import elapsed_minutes, show_date, show_time
from clinic_tracker.domain.vocabulary import FormKind

KIND = FormKind.INFUSION_CHECKLIST
_VITALS = ("Time", "Systolic", "Diastolic", "Heart rate", "Temperature °C", "Resp. rate", "SpO2 %")
_REACTIONS = ("Onset", "Grade", "Serious", "Signs", "Treatment", "Outcome")


def checklist_sheet(facts: FormFacts, course: CourseFacts) -> Sheet:
    """What the clinic knows of the infusions of a course."""
    given = course.authorization
    prescriber = (given and given.prescriber) or course.prescriber or facts.prescriber
    return Sheet(
        KIND,
        f"course {course.number}",
        (
            patient_block(facts.patient),
            prescriber_block(prescriber, facts.facility),
            facility_block(facts.facility),
            _before(facts, course),
            *(_day(facts, course, day) for day in course.days),
            _ending(course),
            Section("Signature", (*signature("Facility representative"), *by_hand("Sent on and how"))),
        ),
        started=bool(course.days),
        sent=sent_rows(facts.sent(KIND, course.number)),
    )


def _before(facts: FormFacts, course: CourseFacts) -> Section:
    given, enrollment = course.authorization, facts.enrollment
    here = Link(Place.VERIFICATION, given.public_id) if given else Link(Place.AUTHORIZATION, course.public_id)
    return Section(
        "Before the first infusion",
        (
            required("Authorization verified on", day_text(given and given.verified_on), here),
            required("Verified by (method)", words(given.verified_method or "") if given else "", here),
            required("Verified by (person)", given and given.verified_by, here),
            required(
                "Patient counseled, with the Patient Guide",
                day_text(enrollment and enrollment.counseled_on),
                Link(Place.ENROLLMENT),
                unconfirmed=True,
            ),
        ),
    )


def _day(facts: FormFacts, course: CourseFacts, day: DayFacts) -> Section:
    here = Link(Place.INFUSION, day.public_id)
    return Section(
        f"Day {day.day_number} of {course.planned_days}",
        (
            required("Date", show_date(day.infused_on), here),
            required("Lot number", day.lot_number, here),
            required("Lot expires on", day_text(day.lot_expires_on), here),
            required("Dose", f"{day.dose_mg:g} mg" if day.dose_mg is not None else "", here),
            required("No active infection", yes(known=day.infection_excluded), here),
            optional("Other contraindications excluded", yes(known=day.contraindications_excluded)),
            *_premedication(facts, course, day, here),
            *_times(day, here),
            required("Advice on stroke given", yes(known=day.stroke_advice_given or None), here),
            required("Advice on late reactions given", yes(known=day.late_reaction_advice_given or None), here),
            optional("Infusion reaction", "Yes" if day.reactions else "None recorded"),
        ),
        (_vitals(day), *([_reactions(day)] if day.reactions else [])),
    )


def _premedication(facts: FormFacts, course: CourseFacts, day: DayFacts, here: Link) -> tuple[Field, ...]:
    def given(kind: str) -> str:
        return "; ".join(_drug(drug, day.time_zone) for drug in day.drugs if drug.kind == kind)

    steroid = (
        required("Corticosteroid", given("steroid"), here)
        if day.day_number <= facts.steroid_days
        else optional("Corticosteroid", given("steroid"))
    )
    started = course.antiviral_on is not None and course.antiviral_on <= day.infused_on
    antiviral = f"{course.antiviral}, since {show_date(course.antiviral_on)}" if started and course.antiviral_on else ""
    return (
        steroid,
        optional("Antihistamine", given("antihistamine")),
        optional("Antipyretic", given("antipyretic")),
        optional("Antiviral", antiviral),
        optional("Other drugs", given("other")),
    )


def _drug(drug: DrugFacts, zone: str) -> str:
    ended = f" to {show_time(drug.ended_at, zone)}" if drug.ended_at else ""
    return f"{drug.drug}{f' {drug.dose}' if drug.dose else ''}, {show_time(drug.given_at, zone)}{ended}"


def _times(day: DayFacts, here: Link) -> tuple[Field, ...]:
    zone, ended, left = day.time_zone, day.ended_at, day.discharged_at
    ran = observed = ""
    if ended:
        pauses = [Pause(pause.paused_at, pause.resumed_at) for pause in day.pauses]
        ran = f"{active_minutes(day.started_at, ended, pauses)} minutes"
        observed = f"{elapsed_minutes(ended, left)} minutes" if left else ""
    return (
        required("Infusion started", moment(day.started_at, zone), here),
        optional("Pauses", "; ".join(_pause(pause, zone) for pause in day.pauses) or "None"),
        required("Infusion ended", moment(ended, zone), here),
        optional("Drug ran for", ran),
        required("Observation ended", moment(left, zone), here),
        required("Observed for", observed, here),
        optional("Discharge signed by", day.discharged_by),
    )


def _pause(pause: PauseFacts, zone: str) -> str:
    until = show_time(pause.resumed_at, zone) if pause.resumed_at else "not resumed"
    return f"{show_time(pause.paused_at, zone)} to {until}{f' ({pause.reason})' if pause.reason else ''}"


def _vitals(day: DayFacts) -> Table:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:g}"

    rows = tuple((show_time(row.taken_at, day.time_zone), *(number(value) for value in row[1:])) for row in day.vitals)
    return Table(f"Vital signs, day {day.day_number}", _VITALS, rows)


def _reactions(day: DayFacts) -> Table:
    rows = tuple(
        (
            moment(row.onset_at, day.time_zone),
            words(row.grade),
            yes(known=row.is_serious),
            listed(row.ticked, row.signs),
            listed(row.actions, row.drugs, row.action),
            listed([row.ending] if row.ending else [], row.outcome),
        )
        for row in day.reactions
    )
    return Table(f"Reactions, day {day.day_number}", _REACTIONS, rows)


def _ending(course: CourseFacts) -> Section:
    """Whether the course was completed; unused vials only where it was not (R-53)."""
    here = Link(Place.COURSE, course.public_id)
    given, whole = len(course.days), len(course.days) >= course.planned_days
    over = whole or course.discontinued_on is not None
    fields = [
        required("Course completed", ("Yes" if whole else "No") if over else "", here),
        required("Infusion days given", f"{given} of {course.planned_days}" if given else "", here),
    ]
    if over and not whole:
        unused = course.unused_vials
        fields += [
            required("Reason", course.discontinued_reason, here),
            required("Unused vials", str(unused) if unused is not None else "", here, unconfirmed=True),
        ]
        if unused is None or unused > 0:
            fields.append(required("What became of them", course.vials_disposition, here, unconfirmed=True))
    return Section("End of the course", tuple(fields))
