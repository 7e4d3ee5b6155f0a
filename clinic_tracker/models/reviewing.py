"""What prescribers do about results: acknowledgements, follow-up tasks, cover, and criteria for closing normal ones."""

from datetime import date

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from clinic_tracker.domain.vocabulary import ExamKind, FindingAction, Panel
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


class Acknowledgement(Fact, Model):
    """What somebody did about a finding of a report or an exam, by the rule that found it."""

    __tablename__ = "acknowledgement"
    __table_args__ = fact(
        same_clinic("lab_report_id", "lab_report"),
        same_clinic("exam_id", "exam"),
        CheckConstraint("(lab_report_id is null) <> (exam_id is null)", name="subject"),
        one_of("action", FindingAction),
        partial_index("uq_acknowledgement_current", "lab_report_id", "rule", where="state = 'recorded'", unique=True),
        partial_index("uq_acknowledgement_exam", "exam_id", "rule", where="state = 'recorded'", unique=True),
        Index("ix_acknowledgement_patient", "patient_id"),
    )

    lab_report_id: Mapped[OptionalRef]
    exam_id: Mapped[OptionalRef]
    rule: Mapped[str]
    action: Mapped[str]
    words: Mapped[str | None]
    form_token: Mapped[str | None]


class FollowUpTask(Fact, Model):
    """Something to do by a day because of a result. It stays on the worklist until evidence or a reason ends it.

    The evidence is a report of the panel, or an exam of the kind, that it asks for.
    """

    __tablename__ = "follow_up_task"
    __table_args__ = fact(
        same_clinic("acknowledgement_id", "acknowledgement"),
        same_clinic("lab_report_id", "lab_report"),
        same_clinic("evidence_id", "lab_report"),
        same_clinic("exam_id", "exam"),
        same_clinic("evidence_exam_id", "exam"),
        one_of("action", FindingAction),
        one_of("panel", Panel),
        one_of("exam_kind", ExamKind),
        CheckConstraint(
            "done_at is null or evidence_id is not null or evidence_exam_id is not null or done_reason is not null",
            name="done",
        ),
        Index("ix_follow_up_task_patient", "patient_id"),
        partial_index("ix_follow_up_task_open", "clinic_id", "due_on", where="state = 'recorded' and done_at is null"),
    )

    acknowledgement_id: Mapped[OptionalRef]
    lab_report_id: Mapped[OptionalRef]
    exam_id: Mapped[OptionalRef]
    action: Mapped[str]
    panel: Mapped[str | None]
    exam_kind: Mapped[str | None]
    due_on: Mapped[date]
    words: Mapped[str]
    done_at: Mapped[OptionalInstant]
    done_by_id: Mapped[OptionalUserRef]
    done_reason: Mapped[str | None]
    evidence_id: Mapped[OptionalRef]
    evidence_exam_id: Mapped[OptionalRef]
    form_token: Mapped[str | None]


class PrescriberCover(Model):
    """Who sees the results of a prescriber who is away, from one day to another, both inclusive."""

    __tablename__ = "prescriber_cover"
    __table_args__ = tenant(
        same_clinic("prescriber_id", "prescriber"),
        CheckConstraint("to_on >= from_on", name="dates"),
        Index("ix_prescriber_cover_clinic", "clinic_id", "to_on"),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    prescriber_id: Mapped[Ref]
    covered_by_id: Mapped[UserRef]
    from_on: Mapped[date]
    to_on: Mapped[date]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    withdrawn_by_id: Mapped[OptionalUserRef]
    withdrawn_at: Mapped[OptionalInstant]
    form_token: Mapped[str | None]


class AutoReview(Model):
    """The clinic's written criteria under which normal results close by themselves, and how many are looked at."""

    __tablename__ = "auto_review"
    __table_args__ = (CheckConstraint("sample_percent between 1 and 100", name="sample_percent"),)

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    criteria: Mapped[str]
    sample_percent: Mapped[int]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    ended_by_id: Mapped[OptionalUserRef]
    ended_at: Mapped[OptionalInstant]
