"""Files of reports that were asked for, reports that come by themselves, and the letters that tell of them."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.rhythm import RelativePeriod
from clinic_tracker.models.base import (
    ClinicRef,
    Instant,
    Json,
    Key,
    Model,
    OptionalInstant,
    OptionalRef,
    OptionalUserRef,
    PublicId,
    Ref,
    UserRef,
    one_of,
    partial_index,
    same_clinic,
    tenant,
)

UNENDED = "finished_at is null and failed_at is null and cancelled_at is null"


class ReportRun(Model):
    """One file of a report: asked for, made by a worker, kept for a time. What it is follows from its instants.

    ``parameters`` hold the day and the instant that the report is about, fixed when it was asked for, and ``made_by``
    and ``made_on`` what is printed on it: making it again from the row gives the same bytes. A worker holds it as long
    as it moves ``heartbeat_at``; ``attempts`` counts the workers that took it and is part of the name of its file, so
    that one which was given up for dead cannot overwrite what its successor made. ``patients`` are the keys of those
    in the file, for the access log.
    """

    __tablename__ = "report_run"
    __table_args__ = tenant(
        same_clinic("schedule_id", "report_schedule"),
        same_clinic("repeats_id", "report_run"),
        one_of("format", ReportFormat),
        UniqueConstraint("schedule_id", "due_on"),
        UniqueConstraint("clinic_id", "form_token"),
        CheckConstraint("(schedule_id is null) = (due_on is null)", name="due"),
        CheckConstraint("(claimed_by is null) = (claimed_at is null)", name="claimed"),
        CheckConstraint("(claimed_by is null) = (heartbeat_at is null)", name="heartbeat"),
        CheckConstraint("(failed_at is null) = (failure is null)", name="failed"),
        CheckConstraint("(cancelled_at is null) = (cancelled_by_id is null)", name="cancelled"),
        CheckConstraint(
            "(finished_at is null or failed_at is null) and (finished_at is null or cancelled_at is null) "
            "and (failed_at is null or cancelled_at is null)",
            name="one_end",
        ),
        CheckConstraint(
            "finished_at is null or (sha256 is not null and checksum is not null and size is not null "
            "and lines is not null and expires_at is not null)",
            name="finished",
        ),
        CheckConstraint("removed_at is null or finished_at is not null", name="removed"),
        Index("ix_report_run_clinic", "clinic_id", "asked_at"),
        Index("ix_report_run_sha256", "clinic_id", "sha256"),
        partial_index("ix_report_run_open", "asked_at", where=UNENDED),
        partial_index("ix_report_run_kept", "expires_at", where="finished_at is not null and removed_at is null"),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    name: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    format: Mapped[str]
    schedule_id: Mapped[OptionalRef]
    due_on: Mapped[date | None]
    repeats_id: Mapped[OptionalRef]
    asked_by_id: Mapped[OptionalUserRef]
    asked_at: Mapped[Instant]
    made_by: Mapped[str]
    made_on: Mapped[date]
    form_token: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[OptionalInstant]
    heartbeat_at: Mapped[OptionalInstant]
    lines_done: Mapped[int] = mapped_column(default=0)
    lines_expected: Mapped[int | None]
    finished_at: Mapped[OptionalInstant]
    failed_at: Mapped[OptionalInstant]
    failure: Mapped[str | None]
    cancelled_at: Mapped[OptionalInstant]
    cancelled_by_id: Mapped[OptionalUserRef]
    sha256: Mapped[str | None]
    checksum: Mapped[str | None]
    size: Mapped[OptionalRef]
    lines: Mapped[int | None]
    patients: Mapped[list[Any] | None] = mapped_column(Json)
    expires_at: Mapped[OptionalInstant]
    removed_at: Mapped[OptionalInstant]

    @classmethod
    def unended(cls) -> tuple[ColumnElement[bool], ...]:
        """What holds of a run that is still to be made, or being made."""
        return cls.finished_at.is_(None), cls.failed_at.is_(None), cls.cancelled_at.is_(None)


class ReportSchedule(Model):
    """A report that comes by itself, every week or every month, until it is ended.

    ``parameters`` hold no dates: the report is as of the day it is due, about ``period`` before it. Due dates are told
    from ``first_due_on`` and the rhythm; the run of each carries it, once.
    """

    __tablename__ = "report_schedule"
    __table_args__ = tenant(
        one_of("format", ReportFormat),
        one_of("period", RelativePeriod),
        UniqueConstraint("clinic_id", "form_token"),
        CheckConstraint("(weekday is null) <> (month_day is null)", name="rhythm"),
        CheckConstraint("weekday is null or weekday between 1 and 7", name="weekday"),
        CheckConstraint("month_day is null or month_day between 1 and 31", name="month_day"),
        CheckConstraint("(ended_at is null) = (ended_by_id is null)", name="ended"),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    name: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    period: Mapped[str]
    format: Mapped[str]
    weekday: Mapped[int | None]
    month_day: Mapped[int | None]
    first_due_on: Mapped[date]
    created_by_id: Mapped[UserRef]
    created_at: Mapped[Instant]
    ended_by_id: Mapped[OptionalUserRef]
    ended_at: Mapped[OptionalInstant]
    form_token: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ReportRecipient(Model):
    """A person who is told when a report of a schedule is there. May be no longer allowed to: asked at each sending."""

    __tablename__ = "report_recipient"
    __table_args__ = tenant(
        same_clinic("schedule_id", "report_schedule"),
        UniqueConstraint("schedule_id", "user_id"),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    schedule_id: Mapped[Ref]
    user_id: Mapped[UserRef]


class ReportDelivery(Model):
    """A letter with a link to one file for one person: sent, still to be tried, or given up with the reason."""

    __tablename__ = "report_delivery"
    __table_args__ = tenant(
        same_clinic("run_id", "report_run"),
        UniqueConstraint("run_id", "user_id"),
        CheckConstraint("sent_at is null or given_up_at is null", name="one_end"),
        CheckConstraint("given_up_at is null or last_error is not null", name="given_up"),
        partial_index("ix_report_delivery_open", "next_try_at", where="sent_at is null and given_up_at is null"),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    run_id: Mapped[Ref]
    user_id: Mapped[UserRef]
    next_try_at: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[OptionalInstant]
    given_up_at: Mapped[OptionalInstant]
    last_error: Mapped[str | None]
