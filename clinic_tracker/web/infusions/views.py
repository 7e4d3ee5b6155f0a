"""Pages of treatment: the suite, courses, authorization, the infusion day, prophylaxis."""

from clinic_tracker.web.infusions import (
    adverse_views,
    authorization_views,
    check_views,
    course_views,
    day_views,
    entry_views,
    pace_views,
    part_views,
    prophylaxis_views,
    reaction_views,
    readiness_views,
    suite_views,
)
from clinic_tracker.web.infusions.blueprint import blueprint

__all__ = [
    "adverse_views",
    "authorization_views",
    "blueprint",
    "check_views",
    "course_views",
    "day_views",
    "entry_views",
    "pace_views",
    "part_views",
    "prophylaxis_views",
    "reaction_views",
    "readiness_views",
    "suite_views",
]
