"""The chairs of the suite: added, renamed, put in order, taken out of use and back."""

import uuid
from collections.abc import Iterable

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.base import db
from clinic_tracker.models.suite import Chair
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import unit_of_work

LONGEST_NAME = 20
MOST_CHAIRS = 60


def add_chair(scope: Scope, *, name: str, form_token: str | None = None) -> uuid.UUID:
    """Add a chair at the end; its public id, that of the one on record when the same form is sent twice.

    RuleViolation for an empty or overlong name, one that another chair has, and too many chairs.
    """
    scope.require(Permission.MANAGE_CLINIC)
    words = _clean(name)
    with unit_of_work(scope):
        rows = lock_chairs(scope)
        public_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{scope.clinic_id} {form_token}") if form_token else uuid.uuid4()
        if any(row.public_id == public_id for row in rows):
            return public_id
        _check_name(words, rows)
        if len(rows) >= MOST_CHAIRS:
            raise RuleViolation("too_many_chairs", None, f"At most {MOST_CHAIRS} chairs are possible.")
        position = max((row.position for row in rows), default=0) + 1
        chair = Chair(public_id=public_id, clinic_id=scope.clinic_id, name=words, position=position)
        db.session.add(chair)
        audit.record(scope, AuditAction.CHAIR_ADDED, chair)
    return public_id


def rename_chair(scope: Scope, chair: uuid.UUID, *, name: str) -> None:
    """Give a chair another name. RuleViolation as for ``add_chair``."""
    scope.require(Permission.MANAGE_CLINIC)
    words = _clean(name)
    with unit_of_work(scope):
        rows = lock_chairs(scope)
        row = _find(rows, chair)
        _check_name(words, (other for other in rows if other is not row))
        before = audit.snapshot(row)
        row.name = words
        if row.name != before["name"]:
            audit.record(scope, AuditAction.CHAIR_RENAMED, row, before=before)


def move_chair(scope: Scope, chair: uuid.UUID, *, up: bool) -> None:
    """Exchange a chair with its neighbor among those in use; nothing happens at the end of the list."""
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        rows = lock_chairs(scope)
        row = _find(rows, chair)
        order = sorted((one for one in rows if one.is_active), key=lambda one: (one.position, one.id))
        if row not in order:
            raise RuleViolation("chair_retired", None, "A chair that is not in use has no place in the order.")
        index = order.index(row)
        other = index - 1 if up else index + 1
        if not 0 <= other < len(order):
            return
        order[index], order[other] = order[other], order[index]
        for position, one in enumerate(order, start=1):
            _put(scope, one, position)


def retire_chair(scope: Scope, chair: uuid.UUID) -> None:
    """Take a chair out of use. Its bookings stay, and are shown as conflicts until they are moved."""
    _set_use(scope, chair, is_active=False, action=AuditAction.CHAIR_RETIRED)


def reactivate_chair(scope: Scope, chair: uuid.UUID) -> None:
    """Take a chair back into use, as the last one."""
    _set_use(scope, chair, is_active=True, action=AuditAction.CHAIR_REACTIVATED)


def lock_chairs(scope: Scope) -> list[Chair]:
    """All chairs of the clinic, locked until the commit: of two who book at once, one waits for the other."""
    statement = (
        select(Chair)
        .where(Chair.clinic_id == scope.clinic_id)
        .order_by(Chair.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(db.session.execute(statement).scalars())


def _set_use(scope: Scope, chair: uuid.UUID, *, is_active: bool, action: AuditAction) -> None:
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        rows = lock_chairs(scope)
        row = _find(rows, chair)
        if row.is_active == is_active:
            return
        before = audit.snapshot(row)
        row.is_active = is_active
        row.position = max(one.position for one in rows) + 1
        audit.record(scope, action, row, before=before)


def _put(scope: Scope, row: Chair, position: int) -> None:
    if row.position == position:
        return
    before = audit.snapshot(row)
    row.position = position
    audit.record(scope, AuditAction.CHAIR_REORDERED, row, before=before)


def _find(rows: Iterable[Chair], chair: uuid.UUID) -> Chair:
    found = next((row for row in rows if row.public_id == chair), None)
    if found is None:
        raise NotFound("chair")
    return found


def _clean(name: str) -> str:
    words = " ".join(name.split())
    if not words:
        raise RuleViolation("name", "name", "Enter the name of the chair.")
    if len(words) > LONGEST_NAME:
        raise RuleViolation("name_too_long", "name", f"The name must be {LONGEST_NAME} characters or fewer.")
    return words


def _check_name(name: str, others: Iterable[Chair]) -> None:
    same = next((other for other in others if other.name.casefold() == name.casefold()), None)
    if same is not None:
        where = "There is" if same.is_active else "There was, and it can be taken back into use,"
        raise RuleViolation("name_taken", "name", f"{where} a chair with the name {same.name}. Choose another name.")
