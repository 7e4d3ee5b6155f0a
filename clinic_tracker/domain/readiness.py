"""May this patient be infused on this day? One list of checks, and what stands in the way derived from it."""

from dataclasses import replace
from datetime import date

from clinic_tracker.domain.readiness_course import course_checks
from clinic_tracker.domain.readiness_day import check_answers, contraindication_titles, day_checks
from clinic_tracker.domain.readiness_facts import (
    MINIMUM_AGE,
    Answers,
    AuthorizationFact,
    DayFacts,
    ReadinessFacts,
    ReadinessRules,
    Span,
    first_days,
)
from clinic_tracker.domain.readiness_items import Group, Item, Move, Place, Readiness, State, Stop, compare
from clinic_tracker.domain.readiness_papers import papers
from clinic_tracker.domain.readiness_tests import BASELINE_PREFIX, tests

__all__ = [
    "BASELINE_PREFIX",
    "MINIMUM_AGE",
    "PLAN_CODES",
    "Answers",
    "AuthorizationFact",
    "DayFacts",
    "Group",
    "Item",
    "Move",
    "Place",
    "Readiness",
    "ReadinessFacts",
    "ReadinessRules",
    "Span",
    "State",
    "Stop",
    "check_answers",
    "compare",
    "contraindication_titles",
    "first_days",
    "is_of_course",
    "is_of_resumption",
    "is_readiness",
    "moved_to",
    "readiness",
]

# Judged when a course is planned, too.
PLAN_CODES = frozenset({"course_too_early", "too_young", "too_many_courses"})
# Needed anew when a course goes on after a long gap, beside the tests.
_NEEDED_ANEW = frozenset({"not_authorized", "authorization_expired", "not_verified"})
# Judged for the course as a whole: explained once, it is not asked again on the following days.
COURSE_CODES = frozenset(
    {
        "no_prescriber",
        "not_authorized",
        "authorization_expired",
        "not_verified",
        "course_too_early",
        "too_young",
        "too_many_courses",
    }
)
#: What is asked and done on the day, before the start: moving the infusion to another date changes nothing of it.
_OF_START = frozenset(
    {
        "infection_not_excluded",
        "contraindication_not_excluded",
        "pregnancy_not_excluded",
        "equipment_not_confirmed",
        "drug_not_checked",
    }
)
_CODES = _OF_START | frozenset(
    {
        "not_enrolled",
        "before_enrollment",
        "facility_not_certified",
        "no_prescriber",
        "prescriber_not_certified",
        "not_authorized",
        "authorization_expired",
        "not_verified",
        "too_many_courses",
        "pregnancy",
    }
)


def readiness(facts: ReadinessFacts) -> Readiness:
    """Every check that the protocol asks for before an infusion, as it stands for one day (1A to 1C, 1F).

    Tests and papers are judged for the first day of the course, so that moving the course judges them anew; what is
    confirmed on the day itself is open until it is recorded, and stops nothing before.
    """
    items = [*papers(facts), *course_checks(facts), *tests(facts), *day_checks(facts)]
    return Readiness(facts.on, facts.start_on, facts.day_number, tuple(items))


def moved_to(facts: ReadinessFacts, day: date) -> ReadinessFacts:
    """The same facts for another day; a course that has not begun is then planned to start on it."""
    return replace(facts, on=day) if facts.given else replace(facts, on=day, planned_start_on=day)


def is_of_course(code: str) -> bool:
    """Whether a deviation of this code concerns the course, so that its reason holds for every day of it."""
    return code.startswith(BASELINE_PREFIX) or code in COURSE_CODES


def is_of_resumption(code: str) -> bool:
    """Whether what it is about is needed anew when a course goes on after a long gap, so that a reason of before does
    not hold any more (decision 16).
    """
    return code.startswith(BASELINE_PREFIX) or code in _NEEDED_ANEW


def depends_on_date(code: str) -> bool:
    """Whether a deviation about readiness is another one, or none, on another date."""
    return is_readiness(code) and code not in _OF_START


def is_readiness(code: str) -> bool:
    """Whether a deviation of this code is about readiness, which is judged once, as it was before the start."""
    return code.startswith(BASELINE_PREFIX) or code in _CODES
