"""The words of the tab "Courses and infusions"."""

from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.dosing import Regimen, next_infusion
from clinic_tracker.domain.prophylaxis import Cd4, ProphylaxisRule, StopAnswer, explain_stop
from clinic_tracker.domain.vocabulary import CourseState
from clinic_tracker.queries.treatment import Treatment
from clinic_tracker.queries.treatment_rows import (
    AuthorizationRow,
    CourseRow,
    DeviationRow,
    InfusionRow,
    ProphylaxisRow,
)

STATE_TONES = {
    CourseState.PLANNED: "grey",
    CourseState.IN_PROGRESS: "accent",
    CourseState.COMPLETED: "green",
    CourseState.DISCONTINUED: "amber",
}


@dataclass(frozen=True, slots=True)
class CourseCard:
    """One course as the page shows it."""

    row: CourseRow
    state: CourseState
    given: int
    infusions: tuple[InfusionRow, ...]
    authorization: AuthorizationRow | None
    past_authorizations: tuple[AuthorizationRow, ...]
    deviations: tuple[DeviationRow, ...]
    next_day: int | None
    next_on: date | None

    @property
    def authorization_lapses(self) -> bool:
        """Whether the authorization does not reach the planned first day."""
        expires_on = self.authorization.expires_on if self.authorization is not None else None
        planned_on = self.row.planned_start_on
        return not self.given and expires_on is not None and planned_on is not None and expires_on < planned_on

    @property
    def title(self) -> str:
        """Course 2."""
        return f"Course {self.row.number}"

    @property
    def state_words(self) -> str:
        """Where it stands: "3 of 5 days given"."""
        if self.state is CourseState.IN_PROGRESS:
            return f"{self.given} of {self.row.planned_days} days given"
        if self.state is CourseState.DISCONTINUED and self.given:
            return f"Ended after {self.given} of {self.row.planned_days} days"
        return self.state.value.replace("_", " ").capitalize()

    @property
    def tone(self) -> str:
        """The color of the state."""
        return STATE_TONES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether days are still to be given."""
        return self.state in {CourseState.PLANNED, CourseState.IN_PROGRESS}

    @property
    def corrections(self) -> tuple[InfusionRow, ...]:
        """What was corrected or entered in error."""
        return tuple(row for row in self.infusions if not row.stands)

    @property
    def standing(self) -> tuple[InfusionRow, ...]:
        """The infusions that stand."""
        return tuple(row for row in self.infusions if row.stands)


@dataclass(frozen=True, slots=True)
class ProphylaxisCard:
    """The antivirals, and when the present one may stop."""

    rows: tuple[ProphylaxisRow, ...]
    past: tuple[ProphylaxisRow, ...]
    running: ProphylaxisRow | None
    answer: StopAnswer | None


def course_cards(treatment: Treatment, regimen: Regimen) -> list[CourseCard]:
    """The courses, the latest first."""
    return [_card(treatment, course, regimen) for course in reversed(treatment.courses)]


def prophylaxis_card(
    treatment: Treatment, rule: ProphylaxisRule | None, cd4s: tuple[Cd4, ...], today: date
) -> ProphylaxisCard:
    """The antivirals of a patient with the answer to "may it stop?"."""
    running = next((row for row in treatment.prophylaxis if row.stands and row.stopped_on is None), None)
    answer = explain_stop(rule, cd4s, today) if rule is not None and running is not None else None
    standing = tuple(row for row in reversed(treatment.prophylaxis) if row.stands)
    past = tuple(row for row in treatment.prophylaxis if not row.stands)
    return ProphylaxisCard(standing, past, running, answer)


def other_deviations(treatment: Treatment) -> tuple[DeviationRow, ...]:
    """Departures that belong to no course."""
    return tuple(row for row in treatment.deviations if row.course_id is None)


def _card(treatment: Treatment, course: CourseRow, regimen: Regimen) -> CourseCard:
    given = treatment.given(course.id)
    following = next_infusion(course.number, treatment.days, regimen)
    own = tuple(row for row in treatment.infusions if row.course_id == course.id)
    return CourseCard(
        row=course,
        state=treatment.state(course),
        given=len(given),
        infusions=tuple(sorted(own, key=lambda row: (row.day_number, row.infused_on, row.id))),
        authorization=treatment.authorization(course.id),
        past_authorizations=tuple(
            row for row in treatment.authorizations if row.course_id == course.id and not row.stands
        ),
        deviations=tuple(row for row in treatment.deviations if row.course_id == course.id),
        next_day=following.day_number if following is not None else None,
        next_on=following.earliest_on if following is not None and given else course.planned_start_on,
    )
