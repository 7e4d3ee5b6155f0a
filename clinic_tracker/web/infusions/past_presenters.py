"""What the page for days after the fact starts with."""

from typing import Any

from clinic_tracker.queries.treatment import regimen_of, treatment_of
from clinic_tracker.queries.treatment_rows import CourseRow
from clinic_tracker.web.patients.pages import OpenChart


def past_values(chart: OpenChart, course: CourseRow) -> list[dict[str, Any]]:
    """One empty day for each day of the course that is not on record, with the lot of the last one given."""
    regimen = regimen_of(chart.scope, chart.header.protocol_id)
    given = treatment_of(chart.scope, chart.header.id).given(course.id)
    taken = {row.day_number for row in given}
    last = given[-1] if given else None
    common = {
        "dose_mg": regimen.dose_mg,
        "lot_number": last.lot_number if last is not None else None,
        "lot_expires_on": last.lot_expires_on if last is not None else None,
    }
    return [{"day_number": number, **common} for number in range(1, course.planned_days + 1) if number not in taken]
