"""Chairs booked for the days of a course, moved, given back."""

from datetime import datetime
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.chairs import BookingRow, find_booking
from clinic_tracker.queries.treatment import find_course
from clinic_tracker.services import bookings as services
from clinic_tracker.services.booking_moves import move_booking
from clinic_tracker.web.access import requires
from clinic_tracker.web.filters import plural
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.booking_presenters import (
    BookingDesk,
    booking_desk,
    has_later,
    is_first_of_plan,
    move_values,
    start_preview,
)
from clinic_tracker.web.infusions.forms import ReasonForm
from clinic_tracker.web.infusions.forms_booking import BookingForm, CancelDayForm, MoveForm
from clinic_tracker.web.infusions.readiness_presenters import Preview, lapsing_words
from clinic_tracker.web.patients.pages import OpenChart, open_chart

TAB = "courses"


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/chairs", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def book_chairs(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Book all days of a course at once; what is free, and what a first day means for the course, is said before."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    desk = booking_desk(chart.scope, row)
    form, only_look = _booking_form(chart, desk)
    preview = start_preview(chart, desk, [day.starts_at for day in form.wanted]) if desk.moves_start else None
    if not only_look and form.validate_on_submit():
        save = services.book_days
        if accepted(
            form, save, chart.scope, patient, course, form.plan, given=form.reasons, form_token=form.token.data
        ):
            flash(f"{plural(len(form.wanted), 'day')} booked.", "success")
            if form.start_too.data and (words := lapsing_words(preview)):
                flash(words, "warning")
            return _back(chart)
    page = {"course": row, "desk": desk, "lines": desk.lines(form), "preview": preview}
    return chart.render("infusions/book_chairs.html", TAB, form=form, **page), status_of(form)


@blueprint.route("/patients/<uuid:patient>/bookings/<uuid:booking>/move", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def move_booked_day(patient: UUID, booking: UUID) -> ResponseReturnValue:
    """Another time or chair for a booked day; with the first day the planned start may move, too."""
    chart = open_chart(patient)
    row = find_booking(chart.scope, chart.header.id, booking)
    course = find_course(chart.scope, chart.header.id, row.course)
    desk = booking_desk(chart.scope, course)
    form = MoveForm(scope=chart.scope, data=move_values(desk, row))
    form.offer(desk.chairs)
    if request.form.get("action") != "check" and form.validate_on_submit():
        words = {"reason": form.reason.data, "version": form.version.data, "given": form.reasons}
        preview = _preview_of_move(chart, desk, row, form)
        if accepted(form, move_booking, chart.scope, patient, booking, form.move, **words):
            flash("Moved.", "success")
            if form.start_too.data and (lapsing := lapsing_words(preview)):
                flash(lapsing, "warning")
            return _back(chart)
    page = _page_of_move(chart, desk, row, form)
    return chart.render("infusions/move_booking.html", TAB, form=form, row=row, **page), status_of(form)


@blueprint.route("/patients/<uuid:patient>/bookings/<uuid:booking>/cancel", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def cancel_booked_day(patient: UUID, booking: UUID) -> ResponseReturnValue:
    """Give back the chair of one day."""
    chart = open_chart(patient)
    row = find_booking(chart.scope, chart.header.id, booking)
    form = CancelDayForm(scope=chart.scope, data={"version": row.version})
    if form.validate_on_submit() and accepted(
        form,
        services.cancel_booking,
        chart.scope,
        patient,
        booking,
        reason=form.reason.data,
        version=form.version.data,
    ):
        flash("Day cancelled.", "success")
        return _back(chart)
    return chart.render("infusions/cancel_booking.html", TAB, form=form, row=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/chairs/cancel", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def cancel_booked_days(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Give back the chairs of all days of a course that were not given."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.cancel_days, chart.scope, patient, course, reason=form.reason.data
    ):
        flash("Days cancelled.", "success")
        return _back(chart)
    return chart.render("infusions/cancel_bookings.html", TAB, form=form, course=row), status_of(form)


def _back(chart: OpenChart) -> ResponseReturnValue:
    return redirect(url_for(".courses", patient=chart.header.public_id), code=303)


def _booking_form(chart: OpenChart, desk: BookingDesk) -> tuple[BookingForm, bool]:
    """The form as it was sent, or with days proposed anew; and whether it is only to be looked at."""
    form = BookingForm(scope=chart.scope, data=desk.start_values())
    form.offer(desk.chairs)
    action = request.form.get("action")
    if action == "propose" and form.can_propose:
        values = form.answers | {"days": desk.rows(form.first_on.data, form.at.data, form.chair.data)}
        form = BookingForm(None, scope=chart.scope, data=values)
        form.offer(desk.chairs)
    return form, action in {"propose", "check"}


def _page_of_move(chart: OpenChart, desk: BookingDesk, row: BookingRow, form: MoveForm) -> dict[str, object]:
    return {
        "line": desk.line_of_move(form, row) if request.method == "POST" else None,
        "preview": _preview_of_move(chart, desk, row, form),
        "is_first": is_first_of_plan(desk, row),
        "has_later": has_later(desk, row),
    }


def _preview_of_move(chart: OpenChart, desk: BookingDesk, row: BookingRow, form: MoveForm) -> Preview | None:
    """What lapses if the planned start moves along; None where it does not."""
    if not is_first_of_plan(desk, row) or not isinstance(form.starts_at.data, datetime):
        return None
    return start_preview(chart, desk, [form.starts_at.data])
