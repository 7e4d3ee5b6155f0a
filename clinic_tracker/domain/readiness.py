"""What stands in the way of an infusion on a date, what would clear it, and who can."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from clinic_tracker.domain.baseline import Baseline, BaselineItem, BaselineState, Weight, authorization_state
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note, Verdict, deviation, refuse
from clinic_tracker.domain.permissions import Permission

BASELINE_PREFIX = "baseline_"
_CODES = frozenset(
    {
        "not_enrolled",
        "before_enrollment",
        "facility_not_certified",
        "no_prescriber",
        "prescriber_not_certified",
        "not_authorized",
        "authorization_expired",
        "not_verified",
        "infection_not_excluded",
        "equipment_not_confirmed",
    }
)
# Judged for the course as a whole: explained once, it is not asked again on the following days.
COURSE_CODES = frozenset(
    {"no_prescriber", "not_authorized", "authorization_expired", "not_verified", "course_too_early", "too_young"}
)


class Span(NamedTuple):
    """A certification: from a date on, to a date or open."""

    from_on: date | None
    to_on: date | None

    def covers(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.from_on is not None and self.from_on <= day and (self.to_on is None or day <= self.to_on)


class AuthorizationFact(NamedTuple):
    """The authorization of a course that stands."""

    authorized_on: date
    expires_on: date | None
    verified_on: date | None


@dataclass(frozen=True, slots=True)
class ReadinessFacts:
    """All that readiness depends on. ``start_on`` is the first day of the course, ``on`` the day of this infusion."""

    on: date
    start_on: date
    enrolled_on: date | None
    facility: tuple[Span, ...]
    prescriber: Span | None
    authorization: AuthorizationFact | None
    baseline: Baseline
    window_days: int


class Blocker(NamedTuple):
    """One thing that is missing. ``hard`` stops a live start; anything else may be recorded with a reason."""

    code: str
    title: str
    words: str
    clears: str
    permission: Permission
    requirement: str
    hard: bool = False
    by_prescriber: bool = False

    @property
    def note(self) -> Note:
        """The same as a note of a verdict."""
        if self.hard:
            return refuse(self.code, None, self.words, self.requirement)
        return deviation(self.code, None, self.words, self.requirement, by_prescriber=self.by_prescriber)


def blockers(facts: ReadinessFacts) -> tuple[Blocker, ...]:
    """Everything that stands in the way, hard stops first; empty when the infusion may start."""
    found = [
        *_enrollment(facts),
        *_facility(facts),
        *_prescriber(facts),
        *_authorization(facts),
        *(_of_item(item) for item in facts.baseline.unmet if item.weight is Weight.BLOCK),
    ]
    return tuple(sorted(found, key=lambda blocker: not blocker.hard))


def _enrollment(facts: ReadinessFacts) -> list[Blocker]:
    """No dose before the patient is enrolled (R-11)."""
    clears = "Record the enrollment with its signed forms."
    permission = Permission.MANAGE_PATIENTS
    if facts.enrolled_on is None:
        words = "The patient is not enrolled in the REMS: enroll before the infusion."
        return [Blocker("not_enrolled", "Not enrolled", words, clears, permission, "R-11", hard=True)]
    if facts.on < facts.enrolled_on:
        words = f"The infusion is before the enrollment on {show_date(facts.enrolled_on)}."
        return [Blocker("before_enrollment", "Not enrolled yet", words, clears, permission, "R-11", hard=True)]
    return []


def _facility(facts: ReadinessFacts) -> list[Blocker]:
    """The facility is certified on every infusion date (R-03)."""
    if any(span.covers(facts.on) for span in facts.facility):
        return []
    words = f"The healthcare facility is not certified in the REMS on {show_date(facts.on)}."
    clears = "Record the facility's certification."
    return [Blocker("facility_not_certified", "Facility", words, clears, Permission.MANAGE_CLINIC, "R-03")]


def _prescriber(facts: ReadinessFacts) -> list[Blocker]:
    """The prescriber is certified (R-01)."""
    if facts.prescriber is None:
        words = "The course has no prescriber."
        clears = "Choose the prescriber of the course."
        return [Blocker("no_prescriber", "Prescriber", words, clears, Permission.RECORD_TREATMENT, "R-01")]
    if facts.prescriber.covers(facts.on):
        return []
    words = f"The prescriber is not certified in the REMS on {show_date(facts.on)}."
    clears = "Record the prescriber's certification, or choose a certified prescriber."
    return [Blocker("prescriber_not_certified", "Prescriber", words, clears, Permission.MANAGE_CLINIC, "R-01")]


def _authorization(facts: ReadinessFacts) -> list[Blocker]:
    """Every course is authorized within the baseline window, and the facility verifies it (R-14, R-16)."""
    given, start = facts.authorization, facts.start_on
    state = authorization_state(given.authorized_on if given else None, start, start, facts.window_days)
    clears = "The neurologist authorizes the course with its baseline set."
    authorize = Permission.AUTHORIZE_COURSES
    if given is None or state.state is not BaselineState.MET:
        code = "not_authorized" if given is None else "authorization_expired"
        return [Blocker(code, "Authorization", state.words, clears, authorize, "R-14")]
    if given.expires_on is not None and given.expires_on < facts.start_on:
        words = f"The authorization of {show_date(given.authorized_on)} lapsed on {show_date(given.expires_on)}."
        return [Blocker("authorization_expired", "Authorization", words, clears, authorize, "R-14")]
    if given.verified_on is None:
        words = "Nobody has verified the authorization with the REMS yet."
        clears = "Verify the authorization on the REMS site or by phone, and record it."
        return [Blocker("not_verified", "Verification", words, clears, Permission.RECORD_TREATMENT, "R-16")]
    return []


def _of_item(item: BaselineItem) -> Blocker:
    """An unmet item of the baseline set; a contraindication is a hard stop (R-18)."""
    hard = item.state is BaselineState.CONTRAINDICATED
    clears = {
        BaselineState.CONTRAINDICATED: "A contraindication of the label: the neurologist decides what follows.",
        BaselineState.TOO_SOON: "Move the start of the course, or let the neurologist decide.",
    }.get(item.state, "Enter the result; collect it again where it has lapsed.")
    permission = Permission.AUTHORIZE_COURSES if hard else Permission.RECORD_EVIDENCE
    decided = item.state is BaselineState.TOO_SOON
    code = BASELINE_PREFIX + item.code
    return Blocker(code, item.title, f"{item.title}: {item.words}", clears, permission, item.requirement, hard, decided)


def check_before_start(*, infection_excluded: bool | None, equipment_ready: bool | None) -> Verdict:
    """What the nurse confirms before each live start: no active infection (R-18), emergency equipment ready (R-04)."""
    notes: list[Note] = []
    if not infection_excluded:
        message = (
            "That there is no active infection today was not confirmed; an active infection is a contraindication."
        )
        notes.append(deviation("infection_not_excluded", "infection_excluded", message, "R-18", by_prescriber=True))
    if not equipment_ready:
        message = "That equipment and trained personnel for infusion reactions are at hand was not confirmed."
        notes.append(deviation("equipment_not_confirmed", "equipment_ready", message, "R-04"))
    return Verdict(tuple(notes))


def is_of_course(code: str) -> bool:
    """Whether a deviation of this code concerns the course, so that its reason holds for every day of it."""
    return code.startswith(BASELINE_PREFIX) or code in COURSE_CODES


def is_readiness(code: str) -> bool:
    """Whether a deviation of this code is about readiness, which is judged once, as it was before the start."""
    return code.startswith(BASELINE_PREFIX) or code in _CODES
