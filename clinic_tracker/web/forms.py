"""The base of every form: knows where and when it is filled in, lists its errors, and takes refused rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, cast

import wtforms
from flask import g, has_request_context, request
from werkzeug.datastructures import CombinedMultiDict
from wtforms.csrf.core import CSRFTokenField

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.web.date_fields import DateField, LocalDateTimeField, TimeField
from clinic_tracker.web.fields import (
    CheckboxField,
    DecimalField,
    EmailField,
    FileField,
    IdempotencyField,
    IntegerField,
    Local,
    PasswordField,
    Required,
    StringField,
    TextAreaField,
    VersionField,
)
from clinic_tracker.web.fields_choices import (
    CheckboxesField,
    Option,
    RadioField,
    SelectField,
    as_choices,
    enum_choices,
)

if TYPE_CHECKING:
    from wtforms import Form as FlaskForm
    from wtforms.meta import DefaultMeta
else:
    from flask_wtf import FlaskForm

    DefaultMeta = FlaskForm.Meta


P = ParamSpec("P")

EXPIRED = "This form had expired. Check it and send it again"


@dataclass(frozen=True)
class FormError:
    """One line of the error summary: the id of the input to go to, and the words."""

    target: str
    message: str


class _Meta(DefaultMeta):
    """An empty POST is still a POST: defaults must not stand in for what was not sent."""

    def wrap_formdata(self, form: Any, formdata: Any) -> Any:
        wrapped = super().wrap_formdata(form, formdata)
        automatic = formdata is not None and not hasattr(formdata, "getlist")
        if wrapped is None and automatic and has_request_context() and request.method == "POST":
            return CombinedMultiDict([request.form])
        return wrapped


class _LocalMixin:
    """Knowledge of the local date and time zone, for the date fields of a form."""

    scope: Local | None

    @property
    def local(self) -> Local:
        """The scope given to the form, or the one of the request."""
        found = self.scope if self.scope is not None else g.get("scope")
        if found is None:
            raise LookupError("A form with dates needs a scope")
        return cast("Local", found)


class Form(_LocalMixin, FlaskForm):
    """Base of every form. ``scope`` gives date fields their today and time zone."""

    Meta = _Meta

    def __init__(self, *args: Any, scope: Local | None = None, **kwargs: Any) -> None:
        self.scope = scope
        super().__init__(*args, **kwargs)

    if TYPE_CHECKING:

        def validate_on_submit(self) -> bool: ...

    @property
    def error_links(self) -> list[FormError]:
        """All errors in the order of the page, each with the id of its input."""
        summary = [FormError("form", str(message)) for message in self.form_errors]
        for field in self:
            if isinstance(field, CSRFTokenField) and field.errors:
                summary.append(FormError("form", EXPIRED))
            else:
                summary.extend(_errors_of(field))
        return summary

    @property
    def answers(self) -> dict[str, Any]:
        """What was filled in, by the names of the fields: for a service whose arguments are named alike."""
        return {field.short_name: field.data for field in self if not isinstance(field, CSRFTokenField)}

    def refuse(self, violation: RuleViolation) -> None:
        """Show a refused rule at its field, or above the form when it names none of ours."""
        if violation.field is not None and violation.field in self:
            field = self[violation.field]
            field.errors = [*field.errors, violation.message]
        else:
            self.form_errors.append(violation.message)


class SubForm(_LocalMixin, wtforms.Form):
    """A group of fields inside a form (``FormField(SubForm)``), or what an address asks for: no token of its own."""

    def __init__(self, *args: Any, scope: Local | None = None, **kwargs: Any) -> None:
        self.scope = scope
        super().__init__(*args, **kwargs)

    @property
    def error_links(self) -> list[FormError]:
        """All errors in the order of the page, each with the id of its input."""
        return [error for field in self for error in _errors_of(field)]


def accepted(form: Form, service: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> bool:
    """Whether the service took what a valid form holds; where a rule refused it, the form says why."""
    try:
        service(*args, **kwargs)
    except RuleViolation as violation:
        form.refuse(violation)
        return False
    return True


def status_of(form: Form) -> int:
    """HTTP status of a page with this form: 400 when it was refused."""
    return 400 if form.error_links else 200


def _errors_of(field: wtforms.Field) -> Iterator[FormError]:
    if isinstance(field, wtforms.FormField):
        for inner in field.form:
            yield from _errors_of(inner)
    elif isinstance(field, wtforms.FieldList):
        for entry in field.entries:
            yield from _errors_of(entry)
        yield from (FormError(field.id, message) for message in field.errors if isinstance(message, str))
    else:
        yield from (FormError(getattr(field, "focus_id", field.id), str(message)) for message in field.errors)


__all__ = [
    "CheckboxField",
    "CheckboxesField",
    "DateField",
    "DecimalField",
    "EmailField",
    "FileField",
    "Form",
    "FormError",
    "IdempotencyField",
    "IntegerField",
    "LocalDateTimeField",
    "Option",
    "PasswordField",
    "RadioField",
    "Required",
    "SelectField",
    "StringField",
    "SubForm",
    "TextAreaField",
    "TimeField",
    "VersionField",
    "accepted",
    "as_choices",
    "enum_choices",
    "status_of",
]
