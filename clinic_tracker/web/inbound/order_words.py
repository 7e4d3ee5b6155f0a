"""Panels on order in words: beside what is owed, and on the list of specimens that never came back."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_orders import OrderRow, OrderState, open_orders
from clinic_tracker.queries.scope import Scope

TONES = {
    OrderState.ORDERED: "grey",
    OrderState.COLLECTED: "accent",
    OrderState.PENDING: "accent",
    OrderState.REJECTED: "red",
}


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """An order: the panel, how far it is since when, and the reason of a rejection."""

    row: OrderRow
    title: str
    state: OrderState
    on: date
    tone: str
    days: int

    @property
    def ago(self) -> str:
        """Since when, as people say it."""
        return {0: "today", 1: "yesterday"}.get(self.days, f"{self.days} d ago")


def shown_order(catalog: LabCatalog, row: OrderRow, today: date) -> ShownOrder:
    """One order in words."""
    state = row.state
    on = {
        OrderState.ORDERED: row.ordered_on,
        OrderState.COLLECTED: row.collected_on,
        OrderState.PENDING: row.pending_since,
        OrderState.REJECTED: row.rejected_on,
    }[state]
    since = on or row.ordered_on
    return ShownOrder(row, panel_title(catalog, Panel(row.panel)), state, since, TONES[state], (today - since).days)


def orders_by_patient(scope: Scope, patient_ids: Collection[int]) -> dict[int, list[ShownOrder]]:
    """What is on order for each of these patients."""
    found: defaultdict[int, list[ShownOrder]] = defaultdict(list)
    rows = open_orders(scope, patient_ids) if patient_ids else []
    catalog = lab_catalog(scope)
    for row in rows:
        found[row.patient_id].append(shown_order(catalog, row, scope.today))
    return dict(found)
