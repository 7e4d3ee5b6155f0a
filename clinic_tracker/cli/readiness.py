"""``flask readiness``: may this patient be infused on a day? Asked without the browser."""

import json
import uuid
from datetime import date
from typing import Any

import click
from flask.cli import with_appcontext

from clinic_tracker.cli.support import PlainCommand, clinic_scope, fail, plain_errors
from clinic_tracker.domain.history_json import InvalidHistory
from clinic_tracker.domain.json_values import read_day
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import ROLE_TITLES, roles_with
from clinic_tracker.domain.readiness import Item, Readiness
from clinic_tracker.domain.vocabulary import CourseState
from clinic_tracker.queries.patients import PatientHeader, chart_with_number, patient_header
from clinic_tracker.queries.readiness import clinic_of_patient, readiness_of
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import treatment_of
from clinic_tracker.queries.treatment_rows import CourseRow
from clinic_tracker.services.audit import record_access

ACTOR = "readiness command"
ENDPOINT = "flask readiness"
_UNDER_WAY = frozenset({CourseState.PLANNED, CourseState.IN_PROGRESS})


@click.command("readiness", cls=PlainCommand)
@click.argument("patient")
@click.option("--on", required=True, metavar="YYYY-MM-DD", help="The day of the infusion.")
@click.option("--clinic", "slug", default=None, help="Slug of the clinic; needed where PATIENT is an MRN.")
@click.option("--course", "number", type=int, default=None, help="Number of the course; the one under way by default.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_appcontext
def group(patient: str, on: str, slug: str | None, number: int | None, form: str) -> None:
    """Say whether PATIENT (MRN, REMS id, or the id in the address of the chart) may be infused on a day, and why not.

    The answer names no patient. The exit status is 0 whether or not the patient is ready, and 2 on bad input.

    Example: flask readiness 10233 --clinic northside --on 2026-01-22 --format json
    """
    with plain_errors():
        day = _day(on)
        scope, header = _chart(patient, slug)
        course = _course(scope, header, number)
        found = readiness_of(scope, header.id, header.protocol_id, course.id, day)
        record_access(scope, ENDPOINT, patient_id=header.id)
    if form == "json":
        click.echo(json.dumps(_as_json(scope, header, course, found)))
        return
    days = f"course {course.number}, day {found.day_number} of {course.planned_days}"
    click.echo(f"{show_date(day)}, {days}: {found.summary}")
    for item in found.items:
        click.echo(_line(item))


def _day(text: str) -> date:
    try:
        return date.fromordinal(read_day(text))
    except InvalidHistory as error:
        fail(str(error.inside("--on")))


def _chart(patient: str, slug: str | None) -> tuple[Scope, PatientHeader]:
    """The scope of the patient's clinic, and the chart; one merged into another leads there."""
    try:
        key: uuid.UUID | None = uuid.UUID(patient)
    except ValueError:
        key = None
    if slug is None:
        slug = clinic_of_patient(None, key) if key is not None else None
        if slug is None:
            fail("PATIENT: there is no chart with this id." if key else "--clinic: name the clinic of the MRN.")
    scope = clinic_scope(slug, ACTOR)
    if key is None:
        numbered = chart_with_number(scope, patient)
        if numbered is None:
            fail("PATIENT: there is no chart with this MRN or REMS id in the clinic.")
        key = numbered.public_id
    header = patient_header(scope, key)
    return scope, patient_header(scope, header.merged_into) if header.merged_into else header


def _course(scope: Scope, header: PatientHeader, number: int | None) -> CourseRow:
    """The course of that number; without one the course under way or planned, else the last."""
    treatment = treatment_of(scope, header.id)
    if not treatment.courses:
        fail("PATIENT: no course is planned.")
    if number is None:
        return next((one for one in treatment.courses if treatment.state(one) in _UNDER_WAY), treatment.courses[-1])
    found = next((one for one in treatment.courses if one.number == number), None)
    if found is None:
        fail(f"--course: there is no course {number}; the last is course {treatment.courses[-1].number}.")
    return found


def _line(item: Item) -> str:
    """One check as a line of text."""
    mark = {True: "[x]", False: "[ ]"}[not item.is_open]
    who = "" if not item.is_open else f" ({' or '.join(ROLE_TITLES[role] for role in roles_with(item.permission))})"
    stops = " STOPS" if item.hard else " needs a reason" if item.stops else ""
    return f"{mark} {item.title} ({item.requirement}): {item.state.value.replace('_', ' ')}{stops}. {item.words}{who}"


def _as_json(scope: Scope, header: PatientHeader, course: CourseRow, found: Readiness) -> dict[str, Any]:
    return {
        "clinic": scope.clinic_slug,
        "patient": str(header.public_id),
        "course": course.number,
        "day_number": found.day_number,
        "of_days": course.planned_days,
        "on": found.on.isoformat(),
        "as_of": scope.today.isoformat(),
        "start_on": found.start_on.isoformat(),
        "ready": found.is_ready,
        "stopped": found.is_stopped,
        "summary": found.summary,
        "items": [_item_as_json(item) for item in found.items],
    }


def _item_as_json(item: Item) -> dict[str, Any]:
    return {
        "code": item.code,
        "group": item.group.value,
        "title": item.title,
        "requirement": item.requirement,
        "state": item.state.value,
        "weight": item.weight.value,
        "stops": item.stops,
        "words": item.words,
        "evidence_on": item.evidence_on.isoformat() if item.evidence_on else None,
        "expires_on": item.expires_on.isoformat() if item.expires_on else None,
        "clears": item.clears if item.is_open else None,
        "roles": [role.value for role in roles_with(item.permission)] if item.is_open else [],
        "unconfirmed": item.unconfirmed,
    }
