from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.notes import Severity
from clinic_tracker.domain.prophylaxis import Cd4, ProphylaxisRule, check_start, check_stop, explain_stop

LAST = date(2026, 1, 14)
MINIMUM = date(2026, 3, 14)


def rule(earliest, cd4_min=200, minimum=MINIMUM, last=LAST):
    return ProphylaxisRule(minimum, earliest, 2, cd4_min, last)


WAITING = rule(None)
LOW = Cd4(date(2026, 2, 9), 150)


def test_time_and_count_are_both_explained():
    answer = explain_stop(WAITING, [LOW], date(2026, 2, 20))
    assert not answer.may_stop
    assert answer.words == (
        "Not before 14-Mar-2026 (2 months after the last infusion) and not without CD4 ≥ 200 (last 150 on 09-Feb-2026)."
    )


def test_after_two_months_only_the_count_is_missing():
    assert explain_stop(WAITING, [LOW], MINIMUM).words == "Not without CD4 ≥ 200 (last 150 on 09-Feb-2026)."


@pytest.mark.parametrize(
    "counts,last,words",
    [
        ([], LAST, "none since the last infusion"),
        ([Cd4(date(2025, 12, 1), 900)], LAST, "none since the last infusion"),
        ([Cd4(date(2027, 1, 1), 900)], LAST, "none since the last infusion"),
        ([], None, "none on file"),
        ([LOW, Cd4(date(2026, 3, 9), 190), Cd4(date(2026, 3, 9), 180)], LAST, "last 180 on 09-Mar-2026"),
    ],
)
def test_without_a_count_that_is_high_enough_it_cannot_be_stopped(counts, last, words):
    answer = explain_stop(rule(None, last=last), counts, date(2026, 12, 1))
    assert (answer.may_stop, answer.earliest_on) == (False, None)
    assert words in answer.words


def test_a_high_count_before_two_months_leaves_the_time():
    answer = explain_stop(rule(MINIMUM), [Cd4(date(2026, 2, 9), 250)], date(2026, 3, 13))
    assert answer.words == "Not before 14-Mar-2026 (2 months after the last infusion)."
    assert answer.earliest_on == MINIMUM


def test_it_may_be_stopped_from_the_day_both_are_met():
    counts = [Cd4(date(2026, 5, 20), 260), Cd4(date(2026, 4, 14), 210), LOW]
    answer = explain_stop(rule(date(2026, 4, 14)), counts, date(2026, 6, 1))
    assert answer.may_stop
    assert answer.words == (
        "May be stopped since 14-Apr-2026: 2 months after the last infusion, and CD4 was 210 on 14-Apr-2026."
    )


def test_a_count_of_exactly_200_is_enough_from_its_own_day_on():
    enough = Cd4(date(2026, 4, 14), 200)
    answer = explain_stop(rule(date(2026, 4, 14)), [enough], date(2026, 4, 14))
    assert answer.may_stop
    assert answer.words.endswith("and CD4 was 200 on 14-Apr-2026.")


def test_a_count_of_the_day_of_the_last_infusion_says_nothing_about_it():
    assert "none since" in explain_stop(WAITING, [Cd4(LAST, 900)], MINIMUM).words


def test_before_the_count_was_known_it_was_not_permitted():
    answer = explain_stop(rule(date(2026, 4, 14)), [LOW, Cd4(date(2026, 4, 14), 210)], date(2026, 4, 1))
    assert not answer.may_stop
    assert answer.words == "Not without CD4 ≥ 200 (last 150 on 09-Feb-2026)."


def test_a_permission_without_its_count_at_hand_is_still_explained():
    assert explain_stop(rule(date(2026, 4, 14)), [], date(2026, 6, 1)).words.endswith("and CD4 was 200 or above.")


def test_where_time_alone_decides_no_count_is_mentioned():
    european = ProphylaxisRule(date(2026, 2, 14), None, 1, None, LAST)
    assert explain_stop(european, [], date(2026, 2, 13)).words == (
        "Not before 14-Feb-2026 (1 month after the last infusion)."
    )
    assert explain_stop(european, [], date(2026, 2, 14)).words == (
        "May be stopped since 14-Feb-2026: 1 month after the last infusion."
    )


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.lists(st.builds(Cd4, st.dates(date(2020, 1, 1), date(2032, 1, 1)), st.integers(0, 500)), max_size=6),
    st.integers(0, 900),
    st.sampled_from([200, None]),
)
def test_stopping_is_permitted_exactly_from_the_earliest_day_and_always_explained(last, counts, days, cd4_min):
    minimum, on = add_months(last, 2), last + timedelta(days=days)
    enough = [count.collected_on for count in counts if count.collected_on > last and count.value >= 200]
    earliest = minimum if cd4_min is None else max(minimum, min(enough)) if enough else None
    answer = explain_stop(ProphylaxisRule(minimum, earliest, 2, cd4_min, last), counts, on)
    assert answer.may_stop == (earliest is not None and on >= earliest)
    assert answer.earliest_on == earliest
    assert len(answer.words) > len("Not .")


# ------------------------------------------------------------------------------------------------ start and stop


def test_the_antiviral_starts_on_the_first_day_of_the_course():
    first = date(2026, 1, 12)
    assert check_start(first, first).notes == ()
    for started_on, word in ((first - timedelta(days=1), "before"), (first + timedelta(days=1), "after")):
        (note,) = check_start(started_on, first).notes
        assert (note.code, note.severity, note.requirement) == ("not_on_first_day", Severity.DEVIATION, "R-60")
        assert f"this is {word} it" in note.message


def test_an_early_stop_needs_the_prescribers_reason():
    verdict = check_stop(date(2026, 2, 20), date(2026, 1, 12), WAITING, [LOW])
    (note,) = verdict.deviations
    assert (note.code, note.requirement) == ("stopped_too_early", "R-61")
    assert verdict.needs_prescriber
    assert "last 150 on 09-Feb-2026" in note.message


def test_a_permitted_stop_raises_nothing():
    permitted = rule(date(2026, 4, 14))
    assert check_stop(date(2026, 4, 14), date(2026, 1, 12), permitted, []).notes == ()
    assert check_stop(date(2026, 4, 14), date(2026, 1, 12), None, []).notes == ()


def test_a_stop_before_the_start_is_refused():
    verdict = check_stop(date(2026, 1, 11), date(2026, 1, 12), WAITING, [])
    assert [note.code for note in verdict.refusals] == ["stopped_before_start"]
    same_day = check_stop(date(2026, 1, 12), date(2026, 1, 12), WAITING, [])
    assert [note.code for note in same_day.notes] == ["stopped_too_early"]
