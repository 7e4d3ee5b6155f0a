"""What several pages of patients share: the opened chart, the address of a chart, the prescribers to choose from."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for

from clinic_tracker.queries.patients import PatientHeader, patient_header
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import prescriber_choices
from clinic_tracker.web.access import current_scope
from clinic_tracker.web.navigation import link_to
from clinic_tracker.web.patients.banner import Banner, banner_of

Options = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OpenChart:
    """A chart that a page is about."""

    scope: Scope
    header: PatientHeader

    @property
    def banner(self) -> Banner:
        """The banner of the page."""
        return banner_of(self.scope, self.header)

    def render(self, template: str, tab: str, **values: Any) -> str:
        """The page with its banner and tabs."""
        return render_template(template, banner=self.banner, tab=tab, patient=self.header, **values)


def open_chart(patient: uuid.UUID) -> OpenChart:
    """The chart of a page; NotFound for a patient of another clinic."""
    scope = current_scope()
    return OpenChart(scope, patient_header(scope, patient))


def chart_url(patient: uuid.UUID) -> str:
    """Where a chart opens."""
    return link_to("patients.chart", patient=patient) or url_for("patients.details", patient=patient)


def prescriber_options(scope: Scope, empty: str = "Choose") -> Options:
    """The prescribers to choose from; one without a certification in force is marked so."""
    options = [("", empty)]
    for choice in prescriber_choices(scope):
        ends = choice.certification_ends_on
        certified = choice.certified_on is not None and (ends is None or ends >= scope.today)
        options.append((str(choice.public_id), choice.name if certified else f"{choice.name} (not certified)"))
    return options


def with_present(options: Options, prescriber: uuid.UUID | None, name: str | None) -> Options:
    """The options and the present prescriber, who may be inactive and thus not among them."""
    if prescriber is None or any(value == str(prescriber) for value, _words in options):
        return options
    return [*options, (str(prescriber), f"{name} (no longer active)")]
