"""One obligation in words, with the ones before and after it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import url_for

from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.queries.chart import lab_report_ids
from clinic_tracker.queries.monitoring_case import MonitoringCase
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.navigation import link_to
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
    evidence_href: str | None
    links: dict[int, str]
    before: str | None
    after: str | None


def obligation_page(
    scope: Scope, header: PatientHeader, case: MonitoringCase, obligation: Obligation
) -> ObligationPage:
    """The page of an obligation on the clinic's present day."""
    today, patient = scope.today, header.public_id
    why = why_obligation(case, obligation, today)
    links = _links(scope, header, case, obligation, why)
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
        why=why,
        evidence_href=links.get(why.evidence_ref) if why.evidence_ref is not None else None,
        links=links,
        before=_href(patient, lane[place - 1]) if place else None,
        after=_href(patient, lane[place + 1]) if place + 1 < len(lane) else None,
    )


def _links(
    scope: Scope, header: PatientHeader, case: MonitoringCase, obligation: Obligation, why: Why
) -> dict[int, str]:
    """Where the facts of an explanation are shown: a report by itself, exams and forms on their tabs."""
    kind = case.protocol.requirement(obligation.requirement).evidence_kind
    keys = {fact.ref for fact in why.uncounted if fact.ref is not None}
    keys |= {why.evidence_ref} if why.evidence_ref is not None else set()
    if kind is not EvidenceKind.LAB:
        tab = link_to("patients.exams" if kind is EvidenceKind.EXAM else "rems.forms", patient=header.public_id)
        return dict.fromkeys(keys, tab) if tab else {}
    found = lab_report_ids(scope, header.id, keys)
    hrefs = {key: link_to("labs.result", patient=header.public_id, report=report) for key, report in found.items()}
    return {key: href for key, href in hrefs.items() if href}


def _href(patient: UUID, obligation: Obligation) -> str:
    return url_for(
        "patients.obligation",
        patient=patient,
        requirement=obligation.requirement,
        anchor=obligation.anchor,
        occurrence=obligation.occurrence,
    )
