"""Why an obligation stands as it does: the rule, its source, the reckoning, the window, what counted and what not."""

from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.calendar import to_date
from clinic_tracker.domain.evidence import NO_EVIDENCE
from clinic_tracker.domain.history import History
from clinic_tracker.domain.obligation import Obligation, Standing
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.reckoning import reckoning_of, say
from clinic_tracker.domain.requirement import Citation, EvidenceKind, Requirement
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.status import days_late, obligation_status
from clinic_tracker.domain.uncounted import Reason, uncounted_facts
from clinic_tracker.domain.vocabulary import ObligationStatus

__all__ = ["Explanation", "Reason", "UncountedFact", "explain_obligation", "explain_standing"]


@dataclass(frozen=True, slots=True)
class UncountedFact:
    """A fact that does not count, and why."""

    on: date
    reason: Reason
    sentence: str
    ref: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that somebody asking "why is this red?" needs, in words and dates."""

    requirement: str
    title: str
    slot: str
    rule: str
    citation: Citation  # source, url, grade, section, unconfirmed, local_convention
    settings: tuple[str, ...]  # names of the settings that moved a date
    anchor: str
    anchor_on: date
    reckoning: str
    window: str
    opens_on: date
    due_on: date
    closes_on: date | None
    status: ObligationStatus
    days_late: int | None
    verdict: str
    done_on: date | None
    evidence_ref: int | None
    uncounted: tuple[UncountedFact, ...]


def explain_standing(standing: Standing, history: History, protocol: Protocol, as_of: int) -> Explanation | None:
    """Why what is owed first of a requirement is owed; None when nothing is owed."""
    if standing.next_due is None:
        return None
    for obligation in forecast(history.known_on(as_of), protocol).obligations:
        same = (obligation.requirement, obligation.due) == (standing.requirement, standing.next_due)
        if same and obligation.is_left:
            return explain_obligation(obligation, history, protocol, as_of)
    return None


def explain_obligation(obligation: Obligation, history: History, protocol: Protocol, as_of: int) -> Explanation:
    """Why an obligation of this history stands as it does on a date. Facts dated later are left out."""
    known = history.known_on(as_of)
    requirement = protocol.requirement(obligation.requirement)
    siblings = [item for item in forecast(known, protocol).obligations if item.requirement == obligation.requirement]
    previous = next((item for item in siblings if item.occurrence == obligation.occurrence - 1), None)
    reckoning = reckoning_of(obligation, requirement, previous, known, protocol)
    return Explanation(
        requirement=requirement.code,
        title=requirement.title,
        slot=obligation.slot,
        rule=requirement.explanation,
        citation=requirement.citation,
        settings=tuple(period.setting for period in requirement.periods if period.setting is not None),
        anchor=reckoning.anchor,
        anchor_on=to_date(reckoning.anchor_day),
        reckoning=reckoning.sentence,
        window=_window(obligation, requirement),
        opens_on=to_date(obligation.opens),
        due_on=to_date(obligation.due),
        closes_on=_optional_date(obligation.closes),
        status=obligation_status(obligation, as_of),
        days_late=days_late(obligation, as_of),
        verdict=_verdict(obligation, requirement, known, as_of),
        done_on=_optional_date(obligation.done),
        evidence_ref=obligation.ref,
        uncounted=tuple(
            UncountedFact(to_date(item.day), item.reason, item.sentence, item.ref)
            for item in uncounted_facts(obligation, requirement, siblings, reckoning.anchor_day, known)
        ),
    )


def _window(obligation: Obligation, requirement: Requirement) -> str:
    if requirement.evidence_kind is EvidenceKind.EXAM:
        return f"Any examination after the one before counts; it is listed as due from {say(obligation.opens)}."
    what = "A draw" if requirement.evidence_kind is EvidenceKind.LAB else "A submission"
    if obligation.closes is None:
        return f"{what} from {say(obligation.opens)} on counts; it stays owed until then."
    return f"{what} from {say(obligation.opens)} to {say(obligation.closes)} counts."


def _verdict(obligation: Obligation, requirement: Requirement, history: History, as_of: int) -> str:
    """The status as a sentence."""
    status, late = obligation_status(obligation, as_of), days_late(obligation, as_of)
    if status is ObligationStatus.DONE:
        assert obligation.done is not None
        return f"Done on {say(obligation.done)}, {_days(late) + ' after the due date' if late else 'on time'}."
    if status is ObligationStatus.WAIVED:
        spans = [waiver for waiver in history.waivers if waiver.requirement == obligation.requirement]
        waiver = next(item for item in spans if item.from_day <= obligation.due <= item.to_day)
        return f"Waived by the prescriber from {say(waiver.from_day)} to {say(waiver.to_day)}."
    if status is ObligationStatus.UPCOMING:
        return f"Not yet due: it opens on {say(obligation.opens)}."
    nothing = "Nothing that counts is on file"
    if status is ObligationStatus.DUE:
        return f"Due by {say(obligation.due)}. {nothing} yet."
    if status is ObligationStatus.OVERDUE:
        return f"{_days(late)} overdue. {nothing} since {say(obligation.opens)}."
    assert obligation.closes is not None
    verdict = f"Missed. {nothing} from {say(obligation.opens)} to {say(obligation.closes)}."
    track = history.evidence.labs.get(requirement.evidence, NO_EVIDENCE)
    if history.closed_on is None and (track.latest is None or track.latest < obligation.due):
        owed = _days(as_of - obligation.due)
        verdict += f" Owed for {owed}, until there is a new result, a waiver or the prescriber's sign-off."
    return verdict


def _days(count: int | None) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _optional_date(day: int | None) -> date | None:
    return None if day is None else to_date(day)
