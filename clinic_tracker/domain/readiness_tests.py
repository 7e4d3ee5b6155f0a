"""Readiness: the baseline set, as judged for the first day, and the pregnancy test."""

from datetime import timedelta

from clinic_tracker.domain.baseline import BaselineItem, BaselineState, Weight, baseline
from clinic_tracker.domain.baseline_facts import ExamDone, validity, validity_words
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness_facts import ReadinessFacts
from clinic_tracker.domain.readiness_items import Group, Item, Place, State, Stop
from clinic_tracker.domain.vocabulary import ExamKind, Panel

BASELINE_PREFIX = "baseline_"
_LABS = frozenset(panel.value for panel in Panel)
_VACCINES = frozenset({"vzv_vaccine", "vaccines"})
_UNCONFIRMED = frozenset({ExamKind.ECG.value})  # E-09: graded R
_WEIGHTS = {Weight.BLOCK: Stop.SOFT, Weight.WARN: Stop.WARN, Weight.ADVISORY: Stop.ADVICE}
_STATE_WORDS = {
    State.MISSING: "missing",
    State.EXPIRED: "expired",
    State.EXPIRES_BEFORE_START: "expires before the start",
    State.TOO_SOON: "too recent",
    State.CONTRAINDICATED: "a contraindication",
    State.TO_CONFIRM: "to be decided",
}
_SHORT = {"tsh": "TSH", "cbc_diff": "CBC", "liver_panel": "liver tests", "hiv_test": "HIV test", "ecg": "ECG"}
_DAYS_PREGNANT = 280


def tests(facts: ReadinessFacts) -> list[Item]:
    """Every item of the baseline set that the protocol asks for (R-20 to R-33), and the pregnancy test (R-34)."""
    items = [_of_set(item) for item in baseline(facts.baseline, facts.rules.baseline).items]
    return [*items, _pregnancy_test(facts)] if facts.rules.asks_for("pregnancy_excluded") else items


def _of_set(item: BaselineItem) -> Item:
    """An item of the set; a contraindication (R-18) and a varicella vaccine too close (R-28) are hard stops."""
    never = item.state is BaselineState.CONTRAINDICATED or item.code == "vzv_vaccine"
    name = _SHORT.get(item.code, item.title[0].lower() + item.title[1:])
    return Item(
        code=item.code,
        group=Group.TESTS,
        title=item.title,
        requirement=item.requirement,
        state=item.state,
        weight=Stop.HARD if never else _WEIGHTS[item.weight],
        words=f"{item.title}: {item.words}" if item.is_unmet else item.words,
        short=f"{name} {_STATE_WORDS.get(item.state, '')}".strip(),
        breach=_breach(item),
        clears=_clears(item),
        permission=_who(item),
        place=_place(item),
        evidence_on=item.collected_on,
        expires_on=item.expires_on,
        unconfirmed=item.code in _UNCONFIRMED,
    )


def _breach(item: BaselineItem) -> str:
    """A contraindication has a code of its own: a reason why the test was missing explains none."""
    found = "_positive" if item.state is BaselineState.CONTRAINDICATED else ""
    return f"{BASELINE_PREFIX}{item.code}{found}"


def _clears(item: BaselineItem) -> str:
    return {
        BaselineState.CONTRAINDICATED: "A contraindication of the label: the neurologist decides what follows.",
        BaselineState.TOO_SOON: "Move the start of the course.",
        BaselineState.TO_CONFIRM: "The neurologist decides.",
        BaselineState.MISSING: "Enter the result.",
    }.get(item.state, "Repeat it and enter the result.")


def _who(item: BaselineItem) -> Permission:
    if item.state in {BaselineState.CONTRAINDICATED, BaselineState.TO_CONFIRM}:
        return Permission.AUTHORIZE_COURSES
    return Permission.RECORD_TREATMENT if item.state is BaselineState.TOO_SOON else Permission.RECORD_EVIDENCE


def _place(item: BaselineItem) -> Place:
    if item.state is BaselineState.TOO_SOON:
        return Place.PLAN
    return Place.RESULTS if item.code in _LABS else Place.EXAMS


def _pregnancy_test(facts: ReadinessFacts) -> Item:
    """A negative test within days before the first day, where pregnancy is possible; a positive one is a hard stop."""
    item = Item(
        code="pregnancy_test",
        group=Group.TESTS,
        title="Pregnancy test",
        requirement="R-34",
        state=State.MISSING,
        weight=Stop.WARN,
        words="Pregnancy test: not on file.",
        short="pregnancy test missing",
        breach="pregnancy_test_missing",
        clears="Test, and enter the result.",
        permission=Permission.RECORD_EVIDENCE,
        place=Place.EXAMS,
    )
    if not facts.may_be_pregnant:
        return item._replace(state=State.NOT_APPLICABLE, words="Pregnancy is not possible or not plausible.")
    done = [exam for exam in facts.exams if exam.kind is ExamKind.PREGNANCY_TEST and exam.on <= facts.on]
    if not done:
        return item
    latest = max(done, key=lambda exam: exam.on)
    item = item._replace(evidence_on=latest.on)
    if latest.outcome == "positive" and facts.on - latest.on < timedelta(days=_DAYS_PREGNANT):
        return item._replace(
            state=State.CONTRAINDICATED,
            weight=Stop.HARD,
            words=f"Pregnancy test: positive on {show_date(latest.on)}.",
            short="pregnancy test positive",
            breach="pregnancy",
            clears="The neurologist decides what follows; the pregnancy is reported.",
            permission=Permission.AUTHORIZE_COURSES,
        )
    return _dated(item, latest, facts)


def _dated(item: Item, latest: ExamDone, facts: ReadinessFacts) -> Item:
    """The test with how long it counts."""
    expires_on = latest.on + timedelta(days=facts.rules.pregnancy_test_days)
    state = validity(expires_on, facts.start_on, facts.as_of)
    words = f"Done on {show_date(latest.on)} ({latest.outcome}); {validity_words(state, expires_on)}"
    if state is State.MET:
        return item._replace(state=state, expires_on=expires_on, words=words)
    short = f"pregnancy test {_STATE_WORDS[state]}"
    return item._replace(state=state, expires_on=expires_on, words=f"Pregnancy test: {words}", short=short)
