"""Forms of the review: what was done about each finding, and the sign-off."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from wtforms.widgets import HiddenInput

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.vocabulary import FindingAction, Panel
from clinic_tracker.services.acknowledgements import Answer
from clinic_tracker.web.forms import DateField, Form, IdempotencyField, RadioField, SelectField, StringField
from clinic_tracker.web.labs.forms import PANELS

ACTION_WORDS: dict[FindingAction, str] = {
    FindingAction.REPEAT_ORDERED: "Repeat ordered",
    FindingAction.REFERRAL: "Referral",
    FindingAction.PATIENT_CALLED: "Patient called",
    FindingAction.TREATMENT: "Treatment",
    FindingAction.NO_ACTION: "No action",
}
_WORDS_HINT = "Always for a referral (to whom), a treatment (which) and no action (why)."
_DAY_HINT = "A repeat needs one; with any other answer it becomes a task for that day."
_CHOICES = tuple(ACTION_WORDS.items())


class DigestField(StringField):
    """Hidden: what the result looked like when the page was opened."""

    kind = "hidden"
    widget = HiddenInput()

    def _value(self) -> str:
        return str(self.data or "")


class AnswerForm(Form):
    """The sign-off of one result. ``answer_form_class`` adds four fields for each finding that waits for an answer."""

    note = StringField("Note", max_length=2000, width=30)
    seen = DigestField(max_length=40)
    token = IdempotencyField()
    rules: Sequence[str] = ()

    @property
    def given(self) -> list[Answer]:
        """What was answered; findings without a choice are left out."""
        return [answer for rule in self.rules if (answer := self._answer(rule)) is not None]

    def _answer(self, rule: str) -> Answer | None:
        action, day, panel, words = (self[f"{rule}_{part}"].data for part in ("action", "due_on", "panel", "words"))
        if not action:
            return None
        due_on: date | None = day
        return Answer(rule, FindingAction(action), words, due_on, Panel(panel) if panel else None)


def answer_form(
    catalog: LabCatalog, waiting: Mapping[str, Any], panel: str, digest: str, itself: str = "Nothing"
) -> AnswerForm:
    """The form for the findings that wait, by rule, of a report of that panel as it looks now.

    ``itself``: what is repeated where no panel is chosen, for an exam that belongs to none.
    """
    titles = tuple((known.value, panel_title(catalog, known)) for known in PANELS if known is not Panel.OTHER)
    chosen = panel if panel != Panel.OTHER.value else ""
    return _class(tuple(waiting), (("", itself), *titles), chosen)(seen=digest)


@lru_cache(maxsize=256)
def _class(rules: tuple[str, ...], panels: tuple[tuple[str, str], ...], panel: str) -> type[AnswerForm]:
    fields: dict[str, Any] = {"rules": rules}
    for rule in rules:
        fields |= {
            f"{rule}_action": RadioField("What was done", choices=_CHOICES),
            f"{rule}_due_on": DateField("By which day", not_past=True, hint=_DAY_HINT),
            f"{rule}_panel": SelectField("What is repeated", choices=list(panels), default=panel),
            f"{rule}_words": StringField("In words", max_length=2000, width=30, hint=_WORDS_HINT),
        }
    return type("ResultAnswerForm", (AnswerForm,), fields)
