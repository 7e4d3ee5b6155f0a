"""Some messages of a file taken together: whose they are is looked up once, and the charts are locked once."""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from clinic_tracker.domain.lab_merging import groups, version
from clinic_tracker.domain.lab_reading import LabReader
from clinic_tracker.domain.matching import Exact, How, Match, NoMatch
from clinic_tracker.domain.message_json import pack_identity, pack_report, says_the_same
from clinic_tracker.domain.messages import (
    Identity,
    Outcome,
    Parsed,
    Problem,
    Reason,
    ReportState,
    ResultMessage,
    SentReport,
    Unreadable,
)
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.queries.inbound_candidates import matches
from clinic_tracker.queries.inbound_codes import local_codes
from clinic_tracker.queries.inbound_outcomes import told
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_chart import APPLIED, Arrival, Charts, Prior, priors_of
from clinic_tracker.services.inbound_filing import Filing
from clinic_tracker.services.inbound_findings import judge_results
from clinic_tracker.services.inbound_rows import Row, Rows
from clinic_tracker.services.unit_of_work import UnitOfWork

_NOTHING = SentReport("", (), ReportState.CANCELLED, None)


class Part(NamedTuple):
    """One thing that was parsed: its place in the file, and the number of its first row in the log."""

    place: int
    position: int
    parsed: Parsed


class Origin(NamedTuple):
    """Where a message comes from."""

    message_id: int
    source_id: int
    kind: str
    received_at: datetime


@dataclass(slots=True)
class Chunk:
    """Takes parts of one message within one unit of work."""

    scope: Scope
    work: UnitOfWork
    origin: Origin
    counts: Counter[str] = field(default_factory=Counter)
    rows: Rows = field(init=False)
    charts: Charts = field(init=False)
    filing: Filing = field(init=False)
    priors: dict[str, list[Prior]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = Rows(self.scope)
        self.charts = Charts(self.scope, self.work)
        reader = LabReader(lab_catalog(self.scope), local_codes(self.scope, self.origin.source_id))
        self.filing = Filing(self.scope, self.origin.source_id, self.origin.kind, reader, self.charts, self.rows)

    def take(self, parts: Sequence[Part]) -> list[Outcome]:
        """Record parts; what became of each, in their order."""
        arrivals = [self._arrivals(part) for part in parts]
        keys = {arrival.key for of_part in arrivals for arrival in of_part if arrival.key}
        self.priors = priors_of(self.scope, self.origin.source_id, keys)
        for arrival in (one for of_part in arrivals for one in of_part):
            self._date_correction(arrival)
        found = self._matches(parts, arrivals)
        self._prepare(arrivals, found)
        for part, of_part, match in zip(parts, arrivals, found, strict=True):
            if of_part[0].key and isinstance(part.parsed, ResultMessage):
                self._take_message(part.parsed, of_part, match)
            else:
                self.rows.results.append(of_part[0].row)
        self.rows.flush()
        self.counts.update(arrival.row["state"] for of_part in arrivals for arrival in of_part)
        return [_outcome(self.scope, part.parsed, of_part) for part, of_part in zip(parts, arrivals, strict=True)]

    def judge(self) -> None:
        """Work out what the results of this unit of work mean, once for each patient."""
        changed = {one.id: one.changed_from for one in self.charts.known.values() if one.changed_from}
        judge_results(self.scope, changed)
        self.work.added = {
            one.id: [row["id"] for row in one.added] for one in self.charts.known.values() if not one.rewritten
        }

    def _arrivals(self, part: Part) -> list[Arrival]:
        """The reports of a part, each with its row in the log."""
        parsed = part.parsed
        if isinstance(parsed, Unreadable):
            return [self._unreadable(part.position, parsed)]
        if not parsed.reports:
            words = "There are no results in it."
            nothing = Unreadable(parsed.position, parsed.control_id, "", words, Reason.MISSING, parsed.entries)
            return [self._unreadable(part.position, nothing)]
        identity = pack_identity(parsed.identity)
        return [
            self._arrival(part.position + place, parsed, report, identity)
            for place, report in enumerate(parsed.reports)
        ]

    def _arrival(self, position: int, parsed: ResultMessage, report: SentReport, identity: Row) -> Arrival:
        packed = pack_report(report)
        key = report.key or _digest(identity, packed)
        about = {
            "laboratory": parsed.laboratory,
            "control_id": parsed.control_id,
            "part": parsed.position,
            "entries": list(parsed.entries),
        }
        row = self._row(position, identity=identity, external_id=key, issued_at=report.issued_at or parsed.sent_at)
        row["report"] = {"sent": packed, **about}
        row["problems"] = [{"kind": "field", **problem._asdict()} for problem in (*parsed.problems, *report.problems)]
        return Arrival(report, key, row)

    def _unreadable(self, position: int, parsed: Unreadable) -> Arrival:
        row = self._row(position, identity={}, external_id=None, issued_at=None)
        row["state"] = InboundState.REFUSED.value
        row["report"] = {"control_id": parsed.control_id, "part": parsed.position, "entries": list(parsed.entries)}
        said = {"where": parsed.where, "message": parsed.message, "reason": parsed.reason.value}
        row["problems"] = [{"kind": "unreadable", **said}]
        return Arrival(_NOTHING, "", row)

    def _row(self, position: int, **values: Any) -> Row:
        return {
            "public_id": uuid.uuid4(),
            "clinic_id": self.scope.clinic_id,
            "message_id": self.origin.message_id,
            "position": position,
            "received_at": self.origin.received_at,
            "state": InboundState.UNMATCHED.value,
            "patient_id": None,
            "matched_how": None,
            "matched_at": None,
            "problems": [],
            **values,
        }

    def _matches(self, parts: Sequence[Part], arrivals: Sequence[Sequence[Arrival]]) -> list[Match]:
        """Whose each part is. What a person decided for the same number and the same identity holds on."""
        places = [place for place, part in enumerate(parts) if isinstance(part.parsed, ResultMessage)]
        identities = [
            of_source(self.scope, self.origin.source_id, part.parsed.identity)
            for part in parts
            if isinstance(part.parsed, ResultMessage)
        ]
        found: list[Match] = [NoMatch()] * len(parts)
        for place, match in zip(places, matches(self.scope, identities), strict=True):
            found[place] = self._as_before(arrivals[place], match)
        return found

    def _as_before(self, arrivals: Sequence[Arrival], match: Match) -> Match:
        """The chart of the earlier versions where a person chose it or the match is no certain one.

        A version of what a person took off a chart waits with it, however certain the match is.
        """
        before = [
            prior
            for arrival in arrivals
            for prior in self.priors.get(arrival.key, ())
            if prior.identity == arrival.row["identity"]
        ]
        if any(prior.was_undone for prior in before):
            return NoMatch()
        applied = [prior for prior in before if prior.patient_id is not None and prior.state in APPLIED]
        chosen = {prior.patient_id for prior in applied if prior.how == How.PERSON}
        charts = chosen or ({prior.patient_id for prior in applied} if not isinstance(match, Exact) else set())
        (chart,) = charts if len(charts) == 1 else (None,)
        return match if chart is None else Exact(chart, How.EARLIER)

    def _prepare(self, arrivals: Sequence[Sequence[Arrival]], found: Sequence[Match]) -> None:
        """Lock the charts, and read what the reports are compared with."""
        patients: set[int] = set()
        days: set[tuple[int, date]] = set()
        for of_part, match in zip(arrivals, found, strict=True):
            if isinstance(match, Exact):
                patients.add(match.key)
                days |= {(match.key, one.report.collected_on) for one in of_part if one.report.collected_on}
        self.charts.lock(patients)
        self.charts.read_days(days)
        self.filing.orders.read(patients)

    def _take_message(self, parsed: ResultMessage, arrivals: Sequence[Arrival], match: Match) -> None:
        if {arrival.key for arrival in arrivals} & self.rows.keys:
            self._write()
        fresh: list[Arrival] = []
        for arrival in arrivals:
            same = self._repeats(arrival)
            if same is None and any(other.key == arrival.key for other in fresh):
                self._file(parsed, fresh, match)
                self._write()
                fresh, same = [], self._repeats(arrival)
            if same is None:
                fresh.append(arrival)
                continue
            arrival.row["state"], arrival.row["patient_id"] = InboundState.DUPLICATE.value, same.patient_id
            self.rows.results.append(arrival.row)
        self._file(parsed, fresh, match)

    def _date_correction(self, arrival: Arrival) -> None:
        """A correction that does not say when it was issued is as new as its arrival, where earlier versions say it."""
        before = self.priors.get(arrival.key, ())
        corrects = arrival.report.state in (ReportState.CORRECTED, ReportState.CANCELLED)
        if corrects and arrival.row["issued_at"] is None and any(prior.issued_at for prior in before):
            came_before = any(says_the_same(prior.sent, arrival.report) for prior in before)
            arrival.row["issued_at"] = None if came_before else self.origin.received_at

    def _write(self) -> None:
        """Write what came before in this chunk, so that it counts as earlier versions."""
        keys = set(self.rows.keys)
        self.rows.flush()
        self.priors |= priors_of(self.scope, self.origin.source_id, keys)

    def _file(self, parsed: ResultMessage, arrivals: Sequence[Arrival], match: Match) -> None:
        if isinstance(match, Exact):
            chart = self.charts.known[match.key]
            if self.rows.incomplete & {(chart.id, arrival.report.collected_on) for arrival in arrivals}:
                self._write()  # a part of the same draw may be among it
            for arrival in arrivals:
                arrival.row["matched_how"], arrival.row["matched_at"] = match.how.value, self.scope.now
            contents = self.filing.reader.contents
            for group in groups([arrival.report for arrival in arrivals], contents):
                self.filing.file(chart, [arrivals[place] for place in group], self.priors, parsed.laboratory)
        self.rows.results += [arrival.row for arrival in arrivals]
        self.rows.keys |= {arrival.key for arrival in arrivals}

    def _repeats(self, arrival: Arrival) -> Prior | None:
        """The earlier version that says the same, unless another one came after it that is older than this one."""
        before = self.priors.get(arrival.key, ())
        newest = max(before, key=lambda prior: (version(prior.sent, prior.issued_at), prior.id), default=None)
        own = version(arrival.report, arrival.row["issued_at"])
        for prior in before:
            same = says_the_same(prior.sent, arrival.report)
            same = same and prior.identity == arrival.row["identity"]
            if same and (prior is newest or own <= version(prior.sent, prior.issued_at)):
                return prior
        return None


def refused(_scope: Scope, part: Part) -> Part:
    """A part that cannot be recorded, as one that cannot be read."""
    parsed = part.parsed
    problem = Problem("", "It cannot be recorded here: the clinic has to look into it.", Reason.NOT_STORED)
    return part._replace(parsed=Unreadable(parsed.position, parsed.control_id, *problem, entries=parsed.entries))


def of_source(_scope: Scope, source_id: int, identity: Identity) -> Identity:
    """The identity with the source as the giver of numbers that name nobody: two sources may give the same number."""
    if all(one.system for one in identity.identifiers):
        return identity
    given = tuple(one if one.system else one._replace(system=f"source:{source_id}") for one in identity.identifiers)
    return replace(identity, identifiers=given)


def _digest(identity: Row, packed: Row) -> str:
    """The number of a report that has none: the same content is the same report."""
    said = {name: value for name, value in packed.items() if name not in ("issued_at", "problems")}
    return "content:" + hashlib.sha256(json.dumps([identity, said], sort_keys=True).encode()).hexdigest()[:40]


def _outcome(scope: Scope, parsed: Parsed, arrivals: Sequence[Arrival]) -> Outcome:
    rows = [arrival.row for arrival in arrivals]
    problems = tuple(problem for row in rows for problem in told(scope, row["state"], row["problems"]))
    taken = any(row["state"] != InboundState.REFUSED.value for row in rows)
    return Outcome(parsed.position, taken, problems, parsed.entries)
