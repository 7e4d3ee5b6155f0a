"""Fields that choose from a list: select, radio buttons, checkboxes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from wtforms.validators import StopValidation

from clinic_tracker.web.fields import DescribedField, sentence_label


@dataclass(frozen=True)
class Option:
    """One thing to choose, with an explanation where the words are not enough."""

    value: str
    label: str
    hint: str = ""


OptionInput: TypeAlias = Option | str | tuple[Any, ...]


def as_choices(choices: Iterable[OptionInput]) -> list[Option]:
    """Options from words, (value, words), (value, words, hint) or ready-made ones."""
    return [_as_option(choice) for choice in choices]


def _as_option(choice: OptionInput) -> Option:
    if isinstance(choice, Option):
        return choice
    if isinstance(choice, str):
        return Option(choice, choice)
    value, label, *hint = choice
    return Option(str(value), str(label), str(hint[0] or "") if hint else "")


def enum_choices(kind: type[StrEnum], words: Mapping[str, str] | None = None) -> list[Option]:
    """One option a member, in order; words default to the value with spaces."""
    named = words or {}
    return [Option(m.value, named.get(m.value, m.value.replace("_", " ").capitalize())) for m in kind]


class _ChoiceMixin(DescribedField):
    required_verb = "Choose"
    multiple = False

    def __init__(self, *args: Any, choices: Iterable[OptionInput] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices

    @property
    def choices(self) -> list[Option]:
        """What may be chosen; may be set after the form is made."""
        return self._choices

    @choices.setter
    def choices(self, value: Iterable[OptionInput]) -> None:
        self._choices = as_choices(value)

    def is_chosen(self, choice: Option) -> bool:
        """Whether this choice is selected now."""
        return choice.value in self.data if self.multiple else choice.value == (self.data or "")

    def pre_validate(self, _form: Any) -> None:
        allowed = {choice.value for choice in self.choices}
        given = self.data if self.multiple else [self.data or ""]
        if any(value and value not in allowed for value in given):
            raise StopValidation(f"Choose {sentence_label(self.label.text)} from the list")


class SelectField(_ChoiceMixin):
    """One of a list; None when the empty choice is taken."""

    kind = "select"

    def process_data(self, value: Any) -> None:
        self.data = None if value in (None, "") else str(value)

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = str(valuelist[0]) if valuelist and str(valuelist[0]) else None


class RadioField(SelectField):
    """One of a few, all visible."""

    kind = "radio"

    @property
    def focus_id(self) -> str:
        """The first radio button."""
        return f"{self.id}-0"


class CheckboxesField(_ChoiceMixin):
    """Any of a few; a list of values."""

    kind = "checkboxes"
    multiple = True

    def process_data(self, value: Sequence[Any] | None) -> None:
        self.data = [str(item) for item in value or ()]

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = [str(item) for item in valuelist]

    @property
    def focus_id(self) -> str:
        """The first box."""
        return f"{self.id}-0"
