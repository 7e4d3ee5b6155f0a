"""REMS forms that were sent late or are still owed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from clinic_tracker.domain.compliance import Outcome
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports import obligations
from clinic_tracker.queries.reports.asked import GRACE, PERSON, SIGN_OFF, TWO_TIMES
from clinic_tracker.queries.scope import Scope

_SHOW, _LATE, _OWED, _ALL = "show", "late", "owed", "all"
_FORM, _ANY = "form", "any"

_FORMS = {
    one.code: one.title
    for protocol in packaged_protocols().values()
    for one in protocol.requirements
    if one.evidence_kind is EvidenceKind.FORM
}

DEFINITION = Definition(
    name="forms",
    title="REMS forms",
    question="Which status forms and infusion checklists were sent late, or are still owed?",
    columns=(
        *PERSON,
        Column("form", "Form", Kind.CODE, "The form."),
        Column("slot", "Which", Kind.CODE, "PSF and its number, or C and the number of the course."),
        Column("due", "Due", Kind.DATE, "The last day to send it.", Privacy.DATED),
        Column("sent", "Sent", Kind.DATE, "When it was sent, by the date asked about.", Privacy.DATED),
        Column("outcome", "Outcome", Kind.CODE, "on_time (within the grace), late, owed or waived."),
        Column(
            "days_late",
            "Days late",
            Kind.COUNT,
            "Days from the last day to the sending, or to the date asked about.",
            Privacy.DATED,
        ),
    ),
    takes=frozenset({Takes.PERIOD, Takes.AS_OF, Takes.KNOWN_AT, Takes.PRESCRIBER, Takes.PATIENT}),
    choices=(
        Choice(
            _SHOW,
            "Show",
            {_LATE: "Sent after the due date, or owed", _OWED: "Still owed", _ALL: "Every form that fell due"},
            _LATE,
        ),
        Choice(_FORM, "Form", {_ANY: "Any", **_FORMS}, _ANY),
    ),
    notes=(
        "Period: by the due date. A form that is still owed is listed however long ago it fell due.",
        "Every day after the due date is late here; on time and late are told by the grace.",
        (
            "How often the status form is due, and within how many business days the checklist, is not confirmed (R, "
            "settings psf_months and checklist_business_days; R-79, R-52)."
        ),
        "Reports of adverse events have a report of their own, with their deadlines.",
        GRACE,
        SIGN_OFF,
        TWO_TIMES,
    ),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The forms that fell due in the period, by due date, then by name; and what is owed from before."""
    chosen = parameters.choices.get(_FORM, _ANY)
    show = parameters.choices.get(_SHOW, _LATE)
    found = [
        one
        for code in sorted(_FORMS)
        if chosen in (_ANY, code)
        for one in _fallen_due(scope, replace(parameters, requirement=code, choices={}), show)
    ]
    for told, line in sorted(found, key=lambda one: (one[0]["due"], one[0]["requirement"])):
        form = (told["requirement"], told["slot"], told["due"], told["done"], told["outcome"], told["days_late"])
        yield line._replace(cells=(*line.cells[: len(PERSON)], *form))


def _fallen_due(scope: Scope, asked: Parameters, show: str) -> Iterator[tuple[dict[str, Any], Line]]:
    """What is shown of one form, with its cells by name."""
    names = [column.name for column in obligations.DEFINITION.columns]
    first, _ = asked.period
    whole = asked if show == _ALL else replace(asked, from_on=None)
    for line in obligations.lines(scope, whole):
        told = dict(zip(names, line.cells, strict=True))
        late = show == _LATE and told["days_late"] and told["due"] >= first
        if show == _ALL or late or told["outcome"] == Outcome.OWED:
            yield told, line
