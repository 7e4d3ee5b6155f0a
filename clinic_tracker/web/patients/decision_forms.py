"""Forms of a prescriber's decisions about monitoring."""

from clinic_tracker.web.forms import CheckboxField, DateField, Form, SelectField, TextAreaField, VersionField

_REASON = "Kept with your name in the chart and in the reports."


class WaiveForm(Form):
    """Which requirement, for which days, and why."""

    requirement = SelectField("Requirement", choices=[], required="Choose the requirement")
    from_on = DateField("First day", required="Enter the first day", hint="Due dates from this day on are waived.")
    to_on = DateField("Last day", required="Enter the last day", hint="Up to and including this day.")
    reason = TextAreaField("Reason", required="Give the reason", max_length=2000, hint=_REASON)


class ExtendForm(Form):
    """The new end of monitoring, and why."""

    extended_to = DateField("New end of monitoring", required="Enter the new end of monitoring")
    reason = TextAreaField("Reason", required="Give the reason", max_length=2000, hint=_REASON)


class ProtocolForm(Form):
    """The protocol that the patient is monitored by from now on, and why."""

    protocol_id = SelectField("New protocol", choices=[], required="Choose the new protocol")
    reason = TextAreaField(
        "Reason",
        required="Give the reason",
        max_length=2000,
        hint="Kept with your name among the changes of the chart.",
    )
    version = VersionField()


class CloseForm(Form):
    """The sign-off: from that day on nothing is owed."""

    decided_on = DateField("Signed off on", required="Enter the day of the sign-off", not_future=True)
    reason = TextAreaField("Reason", required="Give the reason", max_length=2000, hint=_REASON)
    confirmed = CheckboxField("I close monitoring although it has not ended or items are owed")
