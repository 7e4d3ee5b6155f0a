"""The charts that a chunk of results touches: locked, with what of them the results are compared with."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.lab_entry import ReadPanel, ReadValue
from clinic_tracker.domain.lab_merging import version
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.message_json import unpack_report
from clinic_tracker.domain.messages import SentReport
from clinic_tracker.domain.vocabulary import FactState, InboundState, Panel, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_rows import Row
from clinic_tracker.services.unit_of_work import UnitOfWork

AT_ONCE = 400
APPLIED = frozenset({InboundState.RECORDED, InboundState.NOT_UNDERSTOOD, InboundState.NOTED})
ON_CHART = APPLIED | {InboundState.DUPLICATE}


@dataclass(slots=True)
class Arrival:
    """One report that has come, and the row that says what became of it."""

    report: SentReport
    key: str
    row: Row


class Prior(NamedTuple):
    """An earlier version of a report, as it was sent, and what became of it."""

    id: int
    key: str
    state: InboundState
    patient_id: int | None
    issued_at: datetime | None
    sent: SentReport
    together: tuple[str, ...]
    confirmed: Mapping[str, int]
    identity: Mapping[str, Any]
    how: str | None
    matched_at: datetime | None

    @property
    def was_undone(self) -> bool:
        """Whether it was taken off a chart or kept from one, and nobody has said since whose it is."""
        return self.state is InboundState.UNMATCHED and self.matched_at is not None


class OnRecord(NamedTuple):
    """A report that stands on a chart."""

    id: int
    collected_at: datetime | None
    source: str
    status: str


@dataclass(slots=True)
class Chart:
    """What is known of one patient. ``changed_from`` is the earliest day of which a result changed."""

    id: int
    sex: Sex
    birth_date: date
    has_cervix: bool
    changed_from: date | None = None
    rewritten: bool = False  # something that stood before was replaced or withdrawn
    added: list[Row] = field(default_factory=list)

    def changed(self, day: date) -> None:
        """Results of that day have changed."""
        self.changed_from = day if self.changed_from is None else min(day, self.changed_from)


@dataclass(slots=True)
class Charts:
    """The charts of a unit of work, by key."""

    scope: Scope
    work: UnitOfWork
    known: dict[int, Chart] = field(default_factory=dict)
    days: dict[tuple[int, str, date], list[OnRecord]] = field(default_factory=dict)

    def lock(self, patient_ids: Collection[int]) -> None:
        """Lock these patients, in the order of their keys, and read what is compared."""
        wanted = sorted(set(patient_ids) - self.known.keys())
        for patient in self.work.lock_patients(wanted):
            sex = Sex(patient.sex_at_birth)
            has_cervix = patient.has_cervix if patient.has_cervix is not None else sex is Sex.FEMALE
            self.known[patient.id] = Chart(patient.id, sex, patient.birth_date, has_cervix)

    def read_days(self, wanted: Iterable[tuple[int, date]]) -> None:
        """Read what stands on these days of these patients."""
        pairs = set(wanted)
        patients, days = sorted({patient for patient, _ in pairs}), sorted({day for _, day in pairs})
        found: defaultdict[tuple[int, str, date], list[OnRecord]] = defaultdict(list)
        for start in range(0, len(patients), AT_ONCE):
            rows = db.session.execute(
                select(
                    LabReport.patient_id,
                    LabReport.panel,
                    LabReport.collected_on,
                    LabReport.id,
                    LabReport.collected_at,
                    LabReport.source,
                    LabReport.result_status,
                ).where(
                    LabReport.clinic_id == self.scope.clinic_id,
                    LabReport.patient_id.in_(patients[start : start + AT_ONCE]),
                    LabReport.collected_on.in_(days),
                    LabReport.state == FactState.RECORDED.value,
                )
            )
            for patient, panel, day, key, at, source, status in rows:
                if (patient, day) in pairs:
                    found[patient, panel, day].append(OnRecord(key, at, source, status))
        self.days = dict(found)

    def forget(self, row: LabReport) -> None:
        """Compare nothing more with a report that no longer stands."""
        place = (row.patient_id, row.panel, row.collected_on)
        self.days[place] = [there for there in self.days.get(place, ()) if there.id != row.id]

    def wrong_date(self, chart: Chart, report: SentReport) -> str | None:
        """Why the date of collection cannot be; ``None`` if it can."""
        day = report.collected_on
        if day is None:
            return "The date of collection is missing."
        if day > self.scope.today:
            return f"The date of collection, {show_date(day)}, is in the future."
        if day < chart.birth_date:
            return f"The date of collection, {show_date(day)}, is before the patient was born."
        return None

    def same_on_record(self, chart: Chart, panel: ReadPanel, report: SentReport, source: str) -> OnRecord | None:
        """What stands there from elsewhere with the very same values: typed from paper, or come by another way."""
        assert report.collected_on is not None
        if panel.panel is Panel.OTHER or not panel.values:
            return None
        for there in self.days.get((chart.id, panel.panel.value, report.collected_on), ()):
            at_once = there.collected_at is None or report.collected_at is None
            if (
                there.source != source
                and there.status == panel.status.value
                and (at_once or there.collected_at == report.collected_at)
                and _values_of(self.scope, there.id) == _compared(panel.values)
            ):
                return there
        return None


def priors_of(scope: Scope, source_id: int, keys: Collection[str]) -> dict[str, list[Prior]]:
    """The earlier versions of reports of a source by the laboratory's number, in the order of their arrival."""
    found: defaultdict[str, list[Prior]] = defaultdict(list)
    wanted = sorted(keys)
    for start in range(0, len(wanted), AT_ONCE):
        rows = db.session.execute(
            select(
                InboundResult.id,
                InboundResult.external_id,
                InboundResult.state,
                InboundResult.patient_id,
                InboundResult.issued_at,
                InboundResult.report,
                InboundResult.identity,
                InboundResult.matched_how,
                InboundResult.matched_at,
                InboundMessage.source_id,  # not a condition: all results of the source would be looked through
            )
            .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
            .where(
                InboundResult.clinic_id == scope.clinic_id,
                InboundResult.external_id.in_(wanted[start : start + AT_ONCE]),
                InboundResult.state != InboundState.REFUSED.value,
            )
        )
        for key, external_id, state, patient_id, issued_at, packed, identity, how, at, source in sorted(rows, key=_id):
            assert external_id is not None
            if source != source_id:
                continue
            together = tuple(packed.get("with", ())) or (external_id,)
            sent, confirmed = unpack_report(packed["sent"]), packed.get("confirmed", {})
            version_of = (key, external_id, InboundState(state), patient_id, issued_at, sent, together, confirmed)
            found[external_id].append(Prior(*version_of, identity, how, at))
    return found


def latest_of(_scope: Scope, priors: Iterable[Prior]) -> Prior | None:
    """The newest version that was put on a chart, or found there; of two equals the one that came last."""
    applied = [prior for prior in priors if prior.state in ON_CHART and prior.patient_id is not None]
    return max(applied, key=lambda prior: (version(prior.sent, prior.issued_at), prior.id), default=None)


def _id(row: Any) -> int:
    """Sorted here: to read them in this order the database would go through all results of the clinic."""
    return int(row.id)


def _values_of(_scope: Scope, report_id: int) -> list[tuple[Any, ...]]:
    rows = db.session.execute(
        select(LabValue.analyte, LabValue.number, LabValue.text, LabValue.unit).where(
            LabValue.lab_report_id == report_id
        )
    )
    return sorted((analyte, number, text if number is None else None, unit) for analyte, number, text, unit in rows)


def _compared(values: Iterable[ReadValue]) -> list[tuple[Any, ...]]:
    return sorted((one.analyte, one.number, one.text if one.number is None else None, one.unit) for one in values)
