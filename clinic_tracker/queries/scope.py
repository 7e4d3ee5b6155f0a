"""The scope of a request or command: which clinic, who, what they may do, and which day it is there."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Role


class PermissionDenied(Exception):
    """The person may not do this in this clinic. ``permission`` says what is missing."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(permission.value)
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Scope:
    """First argument of every query and service. The clock is read once, when the scope is made.

    ``today`` is the local date in the clinic's time zone. Exactly one of ``user_id`` and ``system_actor`` is set.
    """

    clinic_id: int
    clinic_slug: str
    clinic_name: str
    time_zone: str
    protocol_id: str
    role: Role
    actor_name: str
    now: datetime
    user_id: int | None = None
    system_actor: str | None = None
    request_id: str | None = None
    ip: str | None = None
    is_demo: bool = False
    permissions: frozenset[Permission] = field(default_factory=frozenset)

    @property
    def today(self) -> date:
        """The clinic's local date."""
        return self.now.astimezone(ZoneInfo(self.time_zone)).date()

    def may(self, permission: Permission) -> bool:
        """Whether the person holds the permission in this clinic."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise PermissionDenied unless the person holds the permission."""
        if permission not in self.permissions:
            raise PermissionDenied(permission)


def utc_now() -> datetime:
    """The present instant: the one place where the clock is read below the web layer."""
    return datetime.now(UTC)
