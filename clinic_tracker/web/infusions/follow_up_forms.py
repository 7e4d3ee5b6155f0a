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
_SYMPTOMS = tuple((row.code, row.words, "Emergency care at once" if row.emergency else "") for row in SYMPTOMS)


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
    symptoms = CheckboxesField("Since the last infusion", choices=_SYMPTOMS, hint="Ask for each. Tick what is told.")
    advice = TextAreaField("Advice given", max_length=2000, hint="Needed if there is a symptom.")
    note = TextAreaField("Note for the neurologist", max_length=2000)

    @property
    def call(self) -> CallMade:
        """What the service takes."""
        return CallMade(
            contacted_at=self.contacted_at.data,
            channel=OutreachChannel(self.channel.data),
            reached=self.reached.data == "yes",
            symptoms=tuple(self.symptoms.data or ()),
            advice=self.advice.data,
            note=self.note.data,
        )


class CorrectCallForm(CallForm):
    """The same with a reason."""

    reason = TextAreaField("Reason of the correction", required="Give the reason", max_length=2000)
