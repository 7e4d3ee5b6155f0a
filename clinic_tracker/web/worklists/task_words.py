"""Follow-up tasks in the words of a worklist: in the row of their patient, and above the table for everybody else."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from flask import url_for

from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tasks import DueTask, TaskCounts, due_tasks, late_off_list
from clinic_tracker.queries.worklist_filter import WorklistFilter
from clinic_tracker.queries.worklist_pages import WorklistRow
from clinic_tracker.web.filters import plural
from clinic_tracker.web.worklists.lists import tasks_href

TASKS_IN_ROW = 2


class ShownTask(NamedTuple):
    """A task that is late or due soon. ``days_late`` is 0 while it is not late."""

    words: str
    due_on: date
    days_late: int


@dataclass(frozen=True, slots=True)
class RowTasks:
    """The first tasks of a patient, how many more there are, and where all of them are."""

    shown: tuple[ShownTask, ...]
    more: int
    href: str


def row_tasks(scope: Scope, rows: Collection[WorklistRow]) -> dict[int, RowTasks]:
    """The tasks of the patients of a page by patient, in one statement."""
    found: defaultdict[int, list[DueTask]] = defaultdict(list)
    for task in due_tasks(scope, [row.patient_id for row in rows]):
        found[task.patient_id].append(task)
    addresses = {row.patient_id: url_for("tasks.of_patient", patient=row.public_id) for row in rows}
    return {key: _told(tasks, addresses[key], scope.today) for key, tasks in found.items()}


def _told(tasks: list[DueTask], href: str, today: date) -> RowTasks:
    shown = [ShownTask(task.words, task.due_on, max(0, (today - task.due_on).days)) for task in tasks[:TASKS_IN_ROW]]
    return RowTasks(tuple(shown), len(tasks) - len(shown), href)


class OffList(NamedTuple):
    """Late tasks whose patients are on no row of a list: in words, and where they are."""

    words: str
    href: str


def off_list(scope: Scope, chosen: WorklistFilter, counts: TaskCounts) -> OffList | None:
    """Late tasks that somebody who works a list off would not meet on it; None where there is none."""
    count = late_off_list(scope, chosen) if counts.overdue else 0
    if not count:
        return None
    told = f"{count} of {plural(counts.overdue, 'late follow-up task')}"
    if count == counts.overdue:
        told = plural(count, "late follow-up task")
    whose = "belongs to a patient" if count == 1 else "belong to patients"
    return OffList(f"{told} {whose} not on this list.", tasks_href(chosen, view="overdue"))
