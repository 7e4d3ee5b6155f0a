"""A chart that an imported history is held against: which facts are missing, and adding them."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from sqlalchemy import insert, select

from clinic_tracker.domain.imported_history import ImportedHistory
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope

VIA = "history import"
NOT_STATED = "Not stated in the imported history"


class ImportChart:
    """The chart of one patient during an import; ``added`` counts the facts that were missing."""

    def __init__(self, scope: Scope, patient: Patient, imported: ImportedHistory, *, is_new: bool) -> None:
        self.scope = scope
        self.is_new = is_new
        self.patient = patient
        self.imported = imported
        self.history = imported.history
        self.added = 0

    def fact(self, **values: Any) -> dict[str, Any]:
        """The columns of a fact of this patient, recorded by this import."""
        return {
            "clinic_id": self.scope.clinic_id,
            "patient_id": self.patient.id,
            "recorded_by_id": self.scope.user_id,
            "recorded_via": VIA,
            "recorded_at": self.scope.now,
            **values,
        }

    def on_file(self, *columns: Any) -> Counter[tuple[Any, ...]]:
        """The facts of one table by their natural key, also those corrected or entered in error since.

        Those are known too: a second import must not bring back what somebody put right.
        """
        if self.is_new:
            return Counter()
        table = columns[0].class_
        rows = db.session.execute(
            select(*columns).where(table.patient_id == self.patient.id, table.clinic_id == self.scope.clinic_id)
        )
        return Counter(tuple(row) for row in rows)

    def insert(self, model: Any, rows: list[dict[str, Any]]) -> None:
        """Add rows of one table."""
        self.added += len(rows)
        if rows:
            db.session.execute(insert(model), rows)

    def missing(self, wanted: Iterable[Any], key: Any, on_file: Counter[tuple[Hashable, ...]]) -> list[Any]:
        """The facts beyond those on file: two alike in the history want two alike on file."""
        left = Counter(on_file)
        absent = []
        for item in wanted:
            if left[key(item)] > 0:
                left[key(item)] -= 1
            else:
                absent.append(item)
        return absent
