"""Reactions to an infusion: the terms of the label, what makes one serious, and what is to be reported (R-80)."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple

from clinic_tracker.domain.calendar import add_business_days
from clinic_tracker.domain.vocabulary import ReactionEnding, ReactionGrade


class Term(NamedTuple):
    """A code that is stored, and its words."""

    code: str
    words: str


class TermGroup(NamedTuple):
    """Terms that are looked for together."""

    title: str
    terms: tuple[Term, ...]


# Infusion reactions of the label's sections 5.2, 5.3, 5.6 and 6.1, by where one looks for them.
SIGNS: tuple[TermGroup, ...] = (
    TermGroup(
        "Skin and general",
        (
            Term("rash", "Rash"),
            Term("urticaria", "Urticaria (hives)"),
            Term("pruritus", "Itching"),
            Term("flushing", "Flushing"),
            Term("pyrexia", "Fever"),
            Term("chills", "Chills"),
            Term("fatigue", "Fatigue"),
            Term("pain", "Pain in limbs or back"),
        ),
    ),
    TermGroup(
        "Head, nerves and stomach",
        (
            Term("headache", "Headache"),
            Term("dizziness", "Dizziness"),
            Term("insomnia", "Insomnia"),
            Term("dysgeusia", "Altered taste"),
            Term("nausea", "Nausea"),
            Term("vomiting", "Vomiting"),
            Term("dyspepsia", "Dyspepsia"),
        ),
    ),
    TermGroup(
        "Heart, circulation and breath",
        (
            Term("tachycardia", "Fast pulse"),
            Term("bradycardia", "Slow pulse"),
            Term("hypotension", "Low blood pressure"),
            Term("hypertension", "High blood pressure"),
            Term("syncope", "Fainting"),
            Term("chest_discomfort", "Chest discomfort"),
            Term("dyspnea", "Shortness of breath"),
            Term("bronchospasm", "Bronchospasm or wheezing"),
        ),
    ),
    TermGroup(
        "Emergencies",
        (
            Term("anaphylaxis", "Anaphylaxis"),
            Term("angioedema", "Swelling of face or throat"),
            Term("stroke_signs", "Signs of stroke: face, arm, speech"),
            Term("neck_pain", "Sudden neck pain or severe headache (arterial dissection)"),
            Term("myocardial_ischemia", "Myocardial ischemia or infarction"),
            Term("alveolar_hemorrhage", "Coughing blood (alveolar hemorrhage)"),
        ),
    ),
)
SERIOUSNESS: tuple[Term, ...] = (
    Term("death", "Death"),
    Term("life_threatening", "Life-threatening"),
    Term("hospitalization", "Hospital stay, new or longer"),
    Term("disability", "Lasting disability or damage"),
    Term("congenital_anomaly", "Congenital anomaly"),
    Term("medically_important", "Otherwise medically important"),
)
ACTIONS: tuple[Term, ...] = (
    Term("paused", "Infusion paused"),
    Term("slowed", "Infusion slowed"),
    Term("stopped", "Infusion stopped"),
    Term("drugs", "Drugs given"),
)
OPEN_ENDINGS = frozenset({ReactionEnding.NOT_RECOVERED, ReactionEnding.RECOVERING, ReactionEnding.UNKNOWN})
PAUSED, SLOWED, STOPPED = "paused", "slowed", "stopped"
_IMPLIED = {ReactionGrade.LIFE_THREATENING: "life_threatening", ReactionGrade.FATAL: "death"}
_WORDS = {
    term.code: term.words for terms in (*(group.terms for group in SIGNS), SERIOUSNESS, ACTIONS) for term in terms
}
SIGN_CODES = frozenset(term.code for group in SIGNS for term in group.terms)


def words_of(codes: Iterable[str]) -> tuple[str, ...]:
    """The words of stored codes; an unknown one as it is."""
    return tuple(_WORDS.get(code, code.replace("_", " ")) for code in codes)


def told(ticked: Iterable[str], text: str) -> str:
    """The signs of a reaction as one line: "Rash, itching; both forearms"."""
    first, *rest = words_of(ticked) or ("",)
    ticks = ", ".join([first, *(words[:1].lower() + words[1:] for words in rest)])
    return "; ".join(part for part in (ticks, text.strip()) if part)


def seriousness_of(grade: ReactionGrade, criteria: Collection[str]) -> tuple[str, ...]:
    """The criteria that make a reaction serious, in order; a life-threatening or fatal grade is one by itself."""
    met = {*criteria, _IMPLIED.get(grade, "")}
    return tuple(term.code for term in SERIOUSNESS if term.code in met)


def report_due_on(known_on: date, business_days: int, holidays: frozenset[int]) -> date:
    """The last day on which a serious reaction should be reported: business days after it was known (R-80, C)."""
    return date.fromordinal(add_business_days(known_on.toordinal(), business_days, holidays))
