"""Who looked at which chart when, and who took data out of the tracker."""

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.access import User
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.reports.people import stream, within
from clinic_tracker.queries.scope import Scope

EXPORTED = "data.exported"
_SHOW, ALL, CHARTS, LISTS, EXPORTS = "show", "all", "charts", "lists", "exports"

DEFINITION = Definition(
    name="access",
    title="Access to charts",
    question="Who looked at which chart, or at a list with which patients, and who took data out, and when?",
    columns=(
        Column("mrn", "MRN", Kind.TEXT, "Medical record number, where one chart was looked at.", Privacy.PATIENT),
        Column("patient", "Patient", Kind.TEXT, "Family name and given name as in the chart.", Privacy.IDENTITY),
        Column("at", "When", Kind.INSTANT, "When the page was shown or the file made.", Privacy.DATED),
        Column("person", "Who", Kind.TEXT, "Who was signed in, or the program by itself.", Privacy.IDENTITY),
        Column("kind", "Kind", Kind.CODE, "chart: of one patient; list: of several; export: a file or document."),
        Column("page", "Page", Kind.CODE, "The page by its name in the program, or the name of the export."),
        Column("patients", "Patients", Kind.COUNT, "How many patients a list or its file showed."),
        Column("ip", "Address", Kind.TEXT, "Network address from which it was asked for.", Privacy.IDENTITY),
    ),
    takes=frozenset({Takes.PERIOD, Takes.PATIENT, Takes.PERSON}),
    choices=(
        Choice(
            _SHOW,
            "Show",
            {ALL: "Everything", CHARTS: "Charts", LISTS: "Lists and files", EXPORTS: "Exports"},
            ALL,
        ),
    ),
    permissions=(Permission.VIEW_REPORTS, Permission.VIEW_AUDIT),
    notes=(
        (
            "With a patient every list that showed the patient among others is found too, and so are looks at a chart "
            "that was merged into this one."
        ),
        "A file stands here twice: as an export with its name, and as a list with how many patients it held.",
        "The log is kept apart from the charts: nobody can change or delete it from the program.",
    ),
)


class _Look(NamedTuple):
    """One look or export, in the order in which they are merged."""

    at: datetime
    source: int  # looks before exports of the same instant
    key: int
    patient_id: int | None
    patient: UUID | None
    mrn: str | None
    family_name: str | None
    given_name: str | None
    person: str | None
    system: str | None
    ip: str | None
    page: str
    listed: Any


_LOOK, _EXPORT = range(2)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The looks and exports of the period, by time."""
    show = parameters.choices.get(_SHOW, ALL)
    wanted = None if parameters.patient is None else _charts_of(scope, parameters.patient)
    looks = _looks(scope, parameters, wanted, show) if show != EXPORTS else iter(())
    exports = _exports(scope, parameters, wanted) if show in (ALL, EXPORTS) else iter(())
    return map(_line, merge(looks, exports, key=lambda one: (one.at, one.source, one.key)))


def _line(one: _Look) -> Line:
    name = f"{one.family_name}, {one.given_name}" if one.family_name is not None else None
    kind = "export" if one.source == _EXPORT else "chart" if one.patient_id is not None else "list"
    count = len(one.listed) if kind == "list" and one.listed else None
    cells = (one.mrn, name, one.at, one.person or one.system, kind, one.page, count, one.ip)
    return Line(cells, one.patient_id if one.patient else None, one.patient)


def _charts_of(scope: Scope, patient: UUID) -> frozenset[int]:
    """The chart of a patient, and those that were merged into it."""
    survivor = aliased(Patient)
    statement = select(Patient.id).outerjoin(survivor, survivor.id == Patient.merged_into_id)
    found = db.session.execute(
        statement.where(
            Patient.clinic_id == scope.clinic_id, or_(Patient.public_id == patient, survivor.public_id == patient)
        )
    )
    return frozenset(found.scalars())


def _looks(scope: Scope, parameters: Parameters, wanted: frozenset[int] | None, show: str) -> Iterator[_Look]:
    table = AccessEvent
    statement = _read(scope, parameters, table, table.endpoint, table.patient_ids)
    if show == CHARTS:
        statement = statement.where(table.patient_id.is_not(None))
    if show == LISTS:
        statement = statement.where(table.patient_id.is_(None))
    if wanted is not None:
        statement = statement.where(or_(table.patient_id.is_(None), table.patient_id.in_(sorted(wanted))))
    for row in stream(statement):
        at, key, *rest = row
        one = _Look(at, _LOOK, key, *rest)
        if wanted is None or one.patient_id is not None or not wanted.isdisjoint(one.listed or ()):
            yield one


def _exports(scope: Scope, parameters: Parameters, wanted: frozenset[int] | None) -> Iterator[_Look]:
    table = AuditEvent
    statement = _read(scope, parameters, table, table.action, table.after).where(table.action == EXPORTED)
    if wanted is not None:
        statement = statement.where(table.patient_id.in_(sorted(wanted)))
    for row in stream(statement):
        at, key, *rest, action, told = row
        yield _Look._make((at, _EXPORT, key, *rest, (told or {}).get("export", action), None))


def _read(scope: Scope, parameters: Parameters, table: Any, *columns: Any) -> Select[Any]:
    statement: Any = select(
        table.at,
        table.id,
        table.patient_id,
        Patient.public_id,
        Patient.mrn,
        Patient.family_name,
        Patient.given_name,
        User.name,
        table.system_actor,
        table.ip,
        *columns,
    ).outerjoin(User, User.id == table.user_id)
    of_clinic = and_(Patient.id == table.patient_id, Patient.clinic_id == table.clinic_id)
    statement = statement.outerjoin(Patient, of_clinic)
    statement = statement.where(table.clinic_id == scope.clinic_id, within(scope, parameters, table.at))
    if parameters.person is not None:
        statement = statement.where(User.public_id == parameters.person)
    return statement.order_by(table.at, table.id)  # type: ignore[no-any-return]
