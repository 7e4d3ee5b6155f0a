"""Treatment courses, their authorization, infusions and what happened around them."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.domain.vocabulary import OutreachChannel, PremedicationKind, ReactionEnding, ReactionGrade
from clinic_tracker.models.base import (
    ClinicRef,
    Fact,
    Instant,
    Key,
    Model,
    OptionalInstant,
    OptionalRef,
    OptionalUserRef,
    PublicId,
    Ref,
    UserRef,
    fact,
    one_of,
    partial_index,
    same_clinic,
    tenant,
)

RECORDED = "state = 'recorded'"


class TreatmentCourse(Model):
    """A numbered course. Where it stands follows from its infusions and from its discontinuation."""

    __tablename__ = "treatment_course"
    __table_args__ = tenant(
        same_clinic("patient_id", "patient"),
        same_clinic("prescriber_id", "prescriber"),
        UniqueConstraint("patient_id", "number"),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("planned_days >= 1", name="planned_days"),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    patient_id: Mapped[Ref]
    number: Mapped[int]
    planned_days: Mapped[int]
    planned_start_on: Mapped[date | None]
    prescriber_id: Mapped[OptionalRef]
    note: Mapped[str | None]
    discontinued_on: Mapped[date | None]
    discontinued_reason: Mapped[str | None]
    unused_vials: Mapped[int | None]
    vials_disposition: Mapped[str | None]
    planned_by_id: Mapped[OptionalUserRef]
    planned_at: Mapped[Instant]
    form_token: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Authorization(Fact, Model):
    """A prescriber's authorization of one course (R-14), with the baseline set as it stood."""

    __tablename__ = "course_authorization"
    __table_args__ = fact(
        same_clinic("course_id", "treatment_course"),
        same_clinic("prescriber_id", "prescriber"),
        CheckConstraint("expires_on is null or expires_on >= authorized_on", name="dates"),
        partial_index("uq_course_authorization_current", "course_id", where=RECORDED, unique=True),
    )

    course_id: Mapped[Ref]
    prescriber_id: Mapped[Ref]
    authorized_on: Mapped[date]
    planned_start_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    baseline: Mapped[list[Any]]
    rems_reference: Mapped[str | None]
    override_reason: Mapped[str | None]
    note: Mapped[str | None]
    verified_on: Mapped[date | None]
    verified_method: Mapped[str | None]
    verified_by_id: Mapped[OptionalUserRef]
    form_token: Mapped[str | None] = mapped_column(unique=True)


class Infusion(Fact, Model):
    """One day's administration. Instants still null are things that have not happened yet.

    ``infused_on`` is the local date of the start in the treating clinic (decision 27). ``infection_excluded``,
    ``contraindications_excluded``, ``pregnancy_excluded`` and ``equipment_ready`` are what the nurse confirmed before
    the start (R-18, R-34, R-04); null is not asked. ``planned_minutes`` is how long the drug is meant to run, pauses
    not counted; ``observation_minutes`` is more than the protocol's where somebody extended it, for the reason given.
    """

    __tablename__ = "infusion"
    __table_args__ = fact(
        same_clinic("course_id", "treatment_course"),
        CheckConstraint("day_number >= 1", name="day_number"),
        CheckConstraint("dose_mg > 0", name="dose_mg"),
        CheckConstraint("ended_at is null or ended_at >= started_at", name="ended_at"),
        CheckConstraint(
            "discharged_at is null or (ended_at is not null and discharged_at >= ended_at)", name="discharged_at"
        ),
        partial_index("uq_infusion_course_day", "course_id", "day_number", where=RECORDED, unique=True),
        partial_index("uq_infusion_patient_date", "patient_id", "infused_on", where=RECORDED, unique=True),
        Index("ix_infusion_clinic_date", "clinic_id", "infused_on"),
        partial_index("ix_infusion_open", "clinic_id", where=f"{RECORDED} and discharged_at is null"),
    )

    course_id: Mapped[Ref]
    day_number: Mapped[int]
    infused_on: Mapped[date]
    time_zone: Mapped[str | None]
    dose_mg: Mapped[float | None]
    lot_number: Mapped[str | None]
    lot_expires_on: Mapped[date | None]
    diluted_at: Mapped[OptionalInstant]
    started_at: Mapped[Instant]
    ended_at: Mapped[OptionalInstant]
    planned_minutes: Mapped[int | None]
    observation_minutes: Mapped[int]
    observation_reason: Mapped[str | None]
    discharged_at: Mapped[OptionalInstant]
    discharged_by_id: Mapped[OptionalUserRef]
    early_discharge_reason: Mapped[str | None]
    stroke_advice_given: Mapped[bool] = mapped_column(default=False)
    late_reaction_advice_given: Mapped[bool] = mapped_column(default=False)
    infection_excluded: Mapped[bool | None]
    contraindications_excluded: Mapped[bool | None]
    pregnancy_excluded: Mapped[bool | None]
    equipment_ready: Mapped[bool | None]
    chair: Mapped[str | None]
    nurse_name: Mapped[str | None]
    is_back_entry: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None]
    form_token: Mapped[str | None] = mapped_column(unique=True)


class InfusionPart:
    """What belongs to one infusion; withdrawn, never deleted."""

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    withdrawn_by_id: Mapped[OptionalUserRef]
    withdrawn_at: Mapped[OptionalInstant]
    form_token: Mapped[str | None] = mapped_column(unique=True)


class EarlyPart(InfusionPart):
    """What may be recorded before the infusion starts: it waits with its course and day, and joins at the start."""

    infusion_id: Mapped[OptionalRef]
    course_id: Mapped[Ref]
    for_on: Mapped[date]


def part(*others: Any) -> tuple[Any, ...]:
    """Table arguments of a part of an infusion."""
    return (same_clinic("infusion_id", "infusion"), *others)


def early_part(table: str, *others: Any) -> tuple[Any, ...]:
    """Table arguments of a part that may come before its infusion."""
    waiting = partial_index(f"ix_{table}_waiting", "course_id", "for_on", where="infusion_id is null")
    return part(same_clinic("course_id", "treatment_course"), waiting, *others)


class InfusionPause(InfusionPart, Model):
    """An interruption of an infusion; not resumed yet while ``resumed_at`` is null."""

    __tablename__ = "infusion_pause"
    __table_args__ = part(
        CheckConstraint("resumed_at is null or resumed_at >= paused_at", name="resumed_at"),
        Index("ix_infusion_pause_infusion", "infusion_id"),
    )

    infusion_id: Mapped[Ref]
    paused_at: Mapped[Instant]
    resumed_at: Mapped[OptionalInstant]
    reason: Mapped[str | None]


class Premedication(EarlyPart, Model):
    """A drug given around an infusion (R-43, R-44)."""

    __tablename__ = "premedication"
    __table_args__ = early_part(
        "premedication",
        one_of("kind", PremedicationKind),
        CheckConstraint("ended_at is null or ended_at >= given_at", name="ended_at"),
        Index("ix_premedication_infusion", "infusion_id"),
    )

    kind: Mapped[str]
    drug: Mapped[str]
    dose: Mapped[str | None]
    given_at: Mapped[Instant]
    ended_at: Mapped[OptionalInstant]


class VitalSigns(EarlyPart, Model):
    """One set of vital signs (R-47): mmHg, per minute, degrees Celsius, percent."""

    __tablename__ = "vital_signs"
    __table_args__ = early_part("vital_signs", Index("ix_vital_signs_infusion", "infusion_id", "taken_at"))

    taken_at: Mapped[Instant]
    systolic: Mapped[int | None]
    diastolic: Mapped[int | None]
    pulse: Mapped[int | None]
    temperature: Mapped[float | None]
    respiratory_rate: Mapped[int | None]
    oxygen_saturation: Mapped[int | None]
    note: Mapped[str | None]


class DrugCheck(EarlyPart, Model):
    """One person's check of patient, product, dose and expiry before the start (R-55); two people make two rows."""

    __tablename__ = "drug_check"
    __table_args__ = early_part(
        "drug_check",
        CheckConstraint("dose_mg > 0", name="dose_mg"),
        Index("ix_drug_check_infusion", "infusion_id"),
    )

    checked_at: Mapped[Instant]
    checked_by_id: Mapped[UserRef]
    dose_mg: Mapped[float]
    lot_number: Mapped[str]
    lot_expires_on: Mapped[date]


class InfusionReaction(InfusionPart, Model):
    """A reaction during or after an infusion.

    ``ticked`` are the signs of the checklist, ``signs`` what was written beside it; ``actions`` what was done, with
    ``drugs`` and words in ``action``; ``seriousness`` the criteria that make it serious. How it ended is filled in
    when it is known.
    """

    __tablename__ = "infusion_reaction"
    __table_args__ = (
        *tenant(*part(one_of("grade", ReactionGrade), Index("ix_infusion_reaction_infusion", "infusion_id"))),
        one_of("ending", ReactionEnding),
        CheckConstraint("resolved_at is null or resolved_at >= onset_at", name="resolved_at"),
    )

    infusion_id: Mapped[Ref]
    onset_at: Mapped[Instant]
    ticked: Mapped[list[Any]] = mapped_column(default=list)
    signs: Mapped[str]
    grade: Mapped[str]
    is_serious: Mapped[bool] = mapped_column(default=False)
    seriousness: Mapped[list[Any]] = mapped_column(default=list)
    actions: Mapped[list[Any]] = mapped_column(default=list)
    action: Mapped[str | None]
    drugs: Mapped[str | None]
    ending: Mapped[str | None]
    outcome: Mapped[str | None]
    resolved_at: Mapped[OptionalInstant]


class CourseFollowUp(Fact, Model):
    """A contact in the days after a course, about stroke and late reactions (R-50, R-51)."""

    __tablename__ = "course_follow_up"
    __table_args__ = fact(
        same_clinic("course_id", "treatment_course"),
        one_of("channel", OutreachChannel),
        Index("ix_course_follow_up_course", "clinic_id", "course_id"),
    )

    course_id: Mapped[Ref]
    contacted_at: Mapped[Instant]
    channel: Mapped[str]
    reached: Mapped[bool]
    symptoms: Mapped[list[Any]] = mapped_column(default=list)
    advice: Mapped[str | None]
    note: Mapped[str | None]
    form_token: Mapped[str | None] = mapped_column(unique=True)


class Deviation(Model):
    """A departure from the protocol that was recorded with its reason, for the reports."""

    __tablename__ = "deviation"
    __table_args__ = (
        same_clinic("patient_id", "patient"),
        same_clinic("course_id", "treatment_course"),
        same_clinic("infusion_id", "infusion"),
        Index("ix_deviation_clinic", "clinic_id", "occurred_on"),
        Index("ix_deviation_patient", "patient_id"),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    patient_id: Mapped[Ref]
    course_id: Mapped[OptionalRef]
    infusion_id: Mapped[OptionalRef]
    code: Mapped[str]
    requirement: Mapped[str | None]
    message: Mapped[str]
    reason: Mapped[str]
    occurred_on: Mapped[date]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    withdrawn_at: Mapped[OptionalInstant]


class Prophylaxis(Fact, Model):
    """Antiviral (herpes) prophylaxis of a course: start, drug, stop (R-60, R-61)."""

    __tablename__ = "prophylaxis"
    __table_args__ = fact(
        same_clinic("course_id", "treatment_course"),
        CheckConstraint("stopped_on is null or stopped_on >= started_on", name="dates"),
        Index("ix_prophylaxis_patient", "patient_id", "started_on"),
    )

    course_id: Mapped[OptionalRef]
    drug: Mapped[str]
    dose: Mapped[str | None]
    started_on: Mapped[date]
    stopped_on: Mapped[date | None]
    stop_reason: Mapped[str | None]
    stopped_by_id: Mapped[OptionalUserRef]
    note: Mapped[str | None]
    form_token: Mapped[str | None] = mapped_column(unique=True)
