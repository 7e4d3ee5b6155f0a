"""What happens to the parts of an infusion that is corrected: they follow, and move with it to another date."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, inspect, select, update

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.treatment import (
    Deviation,
    DrugCheck,
    Infusion,
    InfusionPart,
    InfusionPause,
    InfusionReaction,
    Premedication,
    VitalSigns,
)
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.facts import when

PARTS: tuple[type[InfusionPart], ...] = (InfusionPause, Premedication, VitalSigns, DrugCheck, InfusionReaction)
TIMES = frozenset(
    {"paused_at", "resumed_at", "given_at", "ended_at", "taken_at", "checked_at", "onset_at", "resolved_at"}
)
NOT_COPIED = frozenset({"id", "public_id", "form_token"})


def check_onsets(scope: Scope, old: Infusion, new: Infusion, by: timedelta) -> None:
    """RuleViolation where a reaction of a corrected infusion would begin before the start that it has now."""
    onset = db.session.execute(
        select(func.min(InfusionReaction.onset_at)).where(
            InfusionReaction.clinic_id == scope.clinic_id,
            InfusionReaction.infusion_id == old.id,
            InfusionReaction.withdrawn_at.is_(None),
        )
    ).scalar_one()
    if onset is not None and onset + by < new.started_at:
        message = f"A reaction began at {when(scope, onset + by)}, before this start. Correct the reaction first."
        raise RuleViolation("reaction_before_start", "started_at", message)


def move_parts(scope: Scope, old: Infusion, new: Infusion, by: timedelta) -> None:
    """Let everything that belonged to a corrected infusion belong to the one that replaces it.

    Where ``by`` is not zero the parts that stand are entered anew that much later; the former ones stay, withdrawn.
    """
    tables: tuple[Any, ...] = (*PARTS, Deviation)
    for table in tables:
        db.session.execute(
            update(table)
            .where(table.clinic_id == scope.clinic_id, table.infusion_id == old.id)
            .values(infusion_id=new.id)
            .execution_options(synchronize_session=False)
        )
    if by:
        for part in PARTS:
            _enter_anew(scope, part, new, by)


def _enter_anew(scope: Scope, table: Any, infusion: Infusion, by: timedelta) -> None:
    standing = select(table).where(table.infusion_id == infusion.id, table.withdrawn_at.is_(None))
    columns = [column.key for column in inspect(table).column_attrs if column.key not in NOT_COPIED]
    for row in db.session.execute(standing.execution_options(populate_existing=True)).scalars().all():
        values = {name: getattr(row, name) for name in columns}
        values |= {name: values[name] + by for name in TIMES & values.keys() if values[name] is not None}
        if "for_on" in values:
            values["for_on"] = infusion.infused_on
        values |= {"recorded_by_id": scope.user_id, "recorded_at": scope.now}
        row.withdrawn_at, row.withdrawn_by_id = scope.now, scope.user_id
        anew = table(**values)
        db.session.add(anew)
        db.session.flush()
        if table is InfusionReaction:
            move_reports(scope, row.id, anew.id)


def move_reports(scope: Scope, old_id: int, new_id: int) -> None:
    """The reports of a reaction belong to the row that replaces it."""
    db.session.execute(
        update(FormSubmission)
        .where(FormSubmission.clinic_id == scope.clinic_id, FormSubmission.reaction_id == old_id)
        .values(reaction_id=new_id)
        .execution_options(synchronize_session=False)
    )
