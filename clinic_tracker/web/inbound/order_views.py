"""Panels on order: what was ordered and collected for a patient, and specimens that never came back."""

import uuid
from collections.abc import Callable

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.queries.inbound_candidates import candidates_of
from clinic_tracker.queries.inbound_origin import waiting_of
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_orders import back_within_days, nothing_back
from clinic_tracker.queries.patients import patient_header, patient_key
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.lab_orders import (
    Order,
    mark_collected,
    mark_pending,
    mark_rejected,
    record_orders,
    withdraw_order,
)
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.forms import Form, accepted, status_of
from clinic_tracker.web.inbound.blueprint import blueprint
from clinic_tracker.web.inbound.forms import DayForm, OrderForm, ReasonForm, RejectedForm
from clinic_tracker.web.inbound.order_words import ShownOrder, orders_by_patient, shown_order
from clinic_tracker.web.patients.banner import banner_of

FORMS: dict[str, tuple[type[Form], str, str]] = {
    "collected": (DayForm, "Specimen collected", "Collected: a result is expected."),
    "pending": (DayForm, "In work at the laboratory", "Noted: the laboratory has it."),
    "rejected": (RejectedForm, "Rejected by the laboratory", "Rejected: it has to be drawn again."),
    "withdraw": (ReasonForm, "Take the order back", "Order taken back."),
}


@blueprint.app_template_global()
def orders_of(patient: uuid.UUID) -> list[ShownOrder]:
    """What is on order for a patient."""
    scope: Scope = g.scope
    key = patient_key(scope, patient)
    return orders_by_patient(scope, [key]).get(key, []) if key is not None else []


@blueprint.app_template_global()
def unread_results_of(patient: uuid.UUID) -> list[uuid.UUID]:
    """The results of a patient that came and are not understood."""
    key = patient_key(g.scope, patient)
    return waiting_of(g.scope, key) if key is not None else []


@blueprint.app_template_global()
def lost_specimens() -> int:
    """How many specimens were collected some days ago and nothing came back."""
    return len(nothing_back(g.scope))


@blueprint.get("/results/no-result-back")
@requires(Permission.VIEW_PATIENTS)
def no_result_back() -> str:
    """Specimens collected some days ago of which nothing came back, the oldest first."""
    scope = current_scope()
    orders, catalog = nothing_back(scope), lab_catalog(scope)
    charts = candidates_of(scope, {row.patient_id for row in orders})
    shown_patients(list(charts))
    rows = [(shown_order(catalog, row, scope.today), charts[row.patient_id]) for row in orders]
    return render_template("inbound/no_result_back.html", rows=rows, days=back_within_days(scope))


@blueprint.get("/patients/<uuid:patient>/orders")
@requires(Permission.VIEW_PATIENTS)
def orders(patient: uuid.UUID) -> str:
    """What is on order for a patient."""
    scope = current_scope()
    header = patient_header(scope, patient)
    rows = orders_by_patient(scope, [header.id]).get(header.id, [])
    return render_template("inbound/orders.html", banner=banner_of(scope, header), tab="results", rows=rows)


@blueprint.route("/patients/<uuid:patient>/orders/new", methods=["GET", "POST"])
@requires(Permission.RECORD_EVIDENCE)
def new_order(patient: uuid.UUID) -> ResponseReturnValue:
    """Write down what was ordered, or drawn."""
    scope = current_scope()
    header = patient_header(scope, patient)
    form = OrderForm(scope=scope, ordered_on=scope.today)
    form.offer(lab_catalog(scope))
    if form.validate_on_submit() and accepted(form, _record, scope, patient, form):
        flash("Order noted. What is owed stays owed until the result is in.", "success")
        return redirect(url_for("inbound.orders", patient=patient), 303)
    values = {"banner": banner_of(scope, header), "tab": "results", "form": form}
    return render_template("inbound/new_order.html", **values), status_of(form)


@blueprint.route(
    "/patients/<uuid:patient>/orders/<uuid:order>/<any(collected, pending, rejected, withdraw):step>",
    methods=["GET", "POST"],
)
@requires(Permission.RECORD_EVIDENCE)
def order_step(patient: uuid.UUID, order: uuid.UUID, step: str) -> ResponseReturnValue:
    """Write down how far an order is, or take it back."""
    scope = current_scope()
    header = patient_header(scope, patient)
    rows = orders_by_patient(scope, [header.id]).get(header.id, [])
    row = next((one for one in rows if one.row.public_id == order), None)
    if row is None:
        flash("That order is no longer open.", "info")
        return redirect(url_for("inbound.orders", patient=patient), 303)
    kind, title, told = FORMS[step]
    form = kind(scope=scope, data={"on": scope.today})
    if form.validate_on_submit() and accepted(form, _service(step, form), scope, patient, order):
        flash(told, "success")
        return redirect(url_for("inbound.orders", patient=patient), 303)
    values = {"banner": banner_of(scope, header), "tab": "results", "form": form, "row": row, "title": title}
    return render_template("inbound/order_step.html", **values), status_of(form)


def _record(scope: Scope, patient: uuid.UUID, form: OrderForm) -> None:
    assert form.ordered_on.data is not None
    order = Order(
        tuple(Panel(panel) for panel in form.panels.data),
        form.ordered_on.data,
        form.collected_on.data,
        form.laboratory.data or None,
        form.note.data or None,
    )
    record_orders(scope, patient, order, form_token=form.token.data)


def _service(step: str, form: Form) -> Callable[[Scope, uuid.UUID, uuid.UUID], None]:
    """The service of a step with what was filled in."""
    given = form.answers
    services: dict[str, Callable[[Scope, uuid.UUID, uuid.UUID], None]] = {
        "collected": lambda scope, patient, order: mark_collected(scope, patient, order, given["on"]),
        "pending": lambda scope, patient, order: mark_pending(scope, patient, order, given["on"]),
        "rejected": lambda scope, patient, order: mark_rejected(scope, patient, order, given["on"], given["reason"]),
        "withdraw": lambda scope, patient, order: withdraw_order(scope, patient, order, reason=given["reason"]),
    }
    return services[step]
