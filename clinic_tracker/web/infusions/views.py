"""Pages of treatment: the suite, courses, authorization, the infusion day, prophylaxis."""

from clinic_tracker.web.infusions import (
    adverse_views,
    authorization_views,
    booking_views,
    check_views,
    course_views,
    day_views,
    entry_views,
    follow_up_views,
    pace_views,
    part_views,
    prophylaxis_views,
    reaction_views,
    readiness_views,
    schedule_views,
    suite_views,
    take_home_views,
)
from clinic_tracker.web.infusions.blueprint import blueprint

__all__ = [
    "adverse_views",
    "authorization_views",
    "blueprint",
    "booking_views",
    "check_views",
    "course_views",
    "day_views",
    "entry_views",
    "follow_up_views",
    "pace_views",
    "part_views",
    "prophylaxis_views",
    "reaction_views",
    "readiness_views",
    "schedule_views",
    "suite_views",
    "take_home_views",
]
