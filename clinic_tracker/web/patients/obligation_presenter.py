"""One obligation in words, with the ones before and after it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import url_for

from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.queries.monitoring_case import MonitoringCase
from clinic_tracker.web.patients.chart_timeline import obligation_words, status_of
from clinic_tracker.web.patients.explanations import Why, why_obligation
from clinic_tracker.web.requirement_words import full_title


@dataclass(frozen=True, slots=True)
class ObligationPage:
    """The page of one obligation."""

    title: str
    which: str
    status: str
    days: int | None
    opens_on: date
    due_on: date
    closes_on: date | None
    done_on: date | None
    requirement: str
    why: Why
    before: str | None
    after: str | None


def obligation_page(case: MonitoringCase, obligation: Obligation, patient: UUID, today: date) -> ObligationPage:
    """The page of an obligation on the clinic's present day."""
    status, days = status_of(obligation, today)
    lane = [item for item in case.forecast.obligations if item.requirement == obligation.requirement]
    place = lane.index(obligation)
    return ObligationPage(
        title=full_title(obligation.requirement),
        which=obligation_words(obligation),
        status=status,
        days=days,
        opens_on=date.fromordinal(obligation.opens),
        due_on=date.fromordinal(obligation.due),
        closes_on=date.fromordinal(obligation.closes) if obligation.closes is not None else None,
        done_on=date.fromordinal(obligation.done) if obligation.done is not None else None,
        requirement=obligation.requirement,
        why=why_obligation(case, obligation, today),
        before=_href(patient, lane[place - 1]) if place else None,
        after=_href(patient, lane[place + 1]) if place + 1 < len(lane) else None,
    )


def _href(patient: UUID, obligation: Obligation) -> str:
    return url_for(
        "patients.obligation",
        patient=patient,
        requirement=obligation.requirement,
        anchor=obligation.anchor,
        occurrence=obligation.occurrence,
    )
