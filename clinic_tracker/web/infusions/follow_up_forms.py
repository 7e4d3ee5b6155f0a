"""The form of a call after a course: what to ask for is what it lists."""

from clinic_tracker.domain.follow_up import SYMPTOMS
from clinic_tracker.domain.vocabulary import OutreachChannel
from clinic_tracker.services.follow_ups import CallMade
from clinic_tracker.web.forms import (
    CheckboxesField,
    Form,
    IdempotencyField,
    LocalDateTimeField,
    RadioField,
    TextAreaField,
)

CHANNELS = (
    (OutreachChannel.PHONE, "Phone call"),
    (OutreachChannel.TEXT, "Text message"),
    (OutreachChannel.EMAIL, "E-mail or portal"),
    (OutreachChannel.LETTER, "Letter"),
    (OutreachChannel.IN_PERSON, "In person"),
    (OutreachChannel.OTHER_PERSON, "Through somebody else"),
)
CHANNEL_WORDS = {str(channel): words for channel, words in CHANNELS}
_EMERGENCIES = tuple((row.code, row.words) for row in SYMPTOMS if row.emergency)
_OTHERS = tuple((row.code, row.words) for row in SYMPTOMS if not row.emergency)


class CallForm(Form):
    """Whether the patient was reached, what was told and what was advised."""

    token = IdempotencyField()
    contacted_at = LocalDateTimeField("When", required="Enter when the contact was", not_future=True)
    channel = RadioField("How", choices=CHANNELS, required="Choose how you tried to reach the patient")
    reached = RadioField(
        "Reached",
        choices=(("yes", "Yes, the patient was asked"), ("no", "Not reached")),
        required="Choose whether the patient was reached",
    )
    emergencies = CheckboxesField(
        "Since the last infusion: signs of an emergency",
        choices=_EMERGENCIES,
        hint="Ask for each. Any of them: emergency care at once, and tell the neurologist.",
    )
    symptoms = CheckboxesField("Since the last infusion: anything else", choices=_OTHERS)
    advice = TextAreaField("Advice given", max_length=2000, hint="Needed if there is a symptom.")
    note = TextAreaField("Note for the neurologist", max_length=2000)

    @property
    def call(self) -> CallMade:
        """What the service takes."""
        return CallMade(
            contacted_at=self.contacted_at.data,
            channel=OutreachChannel(self.channel.data),
            reached=self.reached.data == "yes",
            symptoms=(*(self.emergencies.data or ()), *(self.symptoms.data or ())),
            advice=self.advice.data,
            note=self.note.data,
        )


class CorrectCallForm(CallForm):
    """The same with a reason."""

    reason = TextAreaField("Reason of the correction", required="Give the reason", max_length=2000)
