"""Compliance by requirement and month of the due date: on time, late, missed, waived, still owed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Obligation, PatientSchedule
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting

GRACE_SETTING = "report_on_time_grace_days"


@dataclass(frozen=True, slots=True)
class ComplianceRow:
    """The obligations of one requirement that fell due in one month (its first day).

    ``on_time``: done by the due date plus the grace; ``late``: done after that; ``missed``: the window closed without
    evidence; ``owed``: neither done nor closed yet; ``waived``: waived and not done. They add up to ``due``.
    """

    requirement: str
    month: date
    due: int
    on_time: int
    late: int
    missed: int
    owed: int
    waived: int

    @property
    def expected(self) -> int:
        """The denominator: what was due and not waived."""
        return self.due - self.waived

    @property
    def share_on_time(self) -> float | None:
        """On time among what was expected; None where nothing was."""
        return self.on_time / self.expected if self.expected else None


def compliance(
    scope: Scope, from_on: date, to_on: date, requirement: str | None = None, prescriber_id: int | None = None
) -> list[ComplianceRow]:
    """Every obligation due from ``from_on`` to ``to_on`` (inclusive, not later than today), by requirement and month.

    On time means collected, examined or submitted within the clinic's grace (setting, a local convention of 7 days)
    after the due date. Obligations due after the prescriber's sign-off are not counted.
    """
    grace = timedelta(days=setting(scope, GRACE_SETTING))
    statement = _counts(scope, from_on, min(to_on, scope.today))
    if requirement is not None:
        statement = statement.where(Obligation.requirement == requirement)
    if prescriber_id is not None:
        statement = statement.join(Patient, Patient.id == Obligation.patient_id).where(
            Patient.prescriber_id == prescriber_id
        )
    counts: defaultdict[tuple[str, date], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for code, due_on, done_on, kind, number in db.session.execute(statement):
        name = kind if done_on is None else "on_time" if done_on <= due_on + grace else "late"
        counts[code, due_on.replace(day=1)][name] += number
    return [
        ComplianceRow(
            code,
            month,
            due=sum(of.values()),
            on_time=of["on_time"],
            late=of["late"],
            missed=of["missed"],
            owed=of["owed"],
            waived=of["waived"],
        )
        for (code, month), of in sorted(counts.items())
    ]


def _counts(scope: Scope, from_on: date, to_on: date) -> Any:
    """How many obligations of the clinic fell due on which day and came to what."""
    outcome = _outcome(scope.today)
    closed_on = PatientSchedule.monitoring_closed_on
    return (
        select(Obligation.requirement, Obligation.due_on, Obligation.done_on, outcome, func.count())
        .join(PatientSchedule, PatientSchedule.patient_id == Obligation.patient_id)
        .where(
            Obligation.clinic_id == scope.clinic_id,
            Obligation.due_on >= from_on,
            Obligation.due_on <= to_on,
            closed_on.is_(None) | (Obligation.due_on <= closed_on) | Obligation.done_on.is_not(None),
        )
        .group_by(Obligation.requirement, Obligation.due_on, Obligation.done_on, outcome)
    )


def _outcome(today: date) -> ColumnElement[str]:
    """What became of an obligation on a date."""
    return case(
        (Obligation.done_on.is_not(None), "done"),
        (Obligation.waived, "waived"),
        (and_(Obligation.closes_on.is_not(None), Obligation.closes_on < today), "missed"),
        else_="owed",
    )


def totals(_scope: Scope, rows: list[ComplianceRow]) -> list[ComplianceRow]:
    """The rows added up by requirement; ``month`` is the first month of each."""
    by_requirement: dict[str, ComplianceRow] = {}
    for row in rows:
        so_far = by_requirement.get(row.requirement)
        by_requirement[row.requirement] = row if so_far is None else _sum(so_far, row)
    return list(by_requirement.values())


def _sum(first: ComplianceRow, second: ComplianceRow) -> ComplianceRow:
    return ComplianceRow(
        first.requirement,
        min(first.month, second.month),
        due=first.due + second.due,
        on_time=first.on_time + second.on_time,
        late=first.late + second.late,
        missed=first.missed + second.missed,
        owed=first.owed + second.owed,
        waived=first.waived + second.waived,
    )
