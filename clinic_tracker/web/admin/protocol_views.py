"""The protocol explained, and the settings that a clinic may choose itself."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.settings import protocol_in_force, setting_changes
from clinic_tracker.services.clinics import change_setting
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.admin.blueprint import blueprint
from clinic_tracker.web.admin.forms import SettingForm
from clinic_tracker.web.forms import status_of


@blueprint.get("/protocol")
@requires(Permission.VIEW_PATIENTS)
def protocol() -> ResponseReturnValue:
    """Every rule in words, with its source and how well it is supported."""
    scope = current_scope()
    wanted = request.args.get("protocol", scope.protocol_id)
    if wanted not in packaged_protocols():
        abort(404)
    return render_template(
        "admin/protocol.html",
        protocol=protocol_in_force(scope, wanted),
        protocols=packaged_protocols(),
        own=scope.protocol_id,
    )


@blueprint.get("/settings")
@requires(Permission.VIEW_ADMINISTRATION)
def settings() -> ResponseReturnValue:
    """The values in force, with their marks, and every change."""
    scope = current_scope()
    in_force = protocol_in_force(scope)
    return render_template(
        "admin/settings.html",
        editable=[setting for setting in in_force.settings.values() if setting.editable],
        fixed=[setting for setting in in_force.settings.values() if not setting.editable],
        packaged=packaged_protocols()[scope.protocol_id].settings,
        changes=setting_changes(scope),
        titles={name: setting.title for name, setting in in_force.settings.items()},
    )


@blueprint.route("/settings/<setting>", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def change(setting: str) -> ResponseReturnValue:
    """Choose the clinic's own value."""
    scope = current_scope()
    known = protocol_in_force(scope).settings.get(setting)
    if known is None or not known.editable:
        abort(404)
    form = SettingForm(value=known.value, effective_from=scope.today)
    form.describe(known)
    if form.validate_on_submit():
        try:
            change_setting(
                scope,
                name=setting,
                value=form.value.data,
                effective_from=form.effective_from.data,
                reason=form.reason.data,
            )
        except RuleViolation as violation:
            form.refuse(RuleViolation(violation.code, _field(violation, setting), violation.message))
        else:
            flash("Setting changed. Every schedule of the clinic follows it.", "success")
            return redirect(url_for("admin.settings"), 303)
    default = packaged_protocols()[scope.protocol_id].settings[setting].value
    return render_template("admin/change.html", form=form, setting=known, default=default), status_of(form)


def _field(violation: RuleViolation, name: str) -> str | None:
    """The engine names the setting; the form's field is called value."""
    return "value" if violation.field == name else violation.field
