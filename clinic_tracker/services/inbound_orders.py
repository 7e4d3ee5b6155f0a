"""Orders as laboratories report on them: ordered, collected, pending, rejected; and closed by the report."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic_tracker.domain.lab_reading import OrderedPanel
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.domain.vocabulary import FactState, ResultStatus
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LabOrder
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.inbound_chart import Arrival, Chart
from clinic_tracker.services.inbound_rows import Row, Rows
from clinic_tracker.services.lab_orders import NO_REASON, is_near

AT_ONCE = 400


@dataclass(slots=True)
class Orders:
    """The open orders of the patients of a chunk."""

    scope: Scope
    via: str
    rows: Rows
    open: defaultdict[int, list[LabOrder]] = field(default_factory=lambda: defaultdict(list))

    def read(self, patient_ids: Collection[int]) -> None:
        """Read the open orders of these patients, without those that a report of the chunk answers."""
        wanted = sorted(patient_ids)
        answered = {order for order, _ in self.rows.closings}
        for key in wanted:
            self.open.pop(key, None)
        for start in range(0, len(wanted), AT_ONCE):
            rows = db.session.execute(
                select(LabOrder)
                .where(
                    LabOrder.clinic_id == self.scope.clinic_id,
                    LabOrder.patient_id.in_(wanted[start : start + AT_ONCE]),
                    LabOrder.state == FactState.RECORDED.value,
                    LabOrder.lab_report_id.is_(None),
                )
                .order_by(LabOrder.id)
                .execution_options(populate_existing=True)
            ).scalars()
            for row in rows:
                if row.id not in answered:
                    self.open[row.patient_id].append(row)

    def follow(self, chart: Chart, arrival: Arrival, ordered: Sequence[OrderedPanel]) -> None:
        """Write down how far these panels are."""
        for one in ordered:
            panel, report = one.panel.value, arrival.report
            order = self._named(chart, panel, report) or self._unnamed(chart, panel, report)
            before = audit.snapshot(order) if order is not None else None
            if order is None:
                order = self._new(chart, one, report)
            self._advance(order, one, report)
            order.external_id = order.external_id or report.order_key or report.key or None
            db.session.flush()
            self.rows.orders.append((order, arrival.row))
            action = AuditAction.LAB_ORDER_RECORDED if before is None else AuditAction.LAB_ORDER_CHANGED
            audit.record(self.scope, action, order, before=before)

    def close(self, chart: Chart, row: Row, report: SentReport) -> None:
        """A report answers the order that it names, or the open one of its panel and day; no preliminary one does."""
        if not self.open.get(chart.id) or row["result_status"] == ResultStatus.PRELIMINARY.value:
            return
        order = self._named(chart, row["panel"], report)
        if order is None:
            day = row["collected_on"]
            near = [one for one in self.open[chart.id] if one.panel == row["panel"] and is_near(self.scope, one, day)]
            order = near[0] if near else None
        if order is None:
            return
        if row["specimen_problem"] is not None:
            order.rejected_on, order.rejected_reason = row["collected_on"], row["missing"] or NO_REASON
            return
        self.open[chart.id].remove(order)
        self.rows.closings.append((order.id, row))

    def _named(self, chart: Chart, panel: str, report: SentReport) -> LabOrder | None:
        """The open order that has the number of the report."""
        names = {name for name in (report.order_key, report.key) if name}
        return next((one for one in self.open[chart.id] if one.panel == panel and one.external_id in names), None)

    def _unnamed(self, chart: Chart, panel: str, report: SentReport) -> LabOrder | None:
        """The one open order of a panel that was written down here, without a number."""
        open_ones = [
            one
            for one in self.open[chart.id]
            if one.panel == panel and one.external_id is None and one.rejected_on is None
        ]
        day = report.collected_on or self.scope.today
        near = [one for one in open_ones if is_near(self.scope, one, day)]
        return near[0] if len(near) == 1 else None

    def _new(self, chart: Chart, ordered: OrderedPanel, report: SentReport) -> LabOrder:
        order = LabOrder(
            clinic_id=self.scope.clinic_id,
            patient_id=chart.id,
            panel=ordered.panel.value,
            ordered_on=self._day(report),
            recorded_by_id=self.scope.user_id,
            recorded_via=self.via,
            recorded_at=self.scope.now,
        )
        db.session.add(order)
        self.open[chart.id].append(order)
        return order

    def _advance(self, order: LabOrder, ordered: OrderedPanel, report: SentReport) -> None:
        if report.collected_on is not None and ordered.state is not ReportState.ORDERED:
            order.collected_on = report.collected_on
        match ordered.state:
            case ReportState.PENDING:
                order.pending_since = order.pending_since or self._day(report)
            case ReportState.REJECTED:
                order.rejected_on = self._said_on(report)
                order.rejected_reason = ordered.reason or NO_REASON
            case _:
                pass

    def _day(self, report: SentReport) -> date:
        return min(report.collected_on or self._said_on(report), self.scope.today)

    def _said_on(self, report: SentReport) -> date:
        if report.issued_at is None:
            return self.scope.today
        return min(report.issued_at.astimezone(ZoneInfo(self.scope.time_zone)).date(), self.scope.today)
