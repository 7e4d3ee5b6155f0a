"""Evidence of monitoring: laboratory reports, exams, vaccinations, forms; and the decisions and contacts around it."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.domain.exam_findings import exam_level
from clinic_tracker.domain.panels import Level
from clinic_tracker.domain.vocabulary import (
    ExamKind,
    FormKind,
    FormMethod,
    MonitoringDecisionKind,
    OutreachChannel,
    OutreachOutcome,
    Panel,
    ResultStatus,
)
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
    fact,
    one_of,
    partial_index,
    same_clinic,
    tenant,
)


class LabReport(Fact, Model):
    """One panel of one specimen: the unit of evidence.

    ``title`` is the laboratory's or the file's own name of the test. A report that is not complete (no differential,
    no cell counts, clumped) is kept and shown and is evidence for nothing; ``missing`` says in words why.
    """

    __tablename__ = "lab_report"
    __table_args__ = fact(
        same_clinic("inbound_result_id", "inbound_result"),
        one_of("panel", Panel),
        one_of("result_status", ResultStatus),
        Index("ix_lab_report_patient", "patient_id", "panel", "collected_on"),
        partial_index(
            "ix_lab_report_unreviewed", "clinic_id", "recorded_at", where="reviewed_at is null and state = 'recorded'"
        ),
        partial_index(
            "uq_lab_report_external",
            "clinic_id",
            "source",
            "external_id",
            where="external_id is not null and state = 'recorded'",
            unique=True,
        ),
    )

    panel: Mapped[str]
    title: Mapped[str | None]
    collected_on: Mapped[date]
    collected_at: Mapped[OptionalInstant]
    result_status: Mapped[str] = mapped_column(default=ResultStatus.FINAL.value)
    is_complete: Mapped[bool] = mapped_column(default=True)
    missing: Mapped[str | None]
    specimen_problem: Mapped[str | None]
    laboratory: Mapped[str | None]
    source: Mapped[str] = mapped_column(default="typed")
    external_id: Mapped[str | None]
    issued_at: Mapped[OptionalInstant]
    inbound_result_id: Mapped[OptionalRef]
    note: Mapped[str | None]
    worst_level: Mapped[str | None]
    findings: Mapped[list[Any]] = mapped_column(default=list)
    reviewed_by_id: Mapped[OptionalUserRef]
    reviewed_at: Mapped[OptionalInstant]
    review_note: Mapped[str | None]
    auto_reviewed: Mapped[bool] = mapped_column(default=False)
    sample_checked_at: Mapped[OptionalInstant]
    in_sample: Mapped[bool] = mapped_column(default=False)
    form_token: Mapped[str | None]


class LabValue(Model):
    """One analyte of a report: a number with unit and reference range, or the laboratory's text."""

    __tablename__ = "lab_value"
    __table_args__ = (same_clinic("lab_report_id", "lab_report"), UniqueConstraint("lab_report_id", "analyte"))

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    lab_report_id: Mapped[Ref]
    analyte: Mapped[str]
    number: Mapped[float | None]
    text: Mapped[str | None]
    unit: Mapped[str | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    flag: Mapped[str | None]


def _level_of_exam(context: Any) -> str | None:
    """How loud an exam that is being inserted is, however it comes in."""
    values = context.get_current_parameters()
    return exam_level(values["kind"], values["outcome"])


class Exam(Fact, Model):
    """An examination or screening other than the monitoring panels.

    One with a finding, and any that a laboratory sent, waits for review; a normal one that a person entered does not:
    whoever entered it has read it.
    """

    __tablename__ = "exam"
    __table_args__ = fact(
        same_clinic("inbound_result_id", "inbound_result"),
        one_of("kind", ExamKind),
        one_of("worst_level", Level),
        Index("ix_exam_patient", "patient_id", "kind", "performed_on"),
        partial_index(
            "ix_exam_unreviewed",
            "clinic_id",
            "recorded_at",
            where="reviewed_at is null and state = 'recorded' "
            "and (worst_level is not null or inbound_result_id is not null)",
        ),
    )

    kind: Mapped[str]
    performed_on: Mapped[date]
    outcome: Mapped[str]
    examiner: Mapped[str | None]
    method: Mapped[str | None]
    note: Mapped[str | None]
    external_id: Mapped[str | None]
    inbound_result_id: Mapped[OptionalRef]
    worst_level: Mapped[str | None] = mapped_column(default=_level_of_exam)
    reviewed_by_id: Mapped[OptionalUserRef]
    reviewed_at: Mapped[OptionalInstant]
    review_note: Mapped[str | None]
    form_token: Mapped[str | None]


class Vaccination(Fact, Model):
    """A vaccine given (R-28 to R-30)."""

    __tablename__ = "vaccination"
    __table_args__ = fact(Index("ix_vaccination_patient", "patient_id", "given_on"))

    vaccine: Mapped[str]
    given_on: Mapped[date]
    is_live: Mapped[bool] = mapped_column(default=False)
    is_varicella: Mapped[bool] = mapped_column(default=False)
    dose_label: Mapped[str | None]
    note: Mapped[str | None]
    form_token: Mapped[str | None]


class FormSubmission(Fact, Model):
    """A REMS form that was sent; the submission is the evidence. A report of an adverse event names the reaction."""

    __tablename__ = "form_submission"
    __table_args__ = fact(
        same_clinic("course_id", "treatment_course"),
        same_clinic("reaction_id", "infusion_reaction"),
        one_of("kind", FormKind),
        one_of("method", FormMethod),
        CheckConstraint("completed_on is null or completed_on <= submitted_on", name="dates"),
        Index("ix_form_submission_patient", "patient_id", "kind", "submitted_on"),
    )

    course_id: Mapped[OptionalRef]
    reaction_id: Mapped[OptionalRef]
    kind: Mapped[str]
    completed_on: Mapped[date | None]
    submitted_on: Mapped[date]
    method: Mapped[str | None]
    confirmation: Mapped[str | None]
    signed_by: Mapped[str | None]
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str | None]
    form_token: Mapped[str | None]


class Waiver(Fact, Model):
    """A prescriber's documented exemption from one requirement for a span of due dates."""

    __tablename__ = "waiver"
    __table_args__ = fact(
        same_clinic("prescriber_id", "prescriber"),
        CheckConstraint("to_on >= from_on", name="dates"),
        Index("ix_waiver_patient", "patient_id", "requirement"),
    )

    requirement: Mapped[str]
    from_on: Mapped[date]
    to_on: Mapped[date]
    reason: Mapped[str]
    prescriber_id: Mapped[OptionalRef]


class MonitoringDecision(Fact, Model):
    """A prescriber's decision to extend monitoring after a course, or to close it (R-85)."""

    __tablename__ = "monitoring_decision"
    __table_args__ = fact(
        same_clinic("course_id", "treatment_course"),
        same_clinic("prescriber_id", "prescriber"),
        one_of("kind", MonitoringDecisionKind),
        CheckConstraint("(kind = 'extended') = (extended_to is not null)", name="extended_to"),
        CheckConstraint("(kind = 'extended') = (course_id is not null)", name="course_id"),
        Index("ix_monitoring_decision_patient", "patient_id", "kind", "decided_on"),
    )

    kind: Mapped[str]
    decided_on: Mapped[date]
    course_id: Mapped[OptionalRef]
    extended_to: Mapped[date | None]
    reason: Mapped[str]
    prescriber_id: Mapped[OptionalRef]


class Outreach(Model):
    """An attempt to reach a patient. One contact covers everything that was owed.

    ``expected_on`` is what the patient promised; it never moves a due date. ``snooze_until`` sets the row aside until
    that day without hiding that it is overdue.
    """

    __tablename__ = "outreach"
    __table_args__ = tenant(
        same_clinic("patient_id", "patient"),
        one_of("channel", OutreachChannel),
        one_of("outcome", OutreachOutcome),
        Index("ix_outreach_patient", "patient_id", "contacted_at"),
        Index("ix_outreach_clinic", "clinic_id", "contacted_at"),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    patient_id: Mapped[Ref]
    contacted_at: Mapped[Instant]
    channel: Mapped[str]
    outcome: Mapped[str]
    expected_on: Mapped[date | None]
    snooze_until: Mapped[date | None]
    note: Mapped[str | None]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    withdrawn_by_id: Mapped[OptionalUserRef]
    withdrawn_at: Mapped[OptionalInstant]
    withdrawn_reason: Mapped[str | None]
    form_token: Mapped[str | None] = mapped_column(unique=True)


class OutreachItem(Model):
    """What a contact was about, by the natural key of an obligation, so that a rebuild cannot detach it."""

    __tablename__ = "outreach_item"
    __table_args__ = (
        same_clinic("outreach_id", "outreach"),
        UniqueConstraint("outreach_id", "requirement", "anchor", "occurrence"),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    outreach_id: Mapped[Ref]
    requirement: Mapped[str]
    anchor: Mapped[int]
    occurrence: Mapped[int]
