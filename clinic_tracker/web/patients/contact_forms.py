"""The form of one contact with a patient."""

from datetime import date
from typing import Any

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.vocabulary import OutreachChannel, OutreachOutcome
from clinic_tracker.queries.worklist_items import OwedItem
from clinic_tracker.web.filters import status_words
from clinic_tracker.web.forms import (
    CheckboxesField,
    DateField,
    Form,
    IdempotencyField,
    LocalDateTimeField,
    RadioField,
    TextAreaField,
)
from clinic_tracker.web.requirement_words import full_title

CHANNELS = [
    (OutreachChannel.PHONE, "Phone call"),
    (OutreachChannel.TEXT, "Text message"),
    (OutreachChannel.EMAIL, "E-mail or portal"),
    (OutreachChannel.LETTER, "Letter"),
    (OutreachChannel.IN_PERSON, "In person"),
    (OutreachChannel.OTHER_PERSON, "Through somebody else"),
]
OUTCOMES = [
    (OutreachOutcome.NO_ANSWER, "No answer"),
    (OutreachOutcome.LEFT_MESSAGE, "Left a message"),
    (OutreachOutcome.WILL_COME, "Will come on …"),
    (OutreachOutcome.TESTED_ELSEWHERE, "Was tested elsewhere"),
    (OutreachOutcome.WRONG_NUMBER, "Wrong number or address"),
    (OutreachOutcome.DECLINED, "Declined"),
    (OutreachOutcome.OTHER, "Something else (see note)"),
]
OUTCOME_WORDS = {choice[0]: choice[1].removesuffix(" on …") for choice in OUTCOMES}
CHANNEL_WORDS = dict(CHANNELS)


class ContactForm(Form):
    """A contact, what came of it, and until when the row may rest."""

    token = IdempotencyField()
    contacted_at = LocalDateTimeField("When", required="Enter when the contact was", not_future=True)
    channel = RadioField("How", choices=CHANNELS, required="Choose how you tried to reach the patient")
    outcome = RadioField(
        "What came of it",
        choices=OUTCOMES,
        required="Choose what came of the contact",
        hint="Whatever was said, the items stay owed until evidence comes in or a prescriber waives them.",
    )
    expected_on = DateField("Expected on", hint="The day the patient means to come. It does not move the due date.")
    requirements = CheckboxesField("About", choices=[])
    snooze_until = DateField(
        "Set the row aside until",
        hint="At most 30 days. The row stays on the list, with a mark, and stays overdue; the next contact ends it.",
    )
    note = TextAreaField("Note", max_length=2000)

    def offer(self, items: list[OwedItem], today: date, *, opened: bool) -> None:
        """Let the contact be about what is owed; about all of it unless something was unticked."""
        self.requirements.choices = [(item.requirement, _owed_words(item, today)) for item in items]
        if opened:
            self.requirements.data = [item.requirement for item in items]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        return {
            "channel": OutreachChannel(self.channel.data),
            "outcome": OutreachOutcome(self.outcome.data),
            "contacted_at": self.contacted_at.data,
            "requirements": self.requirements.data or [],
            "expected_on": self.expected_on.data,
            "snooze_until": self.snooze_until.data,
            "note": self.note.data,
            "form_token": self.token.data,
        }


def _owed_words(item: OwedItem, today: date) -> str:
    """The item with how late it is: "Creatinine, due 06-Jan-2026, 16 days overdue"."""
    if item.next_due_on is None:
        return full_title(item.requirement)
    days = abs((today - item.next_due_on).days)
    told = status_words(item.state(today).value, days)
    return f"{full_title(item.requirement)}, due {show_date(item.next_due_on)}, {told}"
