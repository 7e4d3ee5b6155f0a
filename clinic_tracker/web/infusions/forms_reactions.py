"""Forms of reactions: seen and treated, corrected, ended; and of the times that change with them."""

from typing import Any

from clinic_tracker.domain import reactions
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import ReactionEnding, ReactionGrade
from clinic_tracker.services.reactions import ReactionEnd, ReactionSeen, Response
from clinic_tracker.web.forms import (
    CheckboxesField,
    Form,
    IdempotencyField,
    IntegerField,
    LocalDateTimeField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    enum_choices,
)
from clinic_tracker.web.infusions.forms import ReasonForm

ENDINGS: dict[str, str] = {
    ReactionEnding.RECOVERED_WITH_SEQUELAE: "Recovered, with lasting effects",
    ReactionEnding.NOT_RECOVERED: "Not recovered",
}
GRADES: dict[str, str] = {ReactionGrade.LIFE_THREATENING: "Life-threatening"}
SKIN, HEAD, HEART, URGENT = reactions.SIGNS


def _ending_choices() -> list[Any]:
    return [("", "Not known yet"), *((one.value, one.label) for one in enum_choices(ReactionEnding, ENDINGS))]


class EndingForm(Form):
    """How a reaction ended."""

    ending = SelectField("How did it end?", choices=_ending_choices())
    resolved_at = LocalDateTimeField("Ended at", not_future=True)
    outcome = TextAreaField("More about the outcome", max_length=500)

    @property
    def end(self) -> ReactionEnd:
        """What was stated."""
        ending = ReactionEnding(self.ending.data) if self.ending.data else None
        return ReactionEnd(ending=ending, resolved_at=self.resolved_at.data, outcome=self.outcome.data)


class ReactionFields(EndingForm):
    """A reaction during or after the infusion."""

    onset_at = LocalDateTimeField("Onset", required=True, not_future=True)
    ticked_skin = CheckboxesField(SKIN.title, choices=SKIN.terms)
    ticked_head = CheckboxesField(HEAD.title, choices=HEAD.terms)
    ticked_heart = CheckboxesField(HEART.title, choices=HEART.terms)
    ticked_urgent = CheckboxesField(URGENT.title, choices=URGENT.terms)
    signs = TextAreaField("Other signs, or more about them", max_length=2000)
    grade = RadioField("Severity", required=True, choices=enum_choices(ReactionGrade, GRADES))
    seriousness = CheckboxesField(
        "Serious because of",
        choices=reactions.SERIOUSNESS,
        hint="Any of these makes it a serious reaction: it is listed until its report was sent (R-80).",
    )
    actions = CheckboxesField("What was done", choices=reactions.ACTIONS)
    drugs = StringField("Drugs given", max_length=500, hint="Drug, dose and time.")
    more_done = TextAreaField("What else was done", max_length=2000)

    @property
    def ticks(self) -> tuple[CheckboxesField, ...]:
        """The checklist of signs, group by group."""
        return (self.ticked_skin, self.ticked_head, self.ticked_heart, self.ticked_urgent)

    @property
    def seen(self) -> ReactionSeen:
        """What was stated."""
        return ReactionSeen(
            onset_at=self.onset_at.data,
            grade=ReactionGrade(self.grade.data),
            ticked=tuple(code for field in self.ticks for code in field.data),
            signs=self.signs.data or "",
            seriousness=tuple(self.seriousness.data),
            actions=tuple(self.actions.data),
            action=self.more_done.data,
            drugs=self.drugs.data,
            end=self.end,
        )

    def refuse(self, violation: RuleViolation) -> None:
        """A missing sign concerns the checklist as a whole: its first group takes the message."""
        if violation.field == "ticked":
            self.ticked_skin.errors = [*self.ticked_skin.errors, violation.message]
        else:
            super().refuse(violation)


class ReactionForm(ReactionFields):
    """A new reaction, with what follows for the running infusion."""

    paused_at = LocalDateTimeField("Paused at", not_future=True, hint="Left empty: at the onset.")
    ends_at = LocalDateTimeField("Slowed: now expected to end at")
    observation_minutes = IntegerField(
        "Observe for", minimum=1, maximum=1440, unit="minutes in all", width=4, hint="From the end of the infusion."
    )
    token = IdempotencyField()

    @property
    def response(self) -> Response:
        """What follows for the infusion."""
        return Response(
            paused_at=self.paused_at.data,
            ends_at=self.ends_at.data,
            observation_minutes=self.observation_minutes.data,
        )


class CorrectReactionForm(ReactionFields):
    """A corrected reaction."""

    reason = TextAreaField("Reason of the correction", required="Give the reason of the correction", max_length=2000)


class PaceForm(ReasonForm):
    """A new expected end of a running infusion."""

    ends_at = LocalDateTimeField("Now expected to end at", required=True)


class ObservationForm(ReasonForm):
    """A longer observation: minutes in all, or until a time."""

    minutes = IntegerField("Minutes in all", minimum=1, maximum=1440, width=4, hint="From the end of the infusion.")
    until = LocalDateTimeField("Or until")
