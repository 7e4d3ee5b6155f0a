"""Load the demonstration clinics."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.vocabulary import OutreachChannel, OutreachOutcome, Sex
from clinic_tracker.models.access import Clinic, FacilityCertification, Membership, Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Outreach, OutreachItem
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.accounts import scope_of_command
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.accounts import hash_password
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.demo.chart import Cast, Chart
from clinic_tracker.services.demo.follow_up import answer_some
from clinic_tracker.services.demo.inbound import receive_results
from clinic_tracker.services.demo.papers import keep_baselines
from clinic_tracker.services.demo.people import (
    FAMILY_NAMES,
    FEMALE_NAMES,
    LAKESIDE,
    MALE_NAMES,
    NORTHSIDE,
    PASSWORD,
    DemoClinic,
)
from clinic_tracker.services.demo.seats import furnish_suite
from clinic_tracker.services.demo.stories import Story, stories
from clinic_tracker.services.lab_findings import refresh_findings
from clinic_tracker.services.unit_of_work import unit_of_work

ACTOR = "demonstration"
MOST_PATIENTS = 5000
_SECOND_CLINIC_SHARE = 5
_AFTERNOON = time(14, 25)
_WOMEN = 0.72


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded into one clinic."""

    slug: str
    name: str
    patients: int


def load_demo(scope: Scope, *, patients: int, seed: int, as_of: date | None = None) -> list[Loaded]:
    """Make two synthetic clinics with ``patients`` in all; the same arguments on the same day make the same clinics.

    ``as_of`` is the day on which the stories are told, today by default. RuleViolation where the database holds
    patients of a clinic that is not a demonstration, or where the demonstration is loaded already.
    """
    if not 1 <= patients <= MOST_PATIENTS:
        raise RuleViolation("patients", "patients", f"From 1 to {MOST_PATIENTS} patients are possible.")
    if as_of is not None and as_of > scope.now.date() + timedelta(days=1):
        raise RuleViolation("as_of", "as_of", "The day must not be in the future.")
    check_empty(scope)
    second = patients // _SECOND_CLINIC_SHARE
    return [
        _load_clinic(scope, NORTHSIDE, patients - second, Random(seed), as_of),  # noqa: S311 - not for secrets
        _load_clinic(scope, LAKESIDE, second, Random(seed + 1), as_of),  # noqa: S311 - not for secrets
    ]


def check_empty(_scope: Scope) -> None:
    """Refuse (RuleViolation) a database with real patients, and one that holds the demonstration already."""
    real = db.session.execute(
        select(func.count()).select_from(Patient).join(Clinic, Clinic.id == Patient.clinic_id).where(~Clinic.is_demo)
    ).scalar_one()
    if real:
        raise RuleViolation(
            "real_patients", None, "This database holds real patients: demonstration data are never mixed with them."
        )
    slugs = [NORTHSIDE.slug, LAKESIDE.slug]
    if db.session.execute(select(Clinic.id).where(Clinic.slug.in_(slugs)).limit(1)).scalar_one_or_none() is not None:
        raise RuleViolation("loaded", None, "The demonstration is loaded already. Start from an empty database.")


def is_empty(_scope: Scope) -> bool:
    """Whether the database holds no clinic at all."""
    return db.session.execute(select(Clinic.id).limit(1)).scalar_one_or_none() is None


def _load_clinic(scope: Scope, plan: DemoClinic, count: int, random: Random, as_of: date | None) -> Loaded:
    """One transaction: the clinic, its people, its patients."""
    now = _moment(plan, scope.now, as_of)
    with unit_of_work(replace(scope, now=now)) as work:
        clinic, cast = _clinic(scope, plan, now)
        at_clinic = scope_of_command(scope, plan.slug, ACTOR, now)
        assert at_clinic is not None
        work.scope = at_clinic
        told = stories(count, random)
        charts = []
        for position, story in enumerate(told):
            patient = _patient(at_clinic, plan, cast, story, random, position)
            work.touch(patient)
            audit.record(at_clinic, AuditAction.PATIENT_REGISTERED, patient, patient_id=patient.id)
            Chart(at_clinic, cast, patient, story, random).tell()
            charts.append((patient, story))
        work.touch(_duplicate(at_clinic, charts[-1][0]))
        db.session.flush()
        furnish_suite(at_clinic, cast)
        keep_baselines(at_clinic)
        for patient, story in charts:
            if story.abnormal or story.unreviewed or story.incomplete:
                refresh_findings(at_clinic, patient, add_months(at_clinic.today, -3))
    _contact(at_clinic, cast, charts, random)
    receive_results(at_clinic, cast, [patient for patient, _story in charts])
    answer_some(at_clinic, cast)
    return Loaded(plan.slug, clinic.name, count + 1)


def _moment(plan: DemoClinic, now: datetime, as_of: date | None) -> datetime:
    """The instant from which the stories count back: now, or the afternoon of the day asked for."""
    zone = ZoneInfo(plan.time_zone)
    if as_of is None or as_of == now.astimezone(zone).date():
        return now
    return datetime.combine(as_of, _AFTERNOON, zone).astimezone(UTC)


def _clinic(scope: Scope, plan: DemoClinic, now: datetime) -> tuple[Clinic, Cast]:
    clinic = Clinic(
        slug=plan.slug,
        name=plan.name,
        time_zone=plan.time_zone,
        protocol_id=plan.protocol_id,
        rems_facility_id=plan.facility_id,
        phone="555-0100",
        is_demo=True,
    )
    db.session.add(clinic)
    db.session.flush()
    day = now.date()
    db.session.add(
        FacilityCertification(
            clinic_id=clinic.id,
            certified_on=add_months(day, -20),
            ends_on=add_months(day, 4),
            representative_name=plan.people[0].name,
            representative_trained_on=add_months(day, -20),
            recorded_at=now,
        )
    )
    users = _people(scope, plan, clinic, now)
    prescribers = _prescribers(plan, clinic, users, day)
    audit.note(scope, AuditAction.CLINIC_CREATED, subject_type="clinic", subject_id=clinic.id)
    staff, neurologist = (users[person.email].id for person in plan.people[:2])
    return clinic, Cast(staff, neurologist, tuple(one.id for one in prescribers))


def _people(scope: Scope, plan: DemoClinic, clinic: Clinic, now: datetime) -> dict[str, User]:
    """The people of a clinic by their address, all with the password of the demonstration."""
    password_hash = hash_password(scope, PASSWORD)
    users = {
        person.email: User(email=person.email, name=person.name, password_hash=password_hash, created_at=now)
        for person in plan.people
    }
    db.session.add_all(users.values())
    db.session.flush()
    since = add_months(now.date(), -48)
    db.session.add_all(
        Membership(clinic_id=clinic.id, user_id=users[person.email].id, role=person.role.value, started_on=since)
        for person in plan.people
    )
    return users


def _prescribers(plan: DemoClinic, clinic: Clinic, users: dict[str, User], day: date) -> list[Prescriber]:
    prescribers = [
        Prescriber(
            clinic_id=clinic.id,
            user_id=users[one.email].id if one.email else None,
            name=one.name,
            npi=one.npi,
            rems_prescriber_id=f"PR-{one.npi[-5:]}",
            certified_on=add_months(day, -70),
            is_active=one.is_active,
        )
        for one in plan.prescribers
    ]
    db.session.add_all(prescribers)
    db.session.flush()
    return prescribers


def _patient(scope: Scope, plan: DemoClinic, cast: Cast, story: Story, random: Random, position: int) -> Patient:
    female = random.random() < _WOMEN if story.male is None else not story.male
    names = FEMALE_NAMES if female else MALE_NAMES
    family = FAMILY_NAMES[position % len(FAMILY_NAMES)]
    given = names[random.randrange(len(names))]
    prescriber = cast.prescribers[story.prescriber % len(cast.prescribers)] if story.prescriber is not None else None
    patient = Patient(
        clinic_id=scope.clinic_id,
        mrn=str((20000 if plan is LAKESIDE else 10000) + 17 * position + 233),
        rems_patient_id=f"P-{random.randint(100000, 999999)}{position}" if story.enrolled else None,
        family_name=family,
        given_name=given,
        birth_date=date(random.randint(1962, 2003), random.randint(1, 12), random.randint(1, 28)),
        sex_at_birth=(Sex.FEMALE if female else Sex.MALE).value,
        phone=f"555-01{random.randint(0, 99):02}",
        language="English" if random.random() < 0.9 else "Spanish",  # noqa: PLR2004
        prescriber_id=prescriber,
        protocol_id=plan.protocol_id,
        registered_at=scope.now,
    )
    db.session.add(patient)
    db.session.flush()
    return patient


def _duplicate(scope: Scope, original: Patient) -> Patient:
    """A second chart of the same person, as a busy front desk makes one."""
    duplicate = Patient(
        clinic_id=scope.clinic_id,
        mrn=f"{original.mrn}9",
        family_name=original.family_name,
        given_name=f"{original.given_name} M.",
        birth_date=original.birth_date,
        sex_at_birth=original.sex_at_birth,
        protocol_id=original.protocol_id,
        prescriber_id=original.prescriber_id,
        registered_at=scope.now,
    )
    db.session.add(duplicate)
    return duplicate


def _contact(scope: Scope, cast: Cast, charts: list[tuple[Patient, Story]], random: Random) -> None:
    """Calls to those who are late, about everything they owe."""
    with unit_of_work(scope):
        for patient, story in charts:
            if story.outreach is None:
                continue
            owed = db.session.execute(
                select(Standing.requirement, Standing.anchor, Standing.occurrence).where(
                    Standing.patient_id == patient.id, Standing.next_due_on < scope.today
                )
            ).all()
            for days in (16, 3):
                _call(scope, cast, patient, story, owed, scope.now - timedelta(days=days, hours=random.randint(0, 3)))


def _call(scope: Scope, cast: Cast, patient: Patient, story: Story, owed: object, at: datetime) -> None:
    promised = story.outreach == OutreachOutcome.WILL_COME and at > scope.now - timedelta(days=7)
    outreach = Outreach(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        contacted_at=at,
        channel=OutreachChannel.PHONE.value,
        outcome=story.outreach if promised or story.outreach != "will_come" else OutreachOutcome.NO_ANSWER.value,
        expected_on=scope.today + timedelta(days=4) if promised else None,
        snooze_until=scope.today + timedelta(days=5) if promised else None,
        note="Will go to the laboratory after work" if promised else None,
        recorded_by_id=cast.staff,
        recorded_at=at,
    )
    db.session.add(outreach)
    db.session.flush()
    db.session.add_all(
        OutreachItem(
            clinic_id=scope.clinic_id,
            outreach_id=outreach.id,
            requirement=requirement,
            anchor=anchor,
            occurrence=occurrence,
        )
        for requirement, anchor, occurrence in owed  # type: ignore[attr-defined]
    )
