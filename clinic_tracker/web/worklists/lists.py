"""The switch between the lists: the worklists and the follow-up tasks, as one row of tabs on all of their pages."""

from typing import Any

from flask import url_for

from clinic_tracker.queries.tasks import TaskCounts
from clinic_tracker.queries.worklist_filter import View, WorklistFilter
from clinic_tracker.web.worklists.address import address_of

VIEW_TITLES = {View.OVERDUE: "Overdue", View.DUE: "Due", View.OWED: "Owed now", View.ALL: "All items"}
#: Filters that the worklists and the list of tasks have in common.
IN_COMMON = ("mine", "prescriber")


def list_links(chosen: WorklistFilter, tasks: TaskCounts, patients: int | None = None) -> list[dict[str, Any]]:
    """The lists as links. ``patients`` is the length of the worklist that is shown; None on the list of tasks."""
    on_tasks = patients is None
    links = [
        {
            "text": title,
            "href": url_for("worklists.index", **address_of(chosen, view=view, band=None)),
            "current": not on_tasks and view is chosen.view,
            "count": patients if view is chosen.view else None,
        }
        for view, title in VIEW_TITLES.items()
    ]
    count = f"{tasks.open}, {tasks.overdue} late" if tasks.overdue else tasks.open
    return [*links, {"text": "Follow-up tasks", "href": tasks_href(chosen), "current": on_tasks, "count": count}]


def tasks_href(chosen: WorklistFilter, **values: Any) -> str:
    """The list of tasks under those filters of a worklist that it knows, too."""
    known = {name: value for name, value in address_of(chosen).items() if name in IN_COMMON}
    return url_for("tasks.index", **known, **values)
