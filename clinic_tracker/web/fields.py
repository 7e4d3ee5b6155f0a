"""The fields of every form: trimmed input, messages that name the field, nothing that raises."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import wtforms
from werkzeug.datastructures import FileStorage
from wtforms.validators import StopValidation
from wtforms.widgets import HiddenInput

from clinic_tracker.web.filters import plural

LONGEST_INTEGER, LONGEST_DECIMAL = 12, 24


class Local(Protocol):
    """What a form must know of where and when it is filled in; a Scope is one."""

    @property
    def now(self) -> datetime: ...
    @property
    def today(self) -> date: ...
    @property
    def time_zone(self) -> str: ...


def sentence_label(label: str) -> str:
    """The label as it reads inside a sentence: lower case unless it starts with an abbreviation."""
    first_word = label.split(" ", 1)[0]
    stays = first_word == "I" or (len(first_word) > 1 and not first_word[1:].islower())
    return label if stays else label[:1].lower() + label[1:]


class Required:
    """Refuses an empty field, with words that name it."""

    field_flags: Mapping[str, Any] = {}

    def __init__(self, message: str | None = None) -> None:
        self.message = message

    def __call__(self, _form: Any, field: "DescribedField") -> None:
        if field.is_blank:
            field.errors = []
            raise StopValidation(self.message or f"{field.required_verb} {sentence_label(field.label.text)}")


class OptionalValue:
    """Skips the other checks of a field left empty."""

    field_flags: Mapping[str, Any] = {}

    def __call__(self, _form: Any, field: "DescribedField") -> None:
        if field.is_blank:
            field.errors = []
            raise StopValidation


class DescribedField(wtforms.Field):
    """What all our fields share: a hint, a width, whether an answer is required, and how to render them (``kind``)."""

    kind = "text"
    required_verb = "Enter"

    def __init__(
        self,
        label: str | None = None,
        validators: Iterable[Any] | None = None,
        *,
        required: bool | str = False,
        hint: str = "",
        width: int | None = None,
        autocomplete: str | None = None,
        inputmode: str | None = None,
        unit: str | None = None,
        **kwargs: Any,
    ) -> None:
        first = Required(required if isinstance(required, str) else None) if required else OptionalValue()
        super().__init__(label, [first, *(validators or ())], description=hint, **kwargs)
        self.required = bool(required)
        self.width, self.unit = width, unit
        self.autocomplete, self.inputmode = autocomplete, inputmode

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed (or nothing is set, where no form was sent)."""
        if self.raw_data is None:
            return self.data in (None, "", [])
        return not any(str(value).strip() for value in self.raw_data)

    @property
    def focus_id(self) -> str:
        """The id of the first input, for the error summary."""
        return self.id

    @property
    def shown(self) -> str:
        """What stands in the input: as typed after a refused form, else the value."""
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)

    def too(self, what: str) -> str:
        """A message that starts with the label: ``too("must be 5 or less")``."""
        return f"{self.label.text} {what}"


class StringField(DescribedField):
    """Text, trimmed; empty is None unless ``keep_empty``."""

    widget: Any = wtforms.widgets.TextInput()
    trims = True

    def __init__(self, *args: Any, max_length: int = 200, keep_empty: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_length, self.keep_empty = max_length, keep_empty

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]) if valuelist else ""
        text = text.replace("\x00", "").replace("\r\n", "\n")
        if self.trims:
            text = text.strip()
        self.data = text if text or self.keep_empty else None

    def pre_validate(self, _form: Any) -> None:
        if self.data is not None and len(self.data) > self.max_length:
            raise StopValidation(self.too(f"must be {self.max_length} characters or fewer"))


class TextAreaField(StringField):
    """Several lines of text, trimmed."""

    kind = "textarea"
    widget = wtforms.widgets.TextArea()

    def __init__(self, *args: Any, max_length: int = 4000, **kwargs: Any) -> None:
        super().__init__(*args, max_length=max_length, **kwargs)


class EmailField(StringField):
    """An e-mail address; that it has the shape of one is all that is checked here."""

    kind = "email"

    def pre_validate(self, _form: Any) -> None:
        super().pre_validate(_form)
        local_part, at, host = (self.data or "").rpartition("@")
        if self.data and (not local_part or not at or "." not in host or " " in self.data):
            raise StopValidation("Enter an e-mail address in the form name@example.org")


class PasswordField(StringField):
    """A password: taken as typed, never shown again."""

    kind = "password"
    trims = False
    widget = wtforms.widgets.PasswordInput()

    def __init__(self, *args: Any, max_length: int = 1000, autocomplete: str = "current-password", **kw: Any) -> None:
        super().__init__(*args, max_length=max_length, autocomplete=autocomplete, **kw)

    @property
    def shown(self) -> str:
        """Nothing: a password is not sent back."""
        return ""


class _NumberField(DescribedField):
    kind = "number"
    widget = wtforms.widgets.TextInput()

    def __init__(self, *args: Any, minimum: Any = None, maximum: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.minimum, self.maximum = minimum, maximum

    def _refuse_outside(self) -> None:
        if self.data is None:
            return
        unit = f" {self.unit}" if self.unit else ""
        if self.minimum is not None and self.data < self.minimum:
            raise StopValidation(self.too(f"must be {self.minimum}{unit} or more"))
        if self.maximum is not None and self.data > self.maximum:
            raise StopValidation(self.too(f"must be {self.maximum}{unit} or less"))

    def pre_validate(self, _form: Any) -> None:
        if not self.process_errors:
            self._refuse_outside()


class IntegerField(_NumberField):
    """A whole number between ``minimum`` and ``maximum``."""

    def __init__(self, *args: Any, inputmode: str = "numeric", **kwargs: Any) -> None:
        super().__init__(*args, inputmode=inputmode, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip().replace(",", "") if valuelist else ""
        self.data = None
        if not text:
            return
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > LONGEST_INTEGER:
            raise ValueError(self.too("must be a whole number"))
        self.data = int(text)


class DecimalField(_NumberField):
    """A decimal number between ``minimum`` and ``maximum``, with at most ``places`` digits after the point."""

    def __init__(self, *args: Any, places: int | None = None, inputmode: str = "decimal", **kwargs: Any) -> None:
        super().__init__(*args, inputmode=inputmode, **kwargs)
        self.places = places

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data = None
        if not text:
            return
        if "," in text:
            raise ValueError(self.too("must be a number with a point for decimals, such as 4.5"))
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or len(text) > LONGEST_DECIMAL:
            raise ValueError(self.too("must be a number, such as 4.5"))
        exponent = number.as_tuple().exponent
        if self.places is not None and isinstance(exponent, int) and -exponent > self.places:
            raise ValueError(self.too(f"must have at most {plural(self.places, 'digit')} after the point"))
        self.data = number


class CheckboxField(DescribedField):
    """Yes or no. With ``required`` it must be ticked."""

    kind = "checkbox"

    def process_data(self, value: Any) -> None:
        self.data = bool(value)

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = any(str(value) not in {"", "0", "false", "off"} for value in valuelist)

    @property
    def is_blank(self) -> bool:
        """An empty box counts as no answer where one is required."""
        return not self.data

    required_verb = "Tick to confirm:"


class FileField(DescribedField):
    """An uploaded file, or None."""

    kind = "file"
    required_verb = "Choose"

    def process_formdata(self, valuelist: list[Any]) -> None:
        files = [item for item in valuelist if isinstance(item, FileStorage) and item.filename]
        self.data = files[0] if files else None

    @property
    def is_blank(self) -> bool:
        """No file was sent."""
        return self.data is None


class VersionField(wtforms.Field):
    """Hidden: the version of the row that the form was opened with (optimistic lock). -1 when it was tampered with."""

    kind = "hidden"
    widget = HiddenInput()

    def _value(self) -> str:
        return str(self.data or 0)

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]) if valuelist else ""
        self.data = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004


class IdempotencyField(wtforms.Field):
    """Hidden: a token new for each opened form, kept when it is shown again, so that a double submit is recognized."""

    kind = "hidden"
    widget = HiddenInput()
    LONGEST = 64

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", lambda: secrets.token_urlsafe(18))
        super().__init__(*args, **kwargs)

    def _value(self) -> str:
        return str(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        if text and len(text) <= self.LONGEST:
            self.data = text
