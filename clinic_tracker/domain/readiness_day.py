"""Readiness: what is asked, given and checked on the day itself, before each start."""

from clinic_tracker.domain.local_time import show_date, to_utc
from clinic_tracker.domain.notes import Note, Verdict, deviation, refuse
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness_facts import Answers, ReadinessFacts, ReadinessRules
from clinic_tracker.domain.readiness_items import Group, Item, Place, State, Stop

ACTIVE_INFECTION = "active_infection"


def day_checks(facts: ReadinessFacts) -> list[Item]:
    """The checks of each infusion day (R-04, R-18, R-34, R-43, R-47, R-55, R-60)."""
    return [
        *_answers(facts),
        _vital_signs(facts),
        _steroid(facts),
        _antiviral(facts),
        *([_drug_check(facts)] if facts.rules.drug_check_people else []),
    ]


def check_answers(answers: Answers, *, may_be_pregnant: bool) -> Verdict:
    """What the nurse confirms before each live start.

    A question not answered refuses it, and so does a contraindication (R-18, R-34); equipment that was not attested is
    for a prescriber to decide (R-04).
    """
    asked = [
        ("infection", answers.infection_excluded, "active infection", "An active infection is a contraindication."),
        (
            "contraindication",
            answers.contraindications_excluded,
            "other contraindications",
            "A contraindication was found.",
        ),
    ]
    if may_be_pregnant:
        asked.append(("pregnancy", answers.pregnancy_excluded, "pregnancy", "Pregnancy was not excluded."))
    notes: list[Note] = []
    for field, excluded, name, found in asked:
        requirement = "R-34" if field == "pregnancy" else "R-18"
        if excluded is None:
            message = f"Answer the question about {name}: it is asked before each infusion."
            notes.append(refuse(f"{field}_not_asked", field, message, requirement))
        elif not excluded:
            message = f"{found} The infusion may not be started; the neurologist decides what follows."
            notes.append(refuse(f"{field}_not_excluded", field, message, requirement))
    if not answers.equipment_ready:
        message = "That equipment and trained personnel for infusion reactions are at hand was not confirmed."
        notes.append(deviation("equipment_not_confirmed", "equipment_ready", message, "R-04", by_prescriber=True))
    return Verdict(tuple(notes))


def contraindication_titles(rules: ReadinessRules) -> tuple[tuple[str, bool], ...]:
    """The protocol's contraindications beside an active infection; whether each is unconfirmed (grade R)."""
    return tuple((one.title, one.unconfirmed) for one in rules.contraindications if one.code != ACTIVE_INFECTION)


def _asked_daily(code: str, title: str, requirement: str, weight: Stop, short: str) -> Item:
    return Item(
        code=code,
        group=Group.DAY,
        title=title,
        requirement=requirement,
        state=State.TO_CONFIRM,
        weight=weight,
        words="Asked on the day, before the start.",
        short=short,
        breach=f"{code}_not_excluded",
        clears="Answered when the infusion is started.",
        permission=Permission.RECORD_TREATMENT,
        place=Place.START,
    )


def _answers(facts: ReadinessFacts) -> list[Item]:
    """Active infection, other contraindications, pregnancy where it applies, equipment and personnel."""
    given = facts.of_day.answers
    pregnancy = _asked_daily("pregnancy", "No pregnancy", "R-34", Stop.HARD, "pregnancy")
    if facts.may_be_pregnant:
        pregnancy = _answered(pregnancy, facts, answer=given.pregnancy_excluded)
    else:
        pregnancy = pregnancy._replace(state=State.NOT_APPLICABLE, words="Pregnancy is not possible or not plausible.")
    others = _asked_daily("contraindication", "No other contraindication", "R-18", Stop.HARD, "contraindication found")
    others = others._replace(unconfirmed=any(one.unconfirmed for one in facts.rules.contraindications))
    infection = _asked_daily("infection", "No active infection", "R-18", Stop.HARD, "active infection")
    place = "R-04" if facts.rules.has_rems else "R-04, E-03"
    equipment = _asked_daily("equipment", "Equipment and personnel ready", place, Stop.SOFT, "equipment not ready")
    equipment = equipment._replace(breach="equipment_not_confirmed", words="Attested on the day, before the start.")
    return [
        _answered(infection, facts, answer=given.infection_excluded),
        _answered(others, facts, answer=given.contraindications_excluded),
        pregnancy,
        _answered(equipment, facts, answer=given.equipment_ready, no=State.MISSING),
    ]


def _answered(item: Item, facts: ReadinessFacts, *, answer: bool | None, no: State = State.CONTRAINDICATED) -> Item:
    """The item with the answer that was given on the day, if it was given."""
    if answer is None:
        return item if facts.on >= facts.as_of and facts.of_day.started_at is None else _not_recorded(item)
    if answer:
        return item._replace(state=State.MET, words=f"Confirmed on {show_date(facts.on)}.", evidence_on=facts.on)
    return item._replace(state=no, words=f"Not confirmed on {show_date(facts.on)}.", evidence_on=facts.on)


def _not_recorded(item: Item) -> Item:
    """What was due on a day that is over; nobody can make good for it, and it stops nothing any more."""
    return item._replace(state=State.MISSING, weight=Stop.WARN, words="Not recorded on the day.", place=Place.COURSES)


def _given_daily(code: str, title: str, requirement: str, weight: Stop, breach: str, place: Place, words: str) -> Item:
    return Item(
        code=code,
        group=Group.DAY,
        title=title,
        requirement=requirement,
        state=State.TO_CONFIRM,
        weight=weight,
        words=words,
        short=f"{title.lower()} not recorded",
        breach=breach,
        clears="Record it on the day, before the start.",
        permission=Permission.RECORD_TREATMENT,
        place=place,
    )


def _done(item: Item, facts: ReadinessFacts, *, done: bool) -> Item:
    if done:
        return item._replace(state=State.MET, words=f"Recorded on {show_date(facts.on)}.", evidence_on=facts.on)
    is_over = facts.on < facts.as_of or facts.of_day.started_at is not None
    return _not_recorded(item) if is_over else item


def _vital_signs(facts: ReadinessFacts) -> Item:
    """A set of vital signs before each infusion (R-47, E-09)."""
    day = facts.of_day
    in_time = day.vitals_at is not None and (day.started_at is None or to_utc(day.vitals_at) <= to_utc(day.started_at))
    requirement = "R-47" if facts.rules.has_rems else "R-47, E-09"
    words = "Measured on the day, before the start."
    item = _given_daily("vital_signs", "Vital signs", requirement, Stop.SOFT, "no_vitals_before", Place.VITALS, words)
    return _done(item, facts, done=in_time)


def _steroid(facts: ReadinessFacts) -> Item:
    """The corticosteroid is in before the infusion on the first days of each course (R-43)."""
    days, day = facts.rules.steroid_days, facts.of_day
    words = f"Given on the day, before the start (days 1 to {days})."
    item = _given_daily("steroid", "Corticosteroid", "R-43", Stop.SOFT, "no_steroid", Place.PREMEDICATION, words)
    if facts.day_number > days:
        return item._replace(state=State.NOT_APPLICABLE, words=f"Due on days 1 to {days} only.")
    in_time = day.steroid_at is not None and (
        day.started_at is None or to_utc(day.steroid_at) <= to_utc(day.started_at)
    )
    return _done(item, facts, done=in_time)


def _antiviral(facts: ReadinessFacts) -> Item:
    """Herpes prophylaxis starts on the first day of each course (R-60); a warning only."""
    words = "Started on the first day of the course."
    item = _given_daily("antiviral", "Antiviral started", "R-60", Stop.WARN, "no_antiviral", Place.PROPHYLAXIS, words)
    started = max((span.from_on for span in facts.antivirals if span.from_on and span.covers(facts.on)), default=None)
    if started is not None:
        return item._replace(state=State.MET, words=f"Taken since {show_date(started)}.", evidence_on=started)
    if facts.on > facts.as_of or (facts.on == facts.as_of and facts.day_number == 1):
        return item
    words = "No antiviral is recorded for this day."
    return item._replace(state=State.MISSING, words=words, clears="Record the antiviral and its start.")


def _drug_check(facts: ReadinessFacts) -> Item:
    """So many people check patient, product, dose and expiry before the start, where the clinic wants it (R-55)."""
    people, done = facts.rules.drug_check_people, facts.of_day.drug_checks
    title = "Drug checked by one person" if people == 1 else f"Drug checked by {people} people"
    words = f"{done} of {people} checks are recorded." if done else "Checked on the day, before the start."
    item = _given_daily("drug_check", title, "R-55", Stop.SOFT, "drug_not_checked", Place.START, words)
    return _done(item._replace(short="drug not checked"), facts, done=done >= people)
