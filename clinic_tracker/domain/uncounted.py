"""Facts that look as if they did an obligation and did not, with the reason: for whoever asks why it is still red."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.evidence import NO_EVIDENCE
from clinic_tracker.domain.facts import FormFact, LabFact, complete_panel_of
from clinic_tracker.domain.history import History
from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.domain.reckoning import say
from clinic_tracker.domain.requirement import EvidenceKind, Requirement
from clinic_tracker.domain.vocabulary import Panel, ResultStatus

_FAR_AWAY = 10**9


class Reason(StrEnum):
    """Why a fact does not do an obligation."""

    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    DOES_ANOTHER = "does_another"
    INCOMPLETE = "incomplete"
    PRELIMINARY = "preliminary"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"
    BEFORE_LAST_INFUSION = "before_last_infusion"


class Uncounted(NamedTuple):
    """One fact that does not count, and the reason as a sentence."""

    day: int
    reason: Reason
    sentence: str
    ref: int | None


_LACKS = {
    Panel.CBC_DIFF: "has no differential",
    Panel.URINALYSIS_CELLS: "has no cell counts",
}
_INVALID = {
    ResultStatus.PRELIMINARY: (Reason.PRELIMINARY, "is preliminary; it counts once the laboratory makes it final"),
    ResultStatus.CANCELLED: (Reason.CANCELLED, "was cancelled by the laboratory"),
    ResultStatus.ENTERED_IN_ERROR: (Reason.ENTERED_IN_ERROR, "was entered in error"),
}


def uncounted_facts(
    obligation: Obligation, requirement: Requirement, siblings: Sequence[Obligation], anchor: int, history: History
) -> tuple[Uncounted, ...]:
    """The facts since the occurrence before this one was due (or since ``anchor``) that did not do it, by date.

    ``siblings`` are all obligations of the requirement. Examinations have none: any of them does the open one.
    """
    if requirement.evidence_kind is EvidenceKind.EXAM:
        return ()
    if requirement.evidence_kind is EvidenceKind.FORM:
        return tuple(sorted(_submissions(obligation, requirement, siblings, history)))
    since = max((item.due for item in siblings if item.due < obligation.due), default=anchor)
    until = _until(obligation, requirement, history)
    found = _results(obligation, requirement, siblings, history)
    return tuple(sorted(item for item in found if since < item.day <= until))


def _until(obligation: Obligation, requirement: Requirement, history: History) -> int:
    """The day this slot was done, or else the next valid result: what came after that is no longer about this slot."""
    if obligation.done is not None:
        return obligation.done
    track = history.evidence.labs.get(requirement.evidence, NO_EVIDENCE)
    return next((day for day in track.days if day >= obligation.opens), _FAR_AWAY)


def _results(
    obligation: Obligation, requirement: Requirement, siblings: Sequence[Obligation], history: History
) -> Iterator[Uncounted]:
    done_by_day = {item.done: item for item in siblings if item.done is not None}
    for lab in history.labs:
        if complete_panel_of(lab.test) == requirement.evidence:
            lacks = _LACKS.get(Panel(requirement.evidence), "is incomplete")
            yield _told(lab, requirement, Reason.INCOMPLETE, lacks)
        elif lab.test != requirement.evidence:
            continue
        elif lab.status in _INVALID:
            yield _told(lab, requirement, *_INVALID[ResultStatus(lab.status)])
        elif lab.collected in done_by_day:
            other = done_by_day[lab.collected]
            if other != obligation:
                reason = f"counts for {other.slot}, due {say(other.due)}"
                yield _told(lab, requirement, Reason.DOES_ANOTHER, reason)
        elif lab.collected < obligation.opens:
            yield _told(lab, requirement, Reason.TOO_EARLY, f"came before {say(obligation.opens)}, too early to count")
        elif obligation.closes is not None and lab.collected > obligation.closes:
            yield _told(lab, requirement, Reason.TOO_LATE, f"came after {say(obligation.closes)}, too late")


def _told(lab: LabFact, requirement: Requirement, reason: Reason, words: str) -> Uncounted:
    return Uncounted(lab.collected, reason, f"{requirement.title} of {say(lab.collected)} {words}.", lab.ref)


def _submissions(
    obligation: Obligation, requirement: Requirement, siblings: Sequence[Obligation], history: History
) -> Iterator[Uncounted]:
    """Submissions from before this form could be submitted; any later one does it, or an earlier form owed."""
    before = [item for item in siblings if item.due < obligation.due and item.anchor == obligation.anchor]
    since = max((item.due for item in before), default=0)
    for form in history.evidence.forms.get(requirement.evidence, ()):
        if form.course not in (None, obligation.anchor) or not since < form.submitted < obligation.opens:
            continue
        reason, words = _why_not(form, obligation, siblings)
        yield Uncounted(form.submitted, reason, f"Submitted on {say(form.submitted)}: {words}.", form.ref)


def _why_not(form: FormFact, obligation: Obligation, siblings: Sequence[Obligation]) -> tuple[Reason, str]:
    if form.course is not None:
        return Reason.BEFORE_LAST_INFUSION, f"before the last infusion of the course on {say(obligation.opens)}"
    for other in siblings:
        if (other.done, other.ref) == (form.submitted, form.ref):
            return Reason.DOES_ANOTHER, f"it counts for {other.slot}, due {say(other.due)}"
    return Reason.TOO_EARLY, f"before it could be submitted on {say(obligation.opens)}"
