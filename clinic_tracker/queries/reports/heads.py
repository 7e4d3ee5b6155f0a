"""What stands above a report: its parameters in words, checked against what the clinic has."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.reporting.definition import Definition, Head
from clinic_tracker.domain.reporting.deidentify import WORDS, study_number
from clinic_tracker.domain.reporting.parameters import Identity, Parameters
from clinic_tracker.domain.reporting.words import instant_words
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Membership, Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope


def report_head(scope: Scope, definition: Definition, parameters: Parameters) -> Head:
    """The head of a report; RuleViolation for a requirement, prescriber or patient that the clinic does not have."""
    return Head(
        name=definition.name,
        title=definition.title,
        question=definition.question,
        clinic=scope.clinic_name,
        time_zone=scope.time_zone,
        as_of=parameters.as_of,
        known_at=instant_words(parameters.known_at, scope.time_zone) if parameters.known_at else None,
        parameters=tuple(_in_words(scope, definition, parameters)),
        protocol=_protocols(scope),
        notes=definition.notes,
        deidentified=WORDS.get(parameters.identity),
    )


def _in_words(scope: Scope, definition: Definition, parameters: Parameters) -> Iterator[tuple[str, str]]:
    named = parameters.identity is Identity.FULL
    if parameters.from_on is not None and parameters.to_on is not None:
        yield "Period", f"{show_date(parameters.from_on)} to {show_date(parameters.to_on)}, both included"
    if parameters.compared_with is not None:
        yield "Compared with what was on record at", instant_words(parameters.compared_with, scope.time_zone)
    if parameters.requirement is not None:
        yield "Requirement", _requirement(scope, parameters.requirement)
    if parameters.prescriber is not None:
        name = _prescriber(scope, parameters.prescriber)
        yield "Prescriber", name if named else "One prescriber, not named"
    if parameters.patient is not None:
        name = _patient(scope, parameters.patient)
        yield "Patient", name if named else study_number(parameters.patient)
    if parameters.person is not None:
        name = _colleague(scope, parameters.person)
        yield "Person", name if named else "One person, not named"
    for choice in definition.choices:
        yield choice.title, choice.options[parameters.choices[choice.name]]


def _requirement(scope: Scope, code: str) -> str:
    protocols = packaged_protocols()
    for name in [scope.protocol_id, *sorted(protocols)]:
        for requirement in protocols[name].requirements:
            if requirement.code == code:
                return requirement.title
    raise RuleViolation("no_such", "requirement", f"There is no requirement {code}.")


def _prescriber(scope: Scope, public_id: UUID) -> str:
    name = db.session.scalar(
        select(Prescriber.name).where(Prescriber.clinic_id == scope.clinic_id, Prescriber.public_id == public_id)
    )
    if name is None:
        raise RuleViolation("no_such", "prescriber", "There is no such prescriber.")
    return name


def _colleague(scope: Scope, public_id: UUID) -> str:
    statement = select(User.name).join(Membership, Membership.user_id == User.id)
    name = db.session.scalar(
        statement.where(Membership.clinic_id == scope.clinic_id, User.public_id == public_id).limit(1)
    )
    if name is None:
        raise RuleViolation("no_such", "person", "There is no such person.")
    return name


def _patient(scope: Scope, public_id: UUID) -> str:
    row = db.session.execute(
        select(Patient.family_name, Patient.given_name, Patient.mrn).where(
            Patient.clinic_id == scope.clinic_id, Patient.public_id == public_id
        )
    ).one_or_none()
    if row is None:
        raise RuleViolation("no_such", "patient", "There is no such patient.")
    return f"{row.family_name.upper()}, {row.given_name}, MRN {row.mrn}"


def _protocols(scope: Scope) -> str:
    """The protocol of the clinic, and others that its patients have, with their versions."""
    used = set(db.session.scalars(select(Patient.protocol_id).where(Patient.clinic_id == scope.clinic_id).distinct()))
    names = [scope.protocol_id, *sorted(used - {scope.protocol_id})]
    known = packaged_protocols()
    return "; ".join(f"{known[name].title}, version {known[name].version}" for name in names if name in known)


def first_infusions(scope: Scope, known_at: datetime | None) -> Mapping[int, date]:
    """The date of the first infusion on record (at an instant, where one is given), by the key of the patient."""
    if known_at is None:
        on_record: ColumnElement[bool] = Infusion.state == FactState.RECORDED.value
    else:
        on_record = and_(
            Infusion.recorded_at <= known_at, or_(Infusion.withdrawn_at.is_(None), Infusion.withdrawn_at > known_at)
        )
    rows = db.session.execute(
        select(Infusion.patient_id, func.min(Infusion.infused_on))
        .where(Infusion.clinic_id == scope.clinic_id, on_record)
        .group_by(Infusion.patient_id)
    )
    return {patient: day for patient, day in rows if day is not None}
