"""Forms of what comes from laboratories."""

from typing import Any

from werkzeug.datastructures import FileStorage

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.services.inbound_sources import LONGEST_NAME
from clinic_tracker.web.forms import (
    CheckboxesField,
    CheckboxField,
    DateField,
    FileField,
    Form,
    IdempotencyField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from clinic_tracker.web.labs.forms import PANELS

KIND_WORDS = {
    InboundKind.HL7: "HL7 v2 messages",
    InboundKind.FHIR: "FHIR R4 resources",
    InboundKind.TABLE: "Tables: CSV or XLSX",
}


class FilesField(FileField):
    """Uploaded files; a list."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = [item for item in valuelist if isinstance(item, FileStorage) and item.filename] or None


class SourceForm(Form):
    """A laboratory or file that results come from."""

    name = StringField(
        "Name", required="Enter the name", max_length=LONGEST_NAME, width=20, hint="The laboratory or the interface."
    )
    kind = RadioField("What it sends", required="Choose what it sends", choices=list(KIND_WORDS.items()))


class RenameSourceForm(Form):
    """Another name."""

    name = StringField("Name", required="Enter the name", max_length=LONGEST_NAME, width=20)


class TokenForm(Form):
    """A token for the system of a laboratory."""

    name = StringField(
        "Name", required="Enter a name", max_length=LONGEST_NAME, width=20, hint="The system that will use it."
    )
    expires_on = DateField("Good through", not_past=True, hint="Leave empty: until it is revoked.")


class UploadForm(Form):
    """Files of one source."""

    source = SelectField("From", required="Choose the source")
    files = FilesField("Files", required="Choose at least one file")


class ReasonForm(Form):
    """Why."""

    reason = TextAreaField("Reason", required="Give the reason", max_length=2000)


class MatchForm(Form):
    """Whether the numbers of the laboratory are remembered for the chart."""

    learn = CheckboxField("Remember the number that the laboratory gave this patient")


class SearchForm(Form):
    """A search for a chart."""

    query = StringField("Search another patient", max_length=100, width=20, hint="Name, MRN, REMS ID or birth date")


class CodeForm(Form):
    """What a code or a unit means here."""

    target = SelectField("It means", required="Choose what it means")


class OrderForm(Form):
    """Panels that were ordered."""

    panels = CheckboxesField("Panels", required="Choose at least one panel")
    ordered_on = DateField("Ordered on", required="Enter the day of the order", not_future=True)
    collected_on = DateField("Collected on", not_future=True, hint="Leave empty while nothing was drawn.")
    laboratory = StringField("Laboratory", max_length=80, width=20)
    note = StringField("Note", max_length=2000, width=30)
    token = IdempotencyField()

    def offer(self, catalog: LabCatalog) -> None:
        """The panels to choose from."""
        self.panels.choices = [(panel, panel_title(catalog, panel)) for panel in PANELS]


class DayForm(Form):
    """The day on which something became of an order."""

    on = DateField("Day", required="Enter the day", not_future=True)


class RejectedForm(DayForm):
    """The day, and why the laboratory refused the specimen."""

    reason = TextAreaField("Reason", required="Give the reason of the laboratory", max_length=2000)
