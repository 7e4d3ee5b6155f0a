"""The protocol of a clinic with the clinic's own settings in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import select

from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.models.access import ClinicSetting, User
from clinic_tracker.models.base import db
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.thresholds import PREFIX as THRESHOLD


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One change of a setting, for the settings page and its history."""

    name: str
    value: int
    effective_from: date
    reason: str
    recorded_at: datetime
    recorded_by: str | None


def protocol_in_force(
    scope: Scope, protocol_id: str | None = None, on: date | None = None, known_at: datetime | None = None
) -> Protocol:
    """The clinic's protocol (or the named one) with the clinic's settings in force on a date, today by default.

    With ``known_at`` only changes recorded by that instant count. Where a setting was changed more than once for the
    same date the last change counts. A setting that the protocol does not have, or no longer lets a clinic edit, is
    left out.
    """
    name = protocol_id or scope.protocol_id
    return protocols_in_force(scope, [name], on, known_at)[name]


def protocols_in_force(
    scope: Scope, protocol_ids: Iterable[str], on: date | None = None, known_at: datetime | None = None
) -> dict[str, Protocol]:
    """The same for several protocols, in one statement."""
    settings = settings_in_force(scope, on, known_at)
    return {name: _adjusted(packaged_protocols()[name], settings) for name in set(protocol_ids)}


def _adjusted(protocol: Protocol, settings: Mapping[str, int]) -> Protocol:
    values = {
        name: value
        for name, value in settings.items()
        if name in protocol.settings and protocol.settings[name].editable
    }
    return _with_settings(protocol.id, tuple(sorted(values.items()))) if values else protocol


def settings_in_force(scope: Scope, on: date | None = None, known_at: datetime | None = None) -> Mapping[str, int]:
    """The clinic's own values by name, as in force on a date; of those recorded by an instant where one is given."""
    statement = select(ClinicSetting.name, ClinicSetting.value).where(
        ClinicSetting.clinic_id == scope.clinic_id,
        ClinicSetting.effective_from <= (on or scope.today),
        ~ClinicSetting.name.startswith(THRESHOLD, autoescape=True),
    )
    if known_at is not None:
        statement = statement.where(ClinicSetting.recorded_at <= known_at)
    rows = db.session.execute(statement.order_by(ClinicSetting.effective_from, ClinicSetting.id))
    return {name: int(value) for name, value in rows}


def setting(scope: Scope, name: str, protocol_id: str | None = None) -> int:
    """The value of one setting in force today. KeyError for a name that the protocol does not have."""
    return protocol_in_force(scope, protocol_id).value(name)


def setting_changes(scope: Scope) -> list[SettingChange]:
    """Every change of a setting of the clinic, newest first; thresholds of findings have a list of their own."""
    rows = db.session.execute(
        select(
            ClinicSetting.name,
            ClinicSetting.value,
            ClinicSetting.effective_from,
            ClinicSetting.reason,
            ClinicSetting.recorded_at,
            User.name,
        )
        .outerjoin(User, User.id == ClinicSetting.recorded_by_id)
        .where(ClinicSetting.clinic_id == scope.clinic_id, ~ClinicSetting.name.startswith(THRESHOLD, autoescape=True))
        .order_by(ClinicSetting.id.desc())
    )
    return [SettingChange(*row) for row in rows]


@lru_cache(maxsize=64)
def _with_settings(protocol_id: str, values: tuple[tuple[str, int], ...]) -> Protocol:
    return packaged_protocols()[protocol_id].with_settings(dict(values))
