"""What raises a finding: every rule with its words, source and threshold, and the clinic's own thresholds."""

from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.panels import FindingRule, LabCatalog
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.thresholds import NOT_COMPUTED, threshold_unit
from clinic_tracker.queries.lab_catalog import catalogs_by_date, lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.queries.thresholds import ThresholdChange, threshold_changes
from clinic_tracker.services.thresholds import change_threshold
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.admin.blueprint import blueprint
from clinic_tracker.web.filters import plural
from clinic_tracker.web.forms import DateField, DecimalField, Form, TextAreaField, accepted, status_of

CD4_MINIMUM = "hsv_cd4_min"


class ThresholdForm(Form):
    """The clinic's own threshold of a rule."""

    value = DecimalField("Threshold", required="Enter the threshold", width=4, places=2)
    effective_from = DateField(
        "For specimens collected from", required="Enter the day", hint="A day in the past judges those results anew."
    )
    reason = TextAreaField(
        "Reason", required="Enter the reason", max_length=2000, hint="Who decided it, and where it is written."
    )


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule as the page shows it: what it looks at, what it says today, and where it comes from."""

    rule: FindingRule
    about: str
    words: str
    unit: str
    packaged: float | None


@blueprint.get("/thresholds")
@requires(Permission.VIEW_PATIENTS)
def thresholds() -> ResponseReturnValue:
    """Every rule that raises a finding, with the threshold in force today."""
    scope = current_scope()
    lines = _lines(scope)
    settings = protocol_in_force(scope).settings
    return render_template(
        "admin/thresholds.html",
        chosen=[line for line in lines if line.rule.editable],
        fixed=[line for line in lines if not line.rule.editable],
        official=settings.get(CD4_MINIMUM),
        not_computed=NOT_COMPUTED,
        changes=list(reversed(threshold_changes(scope))),
        titles={line.rule.code: f"{line.about}: {line.words}" for line in lines},
    )


@blueprint.route("/thresholds/<code>", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def threshold(code: str) -> ResponseReturnValue:
    """Choose the clinic's own threshold."""
    scope = current_scope()
    line = next((line for line in _lines(scope) if line.rule.code == code and line.rule.editable), None)
    if line is None:
        abort(404)
    form = ThresholdForm(value=line.rule.threshold, effective_from=scope.today)
    form.value.description = f"{line.unit}, from {line.rule.least:g} to {line.rule.most:g}"
    if form.validate_on_submit() and (told := _changed(scope, form, code)) is not None:
        flash(told, "success")
        return redirect(url_for("admin.thresholds"), 303)
    dated: list[ThresholdChange] = [change for change in threshold_changes(scope) if change.rule == code]
    return render_template("admin/threshold.html", form=form, line=line, dated=dated), status_of(form)


def _changed(scope: Scope, form: ThresholdForm, code: str) -> str | None:
    """Change it, and say what came of it; None where a rule refused it, and the form says why."""
    counted: list[int] = []

    def change() -> None:
        value, day = float(form.value.data), form.effective_from.data
        counted.append(change_threshold(scope, rule=code, value=value, effective_from=day, reason=form.reason.data))

    if not accepted(form, change):
        return None
    return f"Threshold changed. The findings of {plural(counted[0], 'result')} changed with it."


def _lines(scope: Scope) -> list[RuleLine]:
    packaged, today = lab_catalog(scope), catalogs_by_date(scope)(scope.today)
    return [_line(packaged, rule, before.threshold) for rule, before in zip(today.rules, packaged.rules, strict=True)]


def _line(catalog: LabCatalog, rule: FindingRule, packaged: float | None) -> RuleLine:
    codes = rule.analytes or tuple(dict.fromkeys(_needed(catalog, rule)))
    words = rule.words if rule.threshold is None else rule.words.replace("{threshold}", f"{rule.threshold:g}")
    about = ", ".join(catalog.analyte(code).title for code in codes)
    return RuleLine(rule, about, words, threshold_unit(catalog, rule), packaged)


def _needed(catalog: LabCatalog, rule: FindingRule) -> list[str]:
    """What the rules look at that a combined one puts together."""
    codes = {code for group in rule.needs for code in group}
    return [analyte for other in catalog.rules if other.code in codes for analyte in other.analytes]
