"""What laboratories send: sources, messages as received, what became of each result, and local codes."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.domain.vocabulary import InboundKind, InboundMessageState, InboundState, LocalCodeKind, Panel
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


class InboundSource(Model):
    """A laboratory or file that results come from. ``mapping`` says which column of its tables means what."""

    __tablename__ = "inbound_source"
    __table_args__ = tenant(one_of("kind", InboundKind), UniqueConstraint("clinic_id", "name"))

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    name: Mapped[str]
    kind: Mapped[str]
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_by_id: Mapped[OptionalUserRef]
    created_at: Mapped[Instant]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ApiToken(Model):
    """What a laboratory's system signs in with; only its hash is kept."""

    __tablename__ = "api_token"
    __table_args__ = tenant(same_clinic("source_id", "inbound_source"))

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    source_id: Mapped[Ref]
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_by_id: Mapped[OptionalUserRef]
    created_at: Mapped[Instant]
    expires_at: Mapped[OptionalInstant]
    last_used_at: Mapped[OptionalInstant]
    revoked_by_id: Mapped[OptionalUserRef]
    revoked_at: Mapped[OptionalInstant]


class InboundMessage(Model):
    """A message or file that was received, by the hash of its bytes: the same bytes of a source are kept once."""

    __tablename__ = "inbound_message"
    __table_args__ = tenant(
        same_clinic("source_id", "inbound_source"),
        one_of("state", InboundMessageState),
        UniqueConstraint("clinic_id", "source_id", "sha256"),
        Index("ix_inbound_message_received", "clinic_id", "received_at"),
        partial_index("ix_inbound_message_waiting", "clinic_id", where="state = 'received'"),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    source_id: Mapped[Ref]
    sha256: Mapped[str]
    file_name: Mapped[str | None]
    control_id: Mapped[str | None]
    received_at: Mapped[Instant]
    received_by_id: Mapped[OptionalUserRef]
    state: Mapped[str]
    finished_at: Mapped[OptionalInstant]
    done: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)


class InboundContent(Model):
    """The bytes of a message as received.

    Apart from the message: SQLite writes a whole row again when one column changes, and reads past large ones.
    """

    __tablename__ = "inbound_content"
    __table_args__ = (same_clinic("message_id", "inbound_message"), UniqueConstraint("message_id"))

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    message_id: Mapped[Ref]
    raw: Mapped[bytes] = mapped_column(LargeBinary)


class InboundResult(Model):
    """One report of a message, or what could not be read of it, and what became of it.

    ``report`` and ``identity`` are as sent; ``position`` counts within the message. ``external_id`` is the
    laboratory's number of the report.
    """

    __tablename__ = "inbound_result"
    __table_args__ = tenant(
        same_clinic("message_id", "inbound_message"),
        same_clinic("patient_id", "patient"),
        one_of("state", InboundState),
        UniqueConstraint("message_id", "position"),
        Index("ix_inbound_result_patient", "patient_id"),
        Index("ix_inbound_result_external", "clinic_id", "external_id"),
        partial_index(
            "ix_inbound_result_open", "clinic_id", "received_at", where="state in ('unmatched', 'not_understood')"
        ),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    message_id: Mapped[Ref]
    position: Mapped[int]
    received_at: Mapped[Instant]
    state: Mapped[str]
    patient_id: Mapped[OptionalRef]
    matched_how: Mapped[str | None]
    matched_by_id: Mapped[OptionalUserRef]
    matched_at: Mapped[OptionalInstant]
    external_id: Mapped[str | None]
    issued_at: Mapped[OptionalInstant]
    identity: Mapped[dict[str, Any]] = mapped_column(default=dict)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problems: Mapped[list[Any]] = mapped_column(default=list)
    closed_by_id: Mapped[OptionalUserRef]
    closed_at: Mapped[OptionalInstant]
    closed_reason: Mapped[str | None]


class TablePart(Model):
    """What would become of some rows of a table that a person is still checking; gone once it is loaded or given up.

    Computed from the file, what was chosen for it, and the charts: it can be worked out again at will. ``position`` is
    the line of the first row. ``said`` is a digest of the rows and of what their codes mean; ``complaint`` says what
    is wrong with a row that cannot be read, without its line.
    """

    __tablename__ = "table_part"
    __table_args__ = (
        same_clinic("message_id", "inbound_message"),
        same_clinic("patient_id", "patient"),
        one_of("state", InboundState),
        UniqueConstraint("message_id", "position"),
        Index("ix_table_part_state", "message_id", "state", "position"),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    message_id: Mapped[Ref]
    position: Mapped[int]
    said: Mapped[str]
    state: Mapped[str]
    patient_id: Mapped[OptionalRef]
    complaint: Mapped[str | None]
    shown: Mapped[dict[str, Any]] = mapped_column(default=dict)


class LocalCode(Model):
    """What a laboratory's own code or unit means here, decided once by a person."""

    __tablename__ = "local_code"
    __table_args__ = tenant(
        same_clinic("source_id", "inbound_source"),
        one_of("kind", LocalCodeKind),
        partial_index(
            "uq_local_code_current",
            "clinic_id",
            "source_id",
            "kind",
            "system",
            "code",
            where="withdrawn_at is null",
            unique=True,
        ),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    source_id: Mapped[Ref]
    kind: Mapped[str]
    system: Mapped[str]
    code: Mapped[str]
    title: Mapped[str]
    target: Mapped[str]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    withdrawn_by_id: Mapped[OptionalUserRef]
    withdrawn_at: Mapped[OptionalInstant]


class PatientIdentifier(Fact, Model):
    """A number that a laboratory or another record gave the patient, learned from a confirmed match."""

    __tablename__ = "patient_identifier"
    __table_args__ = fact(
        partial_index(
            "uq_patient_identifier_current", "clinic_id", "system", "value", where="state = 'recorded'", unique=True
        ),
        Index("ix_patient_identifier_patient", "patient_id"),
    )

    system: Mapped[str]
    value: Mapped[str]


class LabOrder(Fact, Model):
    """A panel that was ordered, and how far it is. It is no evidence: only its report is."""

    __tablename__ = "lab_order"
    __table_args__ = fact(
        same_clinic("lab_report_id", "lab_report"),
        same_clinic("inbound_result_id", "inbound_result"),
        one_of("panel", Panel),
        CheckConstraint("rejected_on is null or rejected_reason is not null", name="rejected"),
        Index("ix_lab_order_patient", "patient_id", "panel"),
        partial_index(
            "ix_lab_order_open", "clinic_id", "collected_on", where="state = 'recorded' and lab_report_id is null"
        ),
    )

    panel: Mapped[str]
    ordered_on: Mapped[date]
    collected_on: Mapped[date | None]
    pending_since: Mapped[date | None]
    rejected_on: Mapped[date | None]
    rejected_reason: Mapped[str | None]
    laboratory: Mapped[str | None]
    external_id: Mapped[str | None]
    inbound_result_id: Mapped[OptionalRef]
    lab_report_id: Mapped[OptionalRef]
    note: Mapped[str | None]
    form_token: Mapped[str | None]
