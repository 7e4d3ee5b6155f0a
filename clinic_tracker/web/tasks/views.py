"""Follow-up tasks: the list, its file, the tasks of a chart, and what becomes of one."""

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.exports.tables import csv_text
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.patients import patient_header
from clinic_tracker.queries.tasks import TaskCounts, TaskView, open_tasks, patient_task, patient_tasks, task_counts
from clinic_tracker.queries.treatment import prescriber_choices
from clinic_tracker.queries.worklist_filter import WorklistFilter
from clinic_tracker.services.exporting import note_export
from clinic_tracker.services.tasks import close_task, correct_task, reopen_task, withdraw_task
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.addresses import uuid_in
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.banner import banner_of
from clinic_tracker.web.tasks.forms import TaskForm, TaskReasonForm
from clinic_tracker.web.worklists.lists import list_links

blueprint = Blueprint("tasks", __name__)

COLUMNS = (
    "mrn", "family_name", "given_name", "birth_date", "prescriber", "action", "panel", "due_on", "words",
    "recorded_at", "recorded_by", "report_collected_on", "exam_kind", "exam_on",
)  # fmt: skip
VIEW_WORDS = {TaskView.OPEN: "All open", TaskView.OVERDUE: "Overdue", TaskView.DUE: "Due in 7 days"}


class Chosen(NamedTuple):
    """The filter of the list, as it stands in the address of the page."""

    view: TaskView
    mine: bool
    prescriber: uuid.UUID | None

    @property
    def narrowing(self) -> dict[str, Any]:
        """What the worklists can be narrowed down to, too."""
        return {"mine": self.mine, "prescriber": self.prescriber}

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of an address; what is as by default is left out."""
        view = self.view.value if self.view is not TaskView.OPEN else None
        values = {"view": view, "mine": "1" if self.mine else None, "prescriber": self.prescriber}
        return {name: str(value) for name, value in values.items() if value}


@blueprint.get("/tasks")
@requires(Permission.VIEW_PATIENTS)
def index() -> str:
    """Open tasks, the longest overdue first."""
    scope = current_scope()
    chosen = _chosen()
    rows, following = open_tasks(scope, chosen.view, **chosen.narrowing, after=uuid_in("after"))
    shown_patients([row.patient_id for row in rows])
    counts = task_counts(scope, **chosen.narrowing)
    return render_template(
        "tasks/index.html",
        rows=rows,
        lists=list_links(WorklistFilter(**chosen.narrowing), counts),
        bands=_bands(chosen, counts),
        counts=counts,
        chosen=chosen,
        prescribers=[("", "All prescribers"), *((one.public_id, one.name) for one in prescriber_choices(scope))],
        more=_address(chosen, after=following) if following else None,
        may=Permission,
    )


@blueprint.get("/tasks/export.csv")
@requires(Permission.EXPORT_DATA)
def export() -> ResponseReturnValue:
    """The whole list of the address as a file."""
    scope = current_scope()
    chosen = _chosen()
    rows, _ = open_tasks(scope, chosen.view, **chosen.narrowing, limit=None)
    shown_patients([row.patient_id for row in rows])
    note_export(scope, "tasks", {"rows": len(rows), **chosen.parameters})
    text = csv_text(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows))
    disposition = f'attachment; filename="{scope.clinic_slug}-tasks-{scope.today.isoformat()}.csv"'
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": disposition})


@blueprint.get("/patients/<uuid:patient>/tasks")
@requires(Permission.VIEW_PATIENTS)
def of_patient(patient: uuid.UUID) -> str:
    """Every task of a chart, also those that were done, corrected or withdrawn."""
    scope = current_scope()
    header = patient_header(scope, patient)
    rows = patient_tasks(scope, header.id)
    return render_template("tasks/of_patient.html", banner=banner_of(scope, header), tab="results", rows=rows)


@blueprint.route("/patients/<uuid:patient>/tasks/<uuid:task>/close", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def close(patient: uuid.UUID, task: uuid.UUID) -> ResponseReturnValue:
    """Say what became of a task that no result answers."""
    return _with_reason(patient, task, close_task, "Close task", "Task closed.")


@blueprint.route("/patients/<uuid:patient>/tasks/<uuid:task>/reopen", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def reopen(patient: uuid.UUID, task: uuid.UUID) -> ResponseReturnValue:
    """Take back that a task was closed."""
    return _with_reason(patient, task, reopen_task, "Open task again", "Task opened again.")


@blueprint.route("/patients/<uuid:patient>/tasks/<uuid:task>/withdraw", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def withdraw(patient: uuid.UUID, task: uuid.UUID) -> ResponseReturnValue:
    """Mark a task as entered in error."""
    return _with_reason(patient, task, withdraw_task, "Mark task as entered in error", "Marked as entered in error.")


@blueprint.route("/patients/<uuid:patient>/tasks/<uuid:task>/correct", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def correct(patient: uuid.UUID, task: uuid.UUID) -> ResponseReturnValue:
    """Change what is to be done, or by when, with the reason."""
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_task(scope, header.id, task)
    wanted = row.panel or row.exam_kind
    form = TaskForm(scope=scope, action=row.action, words=row.words, due_on=row.due_on, panel=wanted)
    form.offer(lab_catalog(scope))
    if form.validate_on_submit() and accepted(
        form, correct_task, scope, patient, task, form.details, reason=form.reason.data
    ):
        flash("Task changed.", "success")
        return redirect(url_for("tasks.of_patient", patient=patient), 303)
    page = render_template("tasks/correct.html", banner=banner_of(scope, header), tab="results", form=form, task=row)
    return page, status_of(form)


def _with_reason(
    patient: uuid.UUID, task: uuid.UUID, service: Callable[..., object], title: str, told: str
) -> ResponseReturnValue:
    scope = current_scope()
    header = patient_header(scope, patient)
    row = patient_task(scope, header.id, task)
    form = TaskReasonForm(scope=scope)
    if form.validate_on_submit() and accepted(form, service, scope, patient, task, reason=form.reason.data):
        flash(told, "success")
        return redirect(url_for("tasks.of_patient", patient=patient), 303)
    values = {"banner": banner_of(scope, header), "tab": "results", "form": form, "task": row, "title": title}
    return render_template("tasks/reason.html", **values), status_of(form)


def _chosen() -> Chosen:
    view = request.args.get("view", "")
    narrowing = request.args.get("mine") == "1", uuid_in("prescriber")
    return Chosen(TaskView(view) if view in set(TaskView) else TaskView.OPEN, *narrowing)


def _bands(chosen: Chosen, counts: TaskCounts) -> list[dict[str, Any]]:
    return [
        {
            "text": words,
            "href": _address(chosen._replace(view=view)),
            "current": view is chosen.view,
            "count": getattr(counts, view.value),
        }
        for view, words in VIEW_WORDS.items()
    ]


def _address(chosen: Chosen, **values: Any) -> str:
    return url_for("tasks.index", **chosen.parameters, **values)
