"""Readiness: enrollment, certifications, authorization and its verification."""

from datetime import date, timedelta

from clinic_tracker.domain.baseline_facts import BaselineState, validity
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness_facts import AuthorizationFact, ReadinessFacts, Span
from clinic_tracker.domain.readiness_items import Group, Item, Place, State, Stop


def papers(facts: ReadinessFacts) -> list[Item]:
    """The papers that a day of a course rests on; where there is no REMS (E-01), the enrollment alone."""
    if not facts.rules.has_rems:
        return [_enrollment(facts)]
    return [_enrollment(facts), _facility(facts), _prescriber(facts), _authorization(facts), _verification(facts)]


def _enrollment(facts: ReadinessFacts) -> Item:
    """No dose before the patient is enrolled (R-11); what the nearest enrollment says."""
    in_rems = " in the REMS" if facts.rules.has_rems else ""
    met = Item(
        code="enrollment",
        group=Group.PAPERS,
        title="Enrollment",
        requirement="R-11",
        state=State.MET,
        weight=Stop.HARD,
        words=f"Enrolled{in_rems}.",
        short="not enrolled",
        breach="not_enrolled",
        clears="Record the enrollment with its signed forms.",
        permission=Permission.MANAGE_PATIENTS,
        place=Place.ENROLLMENT,
    )
    holding = _covering(facts.enrollments, facts.on)
    if holding is not None:
        words = f"Enrolled{in_rems} on {show_date(holding)}."
        return met._replace(words=words, evidence_on=holding, expires_on=_end(facts.enrollments, facts.on))
    later = min((span.from_on for span in facts.enrollments if span.from_on and span.from_on > facts.on), default=None)
    if later is not None:
        words = f"The infusion is before the enrollment on {show_date(later)}."
        return met._replace(
            state=State.TOO_SOON, words=words, evidence_on=later, breach="before_enrollment", short="not enrolled yet"
        )
    words = f"The patient is not enrolled{in_rems}: enroll before the infusion."
    return met._replace(state=State.MISSING, words=words)


def _facility(facts: ReadinessFacts) -> Item:
    """The facility is certified on every infusion date (R-03)."""
    holding, day = _covering(facts.facility, facts.on), show_date(facts.on)
    item = Item(
        code="facility",
        group=Group.PAPERS,
        title="Facility certified",
        requirement="R-03",
        state=State.MET,
        weight=Stop.SOFT,
        words=f"Certified on {show_date(holding)}." if holding else "",
        short="facility not certified",
        breach="facility_not_certified",
        clears="Record the facility's certification.",
        permission=Permission.MANAGE_CLINIC,
        place=Place.FACILITY,
        evidence_on=holding,
        expires_on=_end(facts.facility, facts.on),
    )
    if holding is not None:
        return item
    words = f"The healthcare facility is not certified in the REMS on {day}."
    return item._replace(state=_lapsed(facts.facility, facts), words=words, expires_on=_latest_end(facts.facility))


def _prescriber(facts: ReadinessFacts) -> Item:
    """The prescriber is certified (R-01)."""
    span = facts.prescriber
    item = Item(
        code="prescriber",
        group=Group.PAPERS,
        title="Prescriber certified",
        requirement="R-01",
        state=State.MET,
        weight=Stop.SOFT,
        words="",
        short="prescriber not certified",
        breach="prescriber_not_certified",
        clears="Record the prescriber's certification, or choose a certified prescriber.",
        permission=Permission.MANAGE_CLINIC,
        place=Place.PRESCRIBERS,
    )
    if span is None:
        return item._replace(
            state=State.MISSING,
            words="The course has no prescriber.",
            short="no prescriber",
            breach="no_prescriber",
            clears="Choose the prescriber of the course.",
            permission=Permission.RECORD_TREATMENT,
            place=Place.PLAN,
        )
    if span.covers(facts.on) and span.from_on is not None:
        words = f"Certified on {show_date(span.from_on)}."
        return item._replace(words=words, evidence_on=span.from_on, expires_on=span.to_on)
    words = f"The prescriber is not certified in the REMS on {show_date(facts.on)}."
    return item._replace(state=_lapsed((span,), facts), words=words, evidence_on=span.from_on, expires_on=span.to_on)


def _authorization(facts: ReadinessFacts) -> Item:
    """Every course is authorized within the window before its first day (R-14)."""
    item = Item(
        code="authorization",
        group=Group.PAPERS,
        title="Course authorized",
        requirement="R-14",
        state=State.MISSING,
        weight=Stop.HARD,
        words="Not authorized.",
        short="not authorized",
        breach="not_authorized",
        clears="The neurologist authorizes the course with its baseline set.",
        permission=Permission.AUTHORIZE_COURSES,
        place=Place.AUTHORIZE,
    )
    given = facts.authorization
    if given is None:
        return item
    item = item._replace(evidence_on=given.authorized_on)
    if given.authorized_on > facts.on:
        words = f"Not authorized on {show_date(facts.on)}: authorized on {show_date(given.authorized_on)}, after it."
        return item._replace(words=words)
    expires_on = authorization_ends(given, facts.rules.baseline.baseline_window_days)
    state = validity(expires_on, _judged_on(given, facts), facts.as_of)
    item = item._replace(state=state, expires_on=expires_on)
    if state is BaselineState.MET:
        late = ", after the first day of the course" if given.authorized_on > facts.start_on else ""
        return item._replace(words=f"Authorized on {show_date(given.authorized_on)}{late}.")
    lapses = "lapsed" if state is BaselineState.EXPIRED else "lapses before the start,"
    words = f"The authorization of {show_date(given.authorized_on)} {lapses} on {show_date(expires_on)}."
    return item._replace(words=words, short="authorization lapsed", breach="authorization_expired")


def _verification(facts: ReadinessFacts) -> Item:
    """The facility verifies the authorization before it infuses (R-16)."""
    given = facts.authorization
    item = Item(
        code="verification",
        group=Group.PAPERS,
        title="Authorization verified",
        requirement="R-16",
        state=State.MISSING,
        weight=Stop.SOFT,
        words="Nobody has verified the authorization with the REMS yet.",
        short="not verified",
        breach="not_verified",
        clears="Verify the authorization on the REMS site or by phone, and record it.",
        permission=Permission.RECORD_TREATMENT,
        place=Place.VERIFY,
    )
    if given is None:
        item = item._replace(words="There is no authorization to verify yet.", clears="Authorize the course first.")
        return item._replace(place=Place.AUTHORIZE, permission=Permission.AUTHORIZE_COURSES)
    if given.verified_on is None or given.verified_on > facts.on:
        return item
    words = f"Verified on {show_date(given.verified_on)}."
    return item._replace(state=State.MET, words=words, evidence_on=given.verified_on)


def authorization_ends(given: AuthorizationFact, window_days: int) -> date:
    """The last first day of a course that an authorization covers: the end of its window, or what it says itself."""
    window = given.authorized_on + timedelta(days=window_days)
    return min(window, given.expires_on) if given.expires_on is not None else window


def _judged_on(given: AuthorizationFact, facts: ReadinessFacts) -> date:
    """An authorization is judged for the first day; one given after it, for the day that it was given for."""
    return facts.start_on if given.authorized_on <= facts.start_on else facts.on


def _covering(spans: tuple[Span, ...], day: date) -> date | None:
    """The beginning of the latest span that covers a day."""
    return max((span.from_on for span in spans if span.from_on and span.covers(day)), default=None)


def _end(spans: tuple[Span, ...], day: date) -> date | None:
    """The last day that the spans which cover a day hold; None while one of them is open."""
    ends = [span.to_on for span in spans if span.covers(day)]
    dated = [end for end in ends if end is not None]
    return max(dated) if dated and len(dated) == len(ends) else None


def _latest_end(spans: tuple[Span, ...]) -> date | None:
    return max((span.to_on for span in spans if span.to_on is not None), default=None)


def _lapsed(spans: tuple[Span, ...], facts: ReadinessFacts) -> State:
    """Whether a certification ran out, will have run out by then, or was never there."""
    end = _latest_end(tuple(span for span in spans if span.from_on is not None and span.from_on <= facts.on))
    if end is None:
        return State.MISSING
    return State.EXPIRED if end < facts.as_of else State.EXPIRES_BEFORE_START
