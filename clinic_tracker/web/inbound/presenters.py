"""What became of messages and their reports, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from clinic_tracker.domain.matching import Candidate
from clinic_tracker.domain.messages import Coded, Observed
from clinic_tracker.domain.vocabulary import InboundMessageState, InboundState
from clinic_tracker.queries.inbound import MessageRow, ResultRow
from clinic_tracker.queries.inbound_candidates import candidates_of
from clinic_tracker.queries.inbound_outcomes import counts_by_message
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.access import shown_patients

STATE_WORDS: dict[InboundState, tuple[str, str]] = {
    InboundState.RECORDED: ("recorded", "green"),
    InboundState.DUPLICATE: ("came before", "grey"),
    InboundState.SUPERSEDED: ("replaced by a later version", "grey"),
    InboundState.UNMATCHED: ("unmatched", "amber"),
    InboundState.NOT_UNDERSTOOD: ("not understood", "amber"),
    InboundState.REFUSED: ("refused", "red"),
    InboundState.DISMISSED: ("dismissed", "grey"),
    InboundState.NOTED: ("noted", "accent"),
}
MESSAGE_WORDS: dict[InboundMessageState, tuple[str, str]] = {
    InboundMessageState.RECEIVED: ("not finished", "amber"),
    InboundMessageState.DONE: ("done", "green"),
    InboundMessageState.REFUSED: ("refused", "red"),
}
MATCHED_WORDS = {
    "mrn": "by the MRN",
    "rems_id": "by the REMS ID",
    "identifier": "by a number remembered from an earlier match",
    "demographics": "by name, birth date and sex",
    "earlier": "with an earlier version of the report",
    "person": "by a person",
}
CAN_BE_UNDONE = frozenset({InboundState.RECORDED, InboundState.NOT_UNDERSTOOD, InboundState.NOTED})


@dataclass(frozen=True, slots=True)
class ShownResult:
    """One report of a message as a page shows it."""

    row: ResultRow
    title: str
    state: str
    tone: str
    problems: tuple[str, ...]
    chart: Candidate | None
    matched: str
    href: str | None

    @property
    def can_be_undone(self) -> bool:
        """Whether it is on a chart from which it can be taken."""
        return self.row.patient is not None and self.row.state in CAN_BE_UNDONE


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message or file with how many of its reports became what."""

    row: MessageRow
    state: str
    tone: str
    counts: tuple[tuple[str, int], ...]


def shown_messages(scope: Scope, rows: Sequence[MessageRow]) -> list[ShownMessage]:
    """Messages in words."""
    counts = counts_by_message(scope, [row.id for row in rows])
    return [shown_message(row, counts.get(row.id, {})) for row in rows]


def shown_message(row: MessageRow, counts: Mapping[str, int]) -> ShownMessage:
    """A message in words, with how many of its reports became what until now."""
    state, tone = MESSAGE_WORDS[InboundMessageState(row.state)]
    told = tuple((words, int(counts[key])) for key, (words, _tone) in STATE_WORDS.items() if counts.get(key))
    return ShownMessage(row, state, tone, told)


def shown_results(scope: Scope, rows: Sequence[ResultRow]) -> list[ShownResult]:
    """Reports in words with the charts that they are on; the access log is told of the charts."""
    charts = candidates_of(scope, {row.patient_id for row in rows if row.patient_id is not None})
    shown_patients(list(charts))
    return [_shown(row, charts.get(row.patient_id or 0)) for row in rows]


def title_of(row: ResultRow) -> str:
    """What was tested, in the laboratory's words."""
    if row.report is None:
        return "Part that could not be read"
    return code_words(row.report.codes) or ", ".join(line_title(line) for line in row.report.values[:3]) or "Report"


def code_words(codes: Sequence[Coded]) -> str:
    """The text of a code, or the code itself."""
    return next((one.text for one in codes if one.text), "") or next((one.code for one in codes if one.code), "")


def line_title(line: Observed) -> str:
    """The text of the code of a line."""
    return code_words(line.codes) or "no code"


def problem_words(problem: dict[str, Any]) -> str:
    """A problem in a sentence: what, of which line, with the value and unit as sent."""
    subject = problem.get("title") or problem.get("code") or problem.get("where") or ""
    value = " ".join(part for part in (problem.get("value"), problem.get("unit")) if part)
    parts = [f"{subject}: " if subject else "", problem.get("message", ""), f" ({value})" if value else ""]
    return "".join(parts)


def _shown(row: ResultRow, chart: Candidate | None) -> ShownResult:
    state, tone = STATE_WORDS[row.state]
    problems = tuple(problem_words(problem) for problem in row.problems)
    href = None
    if row.state is InboundState.UNMATCHED:
        href = url_for("inbound.unmatched_result", result=row.public_id)
    elif row.state is InboundState.NOT_UNDERSTOOD:
        href = url_for("inbound.unread_result", result=row.public_id)
    matched = MATCHED_WORDS.get(row.matched_how or "", "")
    return ShownResult(row, title_of(row), state, tone, problems, chart, matched, href)
