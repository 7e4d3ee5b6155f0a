"""The antiviral of a course, worked out by hand."""

from datetime import date

import pytest

from clinic_tracker.domain.antiviral import Finding, Taken, course_antiviral
from clinic_tracker.domain.prophylaxis import Cd4, ProphylaxisRule

FIRST, LAST, UNTIL = date(2025, 1, 27), date(2025, 1, 31), date(2025, 12, 31)
LOW, ENOUGH = Cd4(date(2025, 3, 31), 60), Cd4(date(2025, 5, 6), 210)
EARLY, LATE, NEVER = Finding.STOPPED_EARLY, Finding.STARTED_LATE, Finding.NOT_STARTED


def rule(earliest=ENOUGH.collected_on, cd4_min=200):
    return ProphylaxisRule(date(2025, 3, 31), earliest, 2, cd4_min, LAST)


def judged(*taken, of=None, until=UNTIL, counts=(LOW, ENOUGH)):
    return course_antiviral(FIRST, until, [Taken(*one) for one in taken], of or rule(), counts)


def test_none_was_started():
    assert judged().findings == (NEVER,)
    assert judged((date(2024, 1, 1), date(2025, 1, 26))).findings == (NEVER,)
    assert judged((date(2025, 2, 1), None), until=date(2025, 1, 30)).findings == (NEVER,)


@pytest.mark.parametrize("started, days", [(date(2024, 5, 1), 0), (FIRST, 0), (date(2025, 1, 28), 1)])
def test_the_first_day_is_in_time_and_so_is_one_that_goes_on(started, days):
    found = judged((started, None))
    assert (found.findings, found.days_late) == ((LATE,) if days else (), days)
    assert found.first.started_on == started


@pytest.mark.parametrize(
    "stopped, findings, known",
    [
        (date(2025, 2, 28), (EARLY,), None),  # within two months
        (date(2025, 3, 31), (EARLY,), LOW),  # two months: 31-Mar, and CD4 60
        (date(2025, 5, 5), (EARLY,), LOW),
        (date(2025, 5, 6), (), ENOUGH),
        (date(2025, 8, 1), (), ENOUGH),
    ],
)
def test_a_stop_before_two_months_or_a_sufficient_count(stopped, findings, known):
    found = judged((FIRST, stopped))
    assert (found.findings, found.stopped_on, found.last_cd4) == (findings, stopped, known)
    assert found.earliest_on == ENOUGH.collected_on


def test_without_a_sufficient_count_there_is_no_earliest_stop():
    found = judged((FIRST, date(2025, 11, 1)), of=rule(None), counts=(LOW,))
    assert (found.findings, found.earliest_on, found.last_cd4) == ((EARLY,), None, LOW)


def test_where_time_alone_decides():
    assert judged((FIRST, date(2025, 3, 31)), of=rule(date(2025, 3, 31), None)).findings == ()
    assert judged((FIRST, date(2025, 3, 30)), of=rule(date(2025, 3, 31), None)).findings == (EARLY,)


def test_a_drug_that_follows_another_goes_on_with_it():
    changed = judged((FIRST, date(2025, 2, 10), "A"), (date(2025, 2, 11), date(2025, 6, 1), "B"))
    assert (changed.findings, changed.stopped_on, changed.last.drug) == ((), date(2025, 6, 1), "B")
    pause = judged((FIRST, date(2025, 2, 10)), (date(2025, 2, 12), date(2025, 6, 1)))
    assert (pause.findings, pause.stopped_on) == ((EARLY,), date(2025, 2, 10))
    overlap = judged((FIRST, date(2025, 6, 1)), (FIRST, date(2025, 2, 1)), (date(2025, 3, 1), date(2025, 3, 2)))
    assert (overlap.findings, overlap.stopped_on) == ((), date(2025, 6, 1))


def test_started_late_and_stopped_early():
    found = judged((date(2025, 2, 3), date(2025, 2, 20)))
    assert (found.findings, found.days_late) == ((LATE, EARLY), 7)


def test_a_stop_after_the_day_asked_about_is_not_known():
    found = judged((FIRST, date(2025, 2, 20)), until=date(2025, 2, 19))
    assert (found.findings, found.stopped_on) == ((), None)
