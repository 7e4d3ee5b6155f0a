"""The Contacts tab: every attempt to reach the patient, a new one, and withdrawing one entered in error."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import OutreachChannel, StandingState
from clinic_tracker.queries.chart import standings_of
from clinic_tracker.queries.outreach import Contact, patient_contacts
from clinic_tracker.queries.worklist_items import OwedItem
from clinic_tracker.services.outreach import record_contact as record
from clinic_tracker.services.outreach import withdraw_contact as withdraw
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.contact_forms import CHANNEL_WORDS, OUTCOME_WORDS, ContactForm
from clinic_tracker.web.patients.forms import ReasonForm
from clinic_tracker.web.patients.pages import OpenChart, open_chart
from clinic_tracker.web.requirement_words import short_title
from clinic_tracker.web.worklists.presenters import owed_tags

_OPEN = frozenset({StandingState.OVERDUE, StandingState.DUE})


@blueprint.get("/patients/<uuid:patient>/contacts")
@requires(Permission.VIEW_PATIENTS)
def contacts(patient: UUID) -> ResponseReturnValue:
    """Every contact with the patient, newest first, withdrawn ones too."""
    chart = open_chart(patient)
    return chart.render(
        "patients/contacts.html",
        "contacts",
        contacts=patient_contacts(chart.scope, chart.header.id),
        owed=owed_tags(_owed(chart), chart.scope.today),
        channels=CHANNEL_WORDS,
        outcomes=OUTCOME_WORDS,
        short_title=short_title,
        may=Permission,
    )


@blueprint.route("/patients/<uuid:patient>/contacts/new", methods=["GET", "POST"])
@requires(Permission.CONTACT_PATIENTS)
def record_contact(patient: UUID) -> ResponseReturnValue:
    """One contact about everything that is owed; afterwards back to the list it was opened from."""
    chart = open_chart(patient)
    owed, back = _owed(chart), _back_to(patient)
    form = ContactForm(scope=chart.scope, contacted_at=chart.scope.now, channel=OutreachChannel.PHONE.value)
    form.offer(owed, chart.scope.today, opened=request.method == "GET")
    if form.validate_on_submit() and accepted(form, record, chart.scope, patient, **form.values()):
        flash("Contact recorded. The items stay owed until evidence comes in.", "success")
        return redirect(back, code=303)
    earlier = patient_contacts(chart.scope, chart.header.id, most=3)
    page = chart.render(
        "patients/record_contact.html", "contacts", form=form, owed=owed, back=back, earlier=earlier,
        outcomes=OUTCOME_WORDS,
    )  # fmt: skip
    return page, status_of(form)


@blueprint.route("/patients/<uuid:patient>/contacts/<uuid:contact>/withdraw", methods=["GET", "POST"])
@requires(Permission.CONTACT_PATIENTS)
def withdraw_contact(patient: UUID, contact: UUID) -> ResponseReturnValue:
    """Mark a contact as entered in error, with the reason."""
    chart = open_chart(patient)
    found = _find(chart, contact)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(form, withdraw, chart.scope, patient, contact, form.reason.data):
        flash("Contact withdrawn. It stays in the history.", "success")
        return redirect(url_for(".contacts", patient=patient), code=303)
    page = chart.render("patients/withdraw_contact.html", "contacts", form=form, contact=found, outcomes=OUTCOME_WORDS)
    return page, status_of(form)


def _owed(chart: OpenChart) -> list[OwedItem]:
    today = chart.scope.today
    return [item for item in standings_of(chart.scope, chart.header.id) if item.state(today) in _OPEN]


def _find(chart: OpenChart, contact: UUID) -> Contact:
    for found in patient_contacts(chart.scope, chart.header.id):
        if found.public_id == contact:
            return found
    raise NotFound("outreach")


def _back_to(patient: UUID) -> str:
    """The list that the person came from, as the address says; only our own lists are gone back to."""
    wanted = request.args.get("next", "")
    lists = (url_for("worklists.index"), url_for("home.today"))
    return wanted if wanted.partition("?")[0] in lists else url_for(".contacts", patient=patient)
