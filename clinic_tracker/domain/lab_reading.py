"""What a report that a laboratory sent says: panels, exams and orders; and what of it nobody here understands.

Codes and units are looked up, by LOINC or by what a person has mapped once. Whatever is in no table becomes a problem
with its text, and the rest of the report goes on.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_doubts import LONGEST_TEXT, Doubt, DoubtKind, doubt, kind_of
from clinic_tracker.domain.lab_entry import ReadPanel, ReadValue
from clinic_tracker.domain.lab_meaning import CodeTable, LocalCodes, Meaning
from clinic_tracker.domain.lab_merging import state_of_line
from clinic_tracker.domain.lab_values import ValueReader
from clinic_tracker.domain.lab_words import (
    PERCENT_ONLY,
    SPOILS,
    of_the_tube,
    outcome_of,
    specimen_problem,
)
from clinic_tracker.domain.messages import LOINC, Coded, Observed, ReportState, SentReport
from clinic_tracker.domain.other_lines import other_lines
from clinic_tracker.domain.panels import LabCatalog, SpecimenProblem
from clinic_tracker.domain.vocabulary import ExamKind, LocalCodeKind, Panel, ResultStatus, Sex

WITHOUT_VALUES = frozenset({ReportState.ORDERED, ReportState.COLLECTED, ReportState.PENDING, ReportState.REJECTED})
_NO_VALUE = WITHOUT_VALUES | {ReportState.CANCELLED}
_STATUS = {
    ReportState.PRELIMINARY: ResultStatus.PRELIMINARY,
    ReportState.CORRECTED: ResultStatus.CORRECTED,
    ReportState.FINAL: ResultStatus.FINAL,
}


class ReadExam(NamedTuple):
    """An exam understood: its outcome is one of its list; ``method`` is the laboratory's name of the test."""

    kind: ExamKind
    outcome: str
    method: str


class OrderedPanel(NamedTuple):
    """A panel that has no result yet, and how far it is."""

    panel: Panel
    state: ReportState
    reason: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What a report says. ``problems`` are lines left out; everything else of the report stands.

    ``unsettled`` are the exams of which a line is not final or not read, ``unread`` the analytes with a value that
    cannot be read: what was known of them before still counts.
    """

    panels: tuple[ReadPanel, ...] = ()
    exams: tuple[ReadExam, ...] = ()
    orders: tuple[OrderedPanel, ...] = ()
    problems: tuple[Doubt, ...] = ()
    unsettled: frozenset[ExamKind] = frozenset()
    unread: frozenset[str] = frozenset()


class _Line(NamedTuple):
    """One line with what its code means."""

    sent: Observed
    meaning: Meaning


def understand(report: SentReport, catalog: LabCatalog, local: LocalCodes, sex: Sex) -> Understood:
    """What the report says (see ``LabReader.understand``)."""
    return LabReader(catalog, local).understand(report, sex)


class LabReader:
    """Reads the reports of one source with its local codes."""

    def __init__(self, catalog: LabCatalog, local: LocalCodes) -> None:
        self.catalog = catalog
        self.codes = CodeTable(catalog, local)
        self.values = ValueReader(catalog, local)

    def understand(self, report: SentReport, sex: Sex) -> Understood:
        """Panels, exams or orders of a report, and its problems.

        Where an analyte comes twice the last line that is final counts. A line that the laboratory cancelled or has
        not finished has no value. A panel is preliminary while one of its values is, corrected if one of them was.
        """
        if report.state in WITHOUT_VALUES or (report.state is ReportState.PRELIMINARY and not report.values):
            return self._orders(report)
        problems: list[Doubt] = []
        values: dict[Panel, dict[str, tuple[ReadValue, ReportState]]] = defaultdict(dict)
        spoiled: dict[Panel, SpecimenProblem] = {}
        exams: dict[ExamKind, ReadExam] = {}
        for panel in self.codes.panels_of(report.codes):
            values.setdefault(panel, {})
        for sent in report.values:
            meaning = self.codes.meaning(sent.codes)
            if meaning is None:
                problems += self._unknown(report, sent)
            elif meaning.kind is LocalCodeKind.EXAM:
                self._exam(_Line(sent, meaning), report, exams, problems)
            elif meaning.kind is LocalCodeKind.ANALYTE:
                self._value(_Line(sent, meaning), report, sex, values, spoiled, problems)
            elif meaning.kind is LocalCodeKind.PANEL:
                values.setdefault(Panel(meaning.target), {})
        if not report.values and not values:
            problems += self._unknown_order(report)
        for problem in sorted(self._of_report(report)):
            spoiled |= {panel: problem for panel in values if panel in SPOILS[problem] and panel not in spoiled}
        panels = tuple(self._panel(panel, rows, spoiled.get(panel), report) for panel, rows in values.items())
        panels = panels or self._flagged_alone(report, [*exams, *problems])
        open_exams, unread = self._unsettled(report, exams), self._unread(report, values)
        return Understood(panels, tuple(exams.values()), (), tuple(dict.fromkeys(problems)), open_exams, unread)

    def _flagged_alone(self, report: SentReport, beside: Sequence[object]) -> tuple[ReadPanel, ...]:
        """A report of nothing that is followed here stands on the chart without values where the laboratory flagged it.

        Else nobody would see it; beside a result that is followed, its lines are shown with that one.
        """
        if (
            beside
            or report.state not in _STATUS
            or not any(line.is_flagged for line in other_lines(self.codes, [report]))
        ):
            return ()
        return (ReadPanel(Panel.OTHER, (), _STATUS[report.state], None, ()),)

    def contents(self, report: SentReport) -> frozenset[tuple[str, str]]:
        """The panels and analytes that the lines of a report are about, whatever the values say."""
        meanings = (self.codes.meaning(line.codes) for line in report.values)
        return frozenset(
            (self.catalog.analytes[meaning.target].panel.value, meaning.target)
            for meaning in meanings
            if meaning is not None and meaning.kind is LocalCodeKind.ANALYTE
        )

    def _orders(self, report: SentReport) -> Understood:
        panels = self.codes.panels_of(report.codes) or self.codes.ordered_together(report.codes)
        meaning = self.codes.meaning(report.codes)
        if not panels and meaning is not None and meaning.kind is LocalCodeKind.ANALYTE:
            panels = (self.catalog.analytes[meaning.target].panel,)
        panels = panels or tuple(sorted({Panel(panel) for panel, _ in self.contents(report)}))
        if not panels and meaning is None:
            return Understood(problems=tuple(self._unknown_order(report)))
        reason = "; ".join(dict.fromkeys([*report.notes, *(note for line in report.values for note in line.notes)]))
        state = ReportState.PENDING if report.state is ReportState.PRELIMINARY else report.state
        return Understood(orders=tuple(OrderedPanel(panel, state, reason[:LONGEST_TEXT]) for panel in panels))

    def _of_report(self, report: SentReport) -> set[SpecimenProblem]:
        """What is wrong with the specimen as a whole: in the notes of the report, or in a line that has no analyte."""
        found = {specimen_problem(note) for note in report.notes}
        for sent in report.values:
            told = {of_the_tube(words) for words in (sent.text, *sent.notes)} - {None}
            if told and ((meaning := self.codes.meaning(sent.codes)) is None or meaning.kind != LocalCodeKind.ANALYTE):
                found |= told
        return {problem for problem in found if problem is not None}

    def _unknown(self, report: SentReport, sent: Observed) -> list[Doubt]:
        """A line with a code that nobody knows; nothing where the line says nothing either."""
        if not sent.text.strip() and not sent.value_codes:
            return []
        return [doubt(DoubtKind.UNKNOWN_CODE, sent.codes or report.codes, sent, "The code of this test is not known.")]

    def _unknown_order(self, report: SentReport) -> list[Doubt]:
        if (
            self.codes.ordered_together(report.codes)
            or self.codes.meaning(report.codes)
            or report.state is ReportState.CANCELLED
        ):
            return []
        coded = report.codes[0] if report.codes else Coded("")
        message = "The code of this report is not known, and it has no values."
        return [Doubt(DoubtKind.UNKNOWN_CODE, coded.system, coded.code, coded.text, "", "", message)]

    def _exam(self, line: _Line, report: SentReport, exams: dict[ExamKind, ReadExam], problems: list[Doubt]) -> None:
        sent, state, kind = line.sent, state_of_line(report, line.sent), ExamKind(line.meaning.target)
        if state not in _STATUS or (not sent.text.strip() and not sent.value_codes):
            return
        outcome = _outcome(kind, sent)
        if state is ReportState.PRELIMINARY:
            if outcome is not None and _GRAVITY[outcome]:
                words = "It is preliminary: it is recorded when the final result comes. Look at it before."
                problems.append(doubt(DoubtKind.PRELIMINARY, sent.codes, sent, words))
            return
        if outcome is None:
            words = "The outcome is not one of the words that are known for this test."
            problems.append(doubt(DoubtKind.UNREADABLE_VALUE, sent.codes, sent, words))
            return
        read = ReadExam(kind, outcome, next((coded.text for coded in sent.codes if coded.text), ""))
        known = exams.get(kind)
        if known is None or _GRAVITY[outcome] > _GRAVITY[known.outcome]:
            exams[kind] = read

    def _unsettled(self, report: SentReport, exams: Mapping[ExamKind, ReadExam]) -> frozenset[ExamKind]:
        """The exams of which a line is not final or not read, unless another line says the gravest already."""
        found = set()
        for sent in report.values:
            meaning, state = self.codes.meaning(sent.codes), state_of_line(report, sent)
            if meaning is None or meaning.kind is not LocalCodeKind.EXAM or state is ReportState.CANCELLED:
                continue
            kind = ExamKind(meaning.target)
            is_read = state in (ReportState.FINAL, ReportState.CORRECTED) and _outcome(kind, sent) is not None
            if not is_read and (kind not in exams or exams[kind].outcome != "positive"):
                found.add(kind)
        return frozenset(found)

    def _unread(self, report: SentReport, read: Mapping[Panel, Mapping[str, object]]) -> frozenset[str]:
        """The analytes of which there is a value that cannot be read, and no other one."""
        found = set()
        for sent in report.values:
            meaning = self.codes.meaning(sent.codes)
            if meaning is None or meaning.kind is not LocalCodeKind.ANALYTE:
                continue
            is_read = meaning.target in read.get(self.catalog.analytes[meaning.target].panel, {})
            if is_read or state_of_line(report, sent) in _NO_VALUE:
                continue
            if sent.text.strip() and not specimen_problem(sent.text):
                found.add(meaning.target)
        return frozenset(found)

    def _value(
        self,
        line: _Line,
        report: SentReport,
        sex: Sex,
        values: dict[Panel, dict[str, tuple[ReadValue, ReportState]]],
        spoiled: dict[Panel, SpecimenProblem],
        problems: list[Doubt],
    ) -> None:
        sent, analyte = line.sent, self.catalog.analytes[line.meaning.target]
        rows = values[analyte.panel]
        for words in (sent.text, sent.flag, *sent.notes):
            found = specimen_problem(words) if words else None
            if found is not None and analyte.panel in SPOILS[found]:
                spoiled.setdefault(analyte.panel, found)
        state = state_of_line(report, sent)
        if state in _NO_VALUE or not sent.text.strip() or specimen_problem(sent.text):
            return
        try:
            read = self.values.read(analyte.code, sent, sex)
        except RuleViolation as violation:
            problems.append(doubt(kind_of(violation), sent.codes, sent, violation.message))
            return
        before = rows.get(analyte.code)
        if before is None or state is not ReportState.PRELIMINARY or before[1] is ReportState.PRELIMINARY:
            rows[analyte.code] = (read, state)

    def _panel(
        self,
        panel: Panel,
        rows: Mapping[str, tuple[ReadValue, ReportState]],
        problem: SpecimenProblem | None,
        report: SentReport,
    ) -> ReadPanel:
        states = {state for _, state in rows.values()} or {report.state}
        status = next((_STATUS[state] for state in _STATUS if state in states), ResultStatus.FINAL)
        missing = self.catalog.missing_for_complete(panel, rows, problem)
        if panel is Panel.CD4 and missing and problem is None and any(_is_percent(line) for line in report.values):
            missing = ("no CD4 count (a percentage only)",)
        return ReadPanel(panel, tuple(read for read, _ in rows.values()), status, problem, missing)


_GRAVITY = {"negative": 0, "not_immune": 0, "immune": 0, "indeterminate": 1, "positive": 2}


def _outcome(kind: ExamKind, sent: Observed) -> str | None:
    return outcome_of(kind, sent.text, tuple(coded.code for coded in sent.value_codes))


def _is_percent(line: Observed) -> bool:
    return any(coded.system == LOINC and coded.code in PERCENT_ONLY for coded in line.codes)
