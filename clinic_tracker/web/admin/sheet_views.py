"""The first load of a clinic from its spreadsheet: the empty one to download, a check, and the load with its report."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.exports.clinic_sheet import clinic_sheet
from clinic_tracker.integrations.clinic_sheet import SheetReport, import_sheet
from clinic_tracker.integrations.tables import TableError
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.admin.blueprint import blueprint
from clinic_tracker.web.forms import FileField, Form, RadioField, status_of

MOST_BYTES = 8 * 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetForm(Form):
    """The filled-in spreadsheet, and whether it is only checked."""

    file = FileField("Filled-in spreadsheet", required="Choose the file")
    task = RadioField(
        "What to do",
        required="Choose what to do",
        choices=[
            ("check", "Check it", "Nothing is recorded; every cell that is wrong is listed."),
            ("load", "Load it", "Patients without a wrong cell are recorded, each one whole."),
        ],
    )


@blueprint.route("/clinic-sheet", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC, Permission.MANAGE_PATIENTS)
def load_clinic_sheet() -> ResponseReturnValue:
    """Check or load the spreadsheet; the report is on the same page, since loading again changes nothing."""
    form = SheetForm(data={"task": "check"})
    report = _report(current_scope(), form) if form.validate_on_submit() else None
    return render_template("admin/clinic_sheet.html", form=form, report=report), status_of(form)


@blueprint.get("/clinic-sheet/empty")
@requires(Permission.MANAGE_CLINIC, Permission.MANAGE_PATIENTS)
def empty_clinic_sheet() -> Response:
    """The empty spreadsheet."""
    headers = {"Content-Disposition": 'attachment; filename="clinic-sheet.xlsx"'}
    return Response(clinic_sheet(), mimetype=XLSX, headers=headers)


def _report(scope: Scope, form: SheetForm) -> SheetReport | None:
    raw = form.file.data.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        form.file.errors = [f"The file is larger than {MOST_BYTES // 1024**2} MB: send it in parts"]
        return None
    try:
        return import_sheet(scope, raw, dry_run=form.task.data != "load")
    except TableError as error:
        form.file.errors = [str(error)]
        return None
