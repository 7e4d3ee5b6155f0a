"""The record of a REMS form that was sent: dates, method, confirmation, and what the form said.

The questions are what the clinic keeps beside the official form; they are not its layout (no current form was seen).
"""

from functools import lru_cache
from typing import Any

from clinic_tracker.domain.course_forms.adverse_event import RECIPIENTS
from clinic_tracker.domain.course_forms.status_answers import CONDITIONS, LEFT_CARE
from clinic_tracker.domain.vocabulary import FormKind, FormMethod
from clinic_tracker.services.forms import COURSE_FORMS
from clinic_tracker.web.forms import (
    CheckboxesField,
    DateField,
    Form,
    IdempotencyField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)

METHOD_CHOICES = (
    (FormMethod.WEB, "REMS website"),
    (FormMethod.FAX, "Fax"),
    (FormMethod.PHONE, "Phone"),
    (FormMethod.MAIL, "Mail"),
)
YES_NO = (("yes", "Yes"), ("no", "No"))
ANSWER = "answer_"


class SubmissionForm(Form):
    """What is kept of every form. ``submission_form_class`` adds the course and the questions of a kind."""

    submitted_on = DateField("Sent on", required="Enter the date on which the form was sent", not_future=True)
    method = SelectField("Sent by", choices=METHOD_CHOICES, required="Choose how the form was sent")
    confirmation = StringField("Confirmation number", hint="Fax receipt or reference of the website.", max_length=120)
    completed_on = DateField("Completed on", not_future=True)
    signed_by = StringField("Signed by", max_length=120, width=20)
    note = TextAreaField("Note", max_length=2000)
    token = IdempotencyField()


class ReasonForm(Form):
    """Why something is taken back."""

    reason = TextAreaField("Reason", required="Give the reason", max_length=2000)


def submission_form_class(kind: FormKind, *, correcting: bool = False) -> type[SubmissionForm]:
    """The form for one kind of REMS form; for a correction it asks for the reason."""
    return _submission_form_class(kind, correcting)


@lru_cache
def _submission_form_class(kind: FormKind, correcting: bool) -> type[SubmissionForm]:  # noqa: FBT001
    fields: dict[str, Any] = {}
    if kind in COURSE_FORMS:
        fields["course"] = SelectField("Course", required="Choose the course that the form is about")
    if kind is FormKind.ADVERSE_EVENT_FORM:
        fields["reaction"] = SelectField("Reaction", hint="The reaction of the chart that the report is about, if any.")
    fields |= {f"{ANSWER}{name}": field for name, field in _questions(kind).items()}
    if correcting:
        fields["reason"] = TextAreaField("Reason of the correction", required="Give the reason", max_length=2000)
    return type("SubmissionForm", (SubmissionForm,), fields)


def _questions(kind: FormKind) -> dict[str, Any]:
    """What a form says beside its dates (data dictionary 2.8 to 2.10, unconfirmed)."""
    match kind:
        case FormKind.PATIENT_STATUS_FORM:
            return {
                "period_from": DateField("Reporting period from", not_future=True),
                "period_to": DateField("Reporting period to", not_future=True),
                "under_care": _yes_no("Still under the care of the prescriber"),
                "left_care": SelectField("If not: why", choices=(("", "Choose"), *LEFT_CARE.items())),
                "new_prescriber": StringField("If transferred: new prescriber", max_length=200, width=20),
                "monitored": _yes_no("Monitoring done as recommended"),
                "autoimmune": _yes_no("New autoimmune condition"),
                "conditions": CheckboxesField("If so: which", choices=CONDITIONS.items()),
                "condition_on": DateField("If so: found on", not_future=True),
                "reported": _yes_no("If so: reported to the REMS"),
                "malignancy": _yes_no("New malignancy"),
                "infusion_reaction": _yes_no("Infusion reaction"),
                "stroke": _yes_no("Stroke or arterial dissection"),
                "further_course": _yes_no("Further course intended"),
            }
        case FormKind.INFUSION_CHECKLIST:
            return {
                "days_given": IntegerField("Infusion days given", minimum=1, maximum=10),
                "as_planned": _yes_no("Course given as planned"),
                "reactions": _yes_no("Infusion reactions"),
                "unused_vials": IntegerField("Unused vials", minimum=0, maximum=20),
            }
        case FormKind.ADVERSE_EVENT_FORM:
            return {
                "event": StringField("Event", required="Enter the event", max_length=300, width=30),
                "onset_on": DateField("Onset", not_future=True),
                "sent_to": CheckboxesField("Sent to", choices=RECIPIENTS),
            }
        case _:
            return {}


def _yes_no(label: str) -> RadioField:
    return RadioField(label, choices=YES_NO)
