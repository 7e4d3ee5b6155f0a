"""Which facts are evidence for which requirement, by day."""

from collections.abc import Iterable
from typing import NamedTuple

from clinic_tracker.domain.history import ExamFact, FormFact, History, LabFact
from clinic_tracker.domain.vocabulary import Panel, ResultStatus

#: day -> id of the fact that is the evidence of that day
Days = dict[int, int | None]


class Evidence(NamedTuple):
    """The valid evidence of one patient. Several facts of one kind on a day are one piece of evidence, forms apart."""

    labs: dict[str, Days]
    exams: dict[str, Days]
    forms: dict[str, list[FormFact]]
    cd4: list[LabFact]


def collect(history: History, panels: Iterable[str]) -> Evidence:
    """The evidence in a history for the given lab panels and for every exam and form."""
    labs, cd4 = _collect_labs(history.labs, panels)
    return Evidence(labs, _collect_exams(history.exams), _collect_forms(history.forms), cd4)


def first_cd4_reaching(minimum: int, after: int, cd4: Iterable[LabFact]) -> int | None:
    """The first date after ``after`` with a valid CD4 count of at least ``minimum``; None while there is none.

    Any of several counts of a date is enough, but where one is corrected the final ones of that date are not valid.
    """
    corrected = {lab.collected for lab in cd4 if lab.status == ResultStatus.CORRECTED}
    reached = (
        lab.collected
        for lab in cd4
        if lab.collected > after
        and lab.value is not None
        and lab.value >= minimum
        and (
            lab.status == ResultStatus.CORRECTED
            or (lab.status == ResultStatus.FINAL and lab.collected not in corrected)
        )
    )
    return min(reached, default=None)


def _collect_labs(facts: Iterable[LabFact], panels: Iterable[str]) -> tuple[dict[str, Days], list[LabFact]]:
    """One pass over the results, which are by far the most numerous facts: nothing is sorted or built twice."""
    found: dict[str, Days] = {panel: {} for panel in panels}
    cd4, corrections = [], []
    final, corrected = ResultStatus.FINAL, ResultStatus.CORRECTED
    for lab in facts:
        test, day, status, _, ref = lab
        days = found.get(test)
        if days is None:
            if test == Panel.CD4:
                cd4.append(lab)
        elif status == final:
            days[day] = _earlier_record(ref, days[day]) if day in days else ref
        elif status == corrected:
            corrections.append(lab)
    # A correction stands for its date in place of any final result; of several, the first recorded.
    for lab in sorted(corrections, key=_recorded, reverse=True):
        found[lab.test][lab.collected] = lab.ref
    return found, cd4


def _collect_exams(facts: Iterable[ExamFact]) -> dict[str, Days]:
    found: dict[str, Days] = {}
    for kind, day, ref in facts:
        days = found.setdefault(kind, {})
        days[day] = _earlier_record(ref, days[day]) if day in days else ref
    return found


def _collect_forms(facts: Iterable[FormFact]) -> dict[str, list[FormFact]]:
    """Submissions by kind, in date order: two on one day are two."""
    found: dict[str, list[FormFact]] = {}
    for form in facts:
        found.setdefault(form.kind, []).append(form)
    for forms in found.values():
        forms.sort(key=lambda form: (form.submitted, form.ref or 0))
    return found


def _earlier_record(one: int | None, other: int | None) -> int | None:
    """Of two facts of one day, the one recorded first: the choice must not depend on the order of arrival."""
    return one if (one or 0) <= (other or 0) else other


def _recorded(lab: LabFact) -> int:
    return lab.ref or 0
