"""The declarative base, column types and the constraints that every table shares. Owns ``db``."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from clinic_tracker.domain.vocabulary import FactState

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values; SQLite drops the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into UTC; a naive one is a ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "naive datetime"
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


BigId = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB, "postgresql")

Key = Annotated[int, mapped_column(BigId, primary_key=True)]
Ref = Annotated[int, mapped_column(BigId)]
OptionalRef = Annotated[int | None, mapped_column(BigId)]
PublicId = Annotated[uuid.UUID, mapped_column(Uuid, default=uuid.uuid4, unique=True)]
Instant = Annotated[datetime, mapped_column(UTCDateTime)]
OptionalInstant = Annotated[datetime | None, mapped_column(UTCDateTime)]
UserRef = Annotated[int, mapped_column(BigId, ForeignKey("user_account.id"))]
OptionalUserRef = Annotated[int | None, mapped_column(BigId, ForeignKey("user_account.id"))]
ClinicRef = Annotated[int, mapped_column(BigId, ForeignKey("clinic.id"))]


class Base(DeclarativeBase):
    """Typed declarative base with named constraints."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING_CONVENTION),
        type_annotation_map={str: Text, dict[str, Any]: Json, list[Any]: Json},
    )


# Session options: nothing is expired after a commit, so that a view may read what a service returned.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def one_of(column: str, vocabulary: type[StrEnum]) -> CheckConstraint:
    """CHECK that a text column holds a value of the vocabulary."""
    values = ", ".join(f"'{member.value}'" for member in vocabulary)
    return CheckConstraint(f"{column} in ({values})", name=column)


def same_clinic(column: str, table: str) -> ForeignKeyConstraint:
    """A foreign key that cannot point into another clinic."""
    return ForeignKeyConstraint(["clinic_id", column], [f"{table}.clinic_id", f"{table}.id"])


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that satisfy ``where``, alike on both databases."""
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=text(where))


def tenant(*others: Any) -> tuple[Any, ...]:
    """Table arguments of a table that composite foreign keys point to."""
    return (UniqueConstraint("clinic_id", "id"), *others)


def fact(*others: Any) -> tuple[Any, ...]:
    """Table arguments of a clinical fact: tenant, patient of the same clinic, closed list of states."""
    return tenant(
        same_clinic("patient_id", "patient"),
        one_of("state", FactState),
        UniqueConstraint("replaces_id"),
        CheckConstraint("(state = 'recorded') = (withdrawn_at is null)", name="withdrawn"),
        *others,
    )


class Fact:
    """A clinical fact: attributed, never rewritten. It ends by being corrected or entered in error.

    ``replaces_id`` points to the row that this one corrects; ``withdrawn_*`` say who ended a row, when and why.
    """

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    patient_id: Mapped[Ref]
    state: Mapped[str] = mapped_column(default=FactState.RECORDED.value)
    replaces_id: Mapped[OptionalRef]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_via: Mapped[str] = mapped_column(default="screen")
    recorded_at: Mapped[Instant]
    withdrawn_by_id: Mapped[OptionalUserRef]
    withdrawn_at: Mapped[OptionalInstant]
    withdrawn_reason: Mapped[str | None]


def columns_of(row: Base, leave_out: Sequence[str] = ()) -> dict[str, Any]:
    """The column values of a row, for the audit trail; values are JSON-ready."""
    return {
        column.key: _plain(getattr(row, column.key))
        for column in row.__mapper__.column_attrs
        if column.key not in leave_out
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
