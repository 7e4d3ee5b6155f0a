"""Which facts are evidence, by day: what forecasts look up again and again, arranged once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple, cast

from clinic_tracker.domain.facts import ExamFact, FormFact, LabFact
from clinic_tracker.domain.vocabulary import Panel, ResultStatus


class Track(NamedTuple):
    """The days with evidence of one kind, in order, and the fact behind each. Several facts of a day are one piece."""

    days: Sequence[int] = ()
    refs: Mapping[int | None, int | None] = {}  # empty if no fact has an id

    @property
    def latest(self) -> int | None:
        return self.days[-1] if self.days else None

    def refs_of(self, days: Iterable[int | None]) -> Iterable[int | None]:
        """The id of the fact of each day, None for None. Facts read from a file have no ids to look up."""
        return map(self.refs.get, days) if self.refs else repeat(None)


class Evidence(NamedTuple):
    """The valid evidence of one patient."""

    labs: Mapping[str, Track]
    exams: Mapping[str, Track]
    forms: Mapping[str, Sequence[FormFact]]  # in date order; two submissions on one day are two
    cd4: Sequence[tuple[int, float]]  # valid counts, in date order


NO_EVIDENCE = Track()


def collect(labs: Sequence[LabFact], exams: Sequence[ExamFact], forms: Sequence[FormFact]) -> Evidence:
    """The valid evidence among facts, whatever their order."""
    results, told = _results_by_day(labs)
    examined: defaultdict[str, dict[int, int | None]] = defaultdict(dict)
    for exam in sorted(exams, key=_recorded, reverse=True):  # written last, the first recorded of a day stays
        examined[exam.kind][exam.on] = exam.ref
    submitted: defaultdict[str, list[FormFact]] = defaultdict(list)
    for form in sorted(forms, key=_submitted):
        submitted[form.kind].append(form)
    return Evidence(_tracks(results), _tracks(examined), submitted, _cd4_counts(told))


def _results_by_day(facts: Sequence[LabFact]) -> tuple[Mapping[str, dict[int, int | None]], list[LabFact]]:
    """The valid results of each panel by day, and the facts that may tell of CD4 counts."""
    found, valued, others = _arrange(facts)
    if len(facts) - len(others) > sum(map(len, found.values())):
        # Several final results of one panel on one day, which is rare: written last, the first recorded stays.
        found, valued, others = _arrange(sorted(facts, key=_recorded, reverse=True))
    for lab in sorted(others, key=_recorded, reverse=True):
        if lab.status == ResultStatus.CORRECTED:  # stands for its date in place of any final result
            found[lab.test][lab.collected] = lab.ref
    return found, valued + others


def _arrange(
    facts: Iterable[LabFact],
) -> tuple[defaultdict[str, dict[int, int | None]], list[LabFact], list[LabFact]]:
    """Final results by panel and day, those with a value, and whatever is not final.

    Results are by far the most numerous facts: this loop does as little as it can for each.
    """
    found: defaultdict[str, dict[int, int | None]] = defaultdict(dict)
    valued, others = [], []
    final = ResultStatus.FINAL
    for lab in facts:
        if lab.status == final:
            found[lab.test][lab.collected] = lab.ref
            if lab.value is not None:
                valued.append(lab)
        else:
            others.append(lab)
    return found, valued, others


def _cd4_counts(facts: Iterable[LabFact]) -> list[tuple[int, float]]:
    """Valid CD4 counts by date. Where one of a date is corrected, the final ones of that date are not valid."""
    counts = [lab for lab in facts if lab.test == Panel.CD4]
    corrected = {lab.collected for lab in counts if lab.status == ResultStatus.CORRECTED}
    return sorted(
        (lab.collected, lab.value)
        for lab in counts
        if lab.value is not None
        and (
            lab.status == ResultStatus.CORRECTED
            or (lab.status == ResultStatus.FINAL and lab.collected not in corrected)
        )
    )


def _tracks(found: Mapping[str, dict[int, int | None]]) -> dict[str, Track]:
    return {name: Track(sorted(refs), _ids(refs)) for name, refs in found.items()}


def _ids(refs: dict[int, int | None]) -> Mapping[int | None, int | None]:
    """The ids, to be asked for the days on which slots were done: a slot that nobody did asks for the day None."""
    return cast("Mapping[int | None, int | None]", refs) if any(refs.values()) else {}


def _recorded(fact: LabFact | ExamFact) -> int:
    return fact.ref or 0


def _submitted(form: FormFact) -> tuple[int, int]:
    return form.submitted, form.ref or 0
