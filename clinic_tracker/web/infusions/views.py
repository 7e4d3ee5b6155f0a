"""Pages of treatment: the suite, courses, authorization, the infusion day, prophylaxis."""

from clinic_tracker.web.infusions import (
    authorization_views,
    course_views,
    day_views,
    entry_views,
    part_views,
    prophylaxis_views,
    suite_views,
)
from clinic_tracker.web.infusions.blueprint import blueprint

__all__ = [
    "authorization_views",
    "blueprint",
    "course_views",
    "day_views",
    "entry_views",
    "part_views",
    "prophylaxis_views",
    "suite_views",
]
