"""The examinations, screenings and vaccines of the baseline set."""

from datetime import date, timedelta

from clinic_tracker.domain.baseline_facts import (
    BaselineFacts,
    BaselineItem,
    BaselineSettings,
    BaselineState,
    ExamDone,
    VaccineDose,
    Weight,
    validity,
    validity_words,
)
from clinic_tracker.domain.local_time import add_months, show_date
from clinic_tracker.domain.vocabulary import ExamKind

VARICELLA_VACCINES = frozenset({"vzv", "varicella"})
_TO_DECIDE = frozenset({"positive", "indeterminate"})  # a tuberculosis screening that is no clearance


def dated_exam(facts: BaselineFacts, kind: ExamKind, title: str, requirement: str, months: int) -> BaselineItem:
    """An examination due before the first course and not older than so many months; a warning only (R-27, R-31)."""
    if facts.course_number > 1:
        return _not_applicable(kind, title, requirement, "Asked for before the first course.")
    done = _latest(facts, kind)
    if done is None:
        return BaselineItem(kind, title, requirement, BaselineState.MISSING, Weight.WARN, None, None, "Not on file.")
    expires_on = add_months(done.on, months)
    if kind is ExamKind.TB_SCREEN and done.outcome in _TO_DECIDE:
        words = f"Done on {show_date(done.on)}{_outcome(done)}: the neurologist decides what comes before the course."
        return BaselineItem(kind, title, requirement, BaselineState.TO_CONFIRM, Weight.WARN, done.on, expires_on, words)
    state = validity(expires_on, facts.start_on, facts.as_of)
    words = f"Done on {show_date(done.on)}{_outcome(done)}; {validity_words(state, expires_on)}"
    return BaselineItem(kind, title, requirement, state, Weight.WARN, done.on, expires_on, words)


def electrocardiogram(facts: BaselineFacts, settings: BaselineSettings) -> BaselineItem:
    """A baseline ECG before each course, in the window of the laboratory tests; a warning only (E-09)."""
    code, title, requirement, warn = ExamKind.ECG, "ECG", "E-09", Weight.WARN
    done = _latest(facts, code)
    if done is None:
        return BaselineItem(code, title, requirement, BaselineState.MISSING, warn, None, None, "Not on file.")
    expires_on = done.on + timedelta(days=settings.baseline_window_days)
    state = validity(expires_on, facts.start_on, facts.as_of)
    words = f"Done on {show_date(done.on)}{_outcome(done)}; {validity_words(state, expires_on)}"
    return BaselineItem(code, title, requirement, state, warn, done.on, expires_on, words)


def hiv(facts: BaselineFacts, settings: BaselineSettings) -> BaselineItem:
    """A negative HIV test before the first course, later one on file; positive is a contraindication (R-32).

    A positive one that came after the first day counts from its day on.
    """
    code, title, requirement, block = ExamKind.HIV_TEST, "HIV test", "R-32", Weight.BLOCK
    since = _latest(facts, code, facts.known_until)
    done = since if since is not None and since.outcome == "positive" else _latest(facts, code)
    if done is None:
        return BaselineItem(code, title, requirement, BaselineState.MISSING, block, None, None, "Not on file.")
    day = show_date(done.on)
    if done.outcome == "positive":
        words = f"Positive on {day}: HIV infection is a contraindication."
        return BaselineItem(code, title, requirement, BaselineState.CONTRAINDICATED, block, done.on, None, words)
    if done.outcome != "negative":
        words = f"The test of {day} does not count{_outcome(done)}: a negative result is needed."
        return BaselineItem(code, title, requirement, BaselineState.MISSING, block, done.on, None, words)
    if facts.course_number > 1:
        words = f"Negative on {day}."
        return BaselineItem(code, title, requirement, BaselineState.MET, block, done.on, None, words)
    expires_on = add_months(done.on, settings.hiv_valid_months)
    state = validity(expires_on, facts.start_on, facts.as_of)
    words = f"Negative on {day}; {validity_words(state, expires_on)}"
    return BaselineItem(code, title, requirement, state, block, done.on, expires_on, words)


def varicella_immunity(facts: BaselineFacts) -> BaselineItem:
    """History or vaccination, or else antibodies, before the first course (R-28)."""
    code, title, requirement, block = "vzv_immunity", "Varicella zoster immunity", "R-28", Weight.BLOCK
    if facts.course_number > 1:
        return _not_applicable(code, title, requirement, "Asked for before the first course.")
    history, antibodies = _latest(facts, ExamKind.VZV_HISTORY), _latest(facts, ExamKind.VZV_SEROLOGY)
    doses = [dose.given_on for dose in _doses(facts, facts.start_on, varicella=True)]
    grounds: tuple[date, str] | None = None
    if history and history.outcome == "positive":
        grounds = history.on, "History of chickenpox or shingles"
    elif doses:
        grounds = max(doses), "Vaccinated"
    elif antibodies:
        consider = ": consider vaccination" if antibodies.outcome in ("not_immune", "negative") else ""
        grounds = antibodies.on, f"Antibodies tested{_outcome(antibodies)}{consider}"
    if grounds is None:
        words = "No history, vaccination or antibody test on file."
        return BaselineItem(code, title, requirement, BaselineState.MISSING, block, None, None, words)
    words = f"{grounds[1]}, {show_date(grounds[0])}."
    return BaselineItem(code, title, requirement, BaselineState.MET, block, grounds[0], None, words)


def vaccines(facts: BaselineFacts, settings: BaselineSettings) -> list[BaselineItem]:
    """Vaccines are complete six weeks before a course: varicella blocks (R-28), any other warns (R-29).

    A dose between two days of a course keeps the next day waiting as long.
    """
    return [
        _vaccine_gap(facts, settings, "vzv_vaccine", "Varicella vaccine", "R-28", Weight.BLOCK, varicella=True),
        _vaccine_gap(facts, settings, "vaccines", "Other vaccines", "R-29", Weight.WARN, varicella=False),
    ]


def _vaccine_gap(
    facts: BaselineFacts,
    settings: BaselineSettings,
    code: str,
    title: str,
    requirement: str,
    weight: Weight,
    *,
    varicella: bool,
) -> BaselineItem:
    doses = _doses(facts, facts.known_until, varicella=varicella)
    if not doses:
        return _not_applicable(code, title, requirement, "None on file.")
    latest = max(dose.given_on for dose in doses)
    earliest = latest + timedelta(days=settings.vaccine_gap_days)
    judged_on = facts.start_on if latest <= facts.start_on else facts.known_until
    state = BaselineState.MET if judged_on >= earliest else BaselineState.TOO_SOON
    words = f"Last dose {show_date(latest)}; start not before {show_date(earliest)}."
    if latest > facts.start_on:
        words = f"A dose after the first day, on {show_date(latest)}; go on not before {show_date(earliest)}."
    return BaselineItem(code, title, requirement, state, weight, latest, None, words)


def hepatitis(facts: BaselineFacts, kind: ExamKind, title: str) -> BaselineItem:
    """Considered in patients at high risk before the first course (R-33)."""
    if facts.course_number > 1:
        return _not_applicable(kind, title, "R-33", "Asked for before the first course.")
    done = _latest(facts, kind)
    if done is None:
        words = "Not on file: consider it at high risk."
        return BaselineItem(kind, title, "R-33", BaselineState.MISSING, Weight.ADVISORY, None, None, words)
    words = f"Done on {show_date(done.on)}{_outcome(done)}."
    return BaselineItem(kind, title, "R-33", BaselineState.MET, Weight.ADVISORY, done.on, None, words)


def _not_applicable(code: str, title: str, requirement: str, words: str) -> BaselineItem:
    return BaselineItem(code, title, requirement, BaselineState.NOT_APPLICABLE, Weight.ADVISORY, None, None, words)


def _latest(facts: BaselineFacts, kind: ExamKind, until: date | None = None) -> ExamDone | None:
    """The latest examination of a kind up to the first day of the course, or to a later day; of several on a day the
    last listed.
    """
    done = [exam for exam in facts.exams if exam.kind == kind and exam.on <= (until or facts.start_on)]
    return max(reversed(done), key=lambda exam: exam.on, default=None)


def _doses(facts: BaselineFacts, until: date, *, varicella: bool) -> list[VaccineDose]:
    """The doses up to a day: those against varicella, or all others."""
    given = [dose for dose in facts.vaccines if dose.given_on <= until]
    return [dose for dose in given if (dose.vaccine.casefold() in VARICELLA_VACCINES) is varicella]


def _outcome(done: ExamDone) -> str:
    return f" ({done.outcome.replace('_', ' ')})" if done.outcome else ""
