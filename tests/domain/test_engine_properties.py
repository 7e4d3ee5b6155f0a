"""What must hold of every schedule, whatever the history."""

import random
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clinic_tracker.domain.history import FormFact, History, LabFact
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.domain.obligation import Forecast, Obligation
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.status import days_late, missed_in_a_row, obligation_status, standing_state
from clinic_tracker.domain.vocabulary import ObligationStatus, StandingState
from clinic_tracker.queries.protocols import packaged_protocols
from tests.strategies import histories, histories_as_of, random_history

Case = tuple[dict[str, Any], date]

few = settings(
    max_examples=settings().max_examples * 2 // 5
)  # each example is a whole history; HYPOTHESIS_PROFILE=thorough is for nights


def plan(history: dict[str, Any]) -> tuple[History, Protocol, Forecast]:
    read = read_history(history)
    protocol = packaged_protocols()[read.protocol]
    return read, protocol, forecast(read, protocol)


def labs_of(protocol: Protocol) -> set[str]:
    return {item.code for item in protocol.requirements if item.evidence_kind is EvidenceKind.LAB}


def with_ids(history: History) -> History:
    """The same facts as they are stored, with ids."""
    return History(
        history.protocol,
        history.has_cervix,
        history.courses,
        tuple(fact._replace(ref=number) for number, fact in enumerate(history.labs, start=1)),
        tuple(fact._replace(ref=number) for number, fact in enumerate(history.exams, start=1)),
        tuple(fact._replace(ref=number) for number, fact in enumerate(history.forms, start=1)),
        history.waivers,
        history.monitoring_closed_on,
    )


@few
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(history: dict[str, Any], rng: random.Random) -> None:
    read, protocol, _ = plan(history)
    stored = with_ids(read)

    def shuffled(facts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(rng.sample(facts, len(facts)))

    other = History(
        stored.protocol,
        stored.has_cervix,
        shuffled(stored.courses),
        shuffled(stored.labs),
        shuffled(stored.exams),
        shuffled(stored.forms),
        shuffled(stored.waivers),
        stored.monitoring_closed_on,
    )
    assert forecast(other, protocol) == forecast(stored, protocol)


@few
@given(histories())
def test_the_natural_key_is_unique_and_rows_are_sorted(history: dict[str, Any]) -> None:
    rows = plan(history)[2].obligations
    keys = Counter((item.requirement, item.anchor, item.occurrence) for item in rows)
    assert not [key for key, count in keys.items() if count > 1]
    names = Counter((item.requirement, item.slot) for item in rows)
    assert not [name for name, count in names.items() if count > 1]
    assert list(rows) == sorted(rows, key=lambda item: (item.requirement, item.due, item.slot))


@few
@given(histories())
def test_dates_are_in_order(history: dict[str, Any]) -> None:
    known = plan(history)[2]
    for item in known.obligations:
        assert item.opens <= item.due
        assert item.closes is None or item.due <= item.closes
        assert known.monitoring_ends is not None
        if item.requirement != "infusion_checklist":
            assert item.due <= known.monitoring_ends


@few
@given(histories())
def test_one_piece_of_evidence_does_at_most_one_occurrence(history: dict[str, Any]) -> None:
    read, protocol, _ = plan(history)
    done = [item for item in forecast(with_ids(read), protocol).obligations if item.done is not None]
    used = Counter((item.requirement, item.ref) for item in done)
    assert all(count == 1 for count in used.values())
    days = Counter((item.requirement, item.done) for item in done if item.requirement in labs_of(protocol))
    assert all(count == 1 for count in days.values())


@few
@given(histories())
def test_the_fact_named_is_the_one_that_did_it(history: dict[str, Any]) -> None:
    read, protocol, _ = plan(history)
    stored = with_ids(read)
    facts: dict[str, dict[int | None, int]] = {
        "lab": {fact.ref: fact.collected for fact in stored.labs},
        "exam": {fact.ref: fact.on for fact in stored.exams},
        "form": {fact.ref: fact.submitted for fact in stored.forms},
    }
    for item in forecast(stored, protocol).obligations:
        if item.done is None:
            assert item.ref is None
        else:
            assert facts[protocol.requirement(item.requirement).evidence_kind][item.ref] == item.done


@few
@given(histories())
def test_windows_of_a_test_never_overlap_and_leave_no_gap_inside_a_course(history: dict[str, Any]) -> None:
    _, protocol, known = plan(history)
    for code in labs_of(protocol):
        slots = [item for item in known.obligations if item.requirement == code]
        for before, after in pairwise(slots):
            assert before.closes is not None
            assert before.closes < after.opens
            if before.anchor == after.anchor:
                assert before.closes == after.opens - 1


@few
@given(histories_as_of())
def test_at_most_one_slot_of_a_test_is_open_on_a_day(case: Case) -> None:
    history, as_of = case
    _, protocol, known = plan(history)
    still = {ObligationStatus.DUE, ObligationStatus.OVERDUE}
    open_now = Counter(
        item.requirement
        for item in known.obligations
        if item.requirement in labs_of(protocol) and obligation_status(item, as_of.toordinal()) in still
    )
    assert all(count == 1 for count in open_now.values())


@few
@given(histories(), st.integers(2, 900))
def test_a_further_course_ends_earlier_slots_and_changes_nothing_that_was_closed(
    history: dict[str, Any], later: int
) -> None:
    history["waivers"], history["monitoring_closed_on"] = [], None
    read, protocol, before = plan(history)
    assume(before.last_infusion is not None and before.last_infusion < date(2150, 1, 1).toordinal())
    first = (before.last_infusion or 0) + later
    number = max(course.number for course in read.courses) + 1
    started = f"{date.fromordinal(first).isoformat()}T17:05+00:00"
    history["courses"].append({"number": number, "infusions": [{"started_at": started}]})
    read, _, after = plan(history)
    first = read.given[-1].infusion_days[0]
    labs = labs_of(protocol)
    earlier = [item for item in after.obligations if item.requirement in labs and item.anchor != number]
    assert all(item.closes is not None and item.closes < first for item in earlier)
    closed = {item for item in before.obligations if item.requirement in labs and (item.closes or first) < first - 31}
    assert closed <= set(after.obligations)
    assert (after.monitoring_ends or 0) >= (before.monitoring_ends or 0)


@few
@given(histories_as_of(), st.integers(0, 4000))
def test_what_is_stored_depends_on_the_facts_alone(case: Case, later: int) -> None:
    history, as_of = case
    read, protocol, known = plan(history)
    last = max(
        [as_of.toordinal()]
        + [day for course in read.courses for day in course.infusion_days]
        + [fact.collected for fact in read.labs]
        + [fact.on for fact in read.exams]
        + [fact.submitted for fact in read.forms]
        + [read.monitoring_closed_on or 0]
    )
    assert forecast(read.known_on(last), protocol) == known
    assert forecast(read.known_on(last + later), protocol) == known


@few
@given(histories_as_of())
def test_known_on_is_the_same_twice_and_as_if_later_facts_had_never_come(case: Case) -> None:
    history, as_of = case
    read = read_history(history)
    known = read.known_on(as_of.toordinal())
    assert known.known_on(as_of.toordinal()) == known
    assert all(fact.collected <= as_of.toordinal() for fact in known.labs)
    assert {fact for fact in read.labs if fact.collected <= as_of.toordinal()} == set(known.labs)
    assert (known.waivers, len(known.courses)) == (read.waivers, len(read.courses))


@few
@given(histories_as_of(), st.sampled_from(["cbc_diff", "tsh", "liver_panel"]))
def test_a_draw_on_the_due_date_never_makes_anything_more_overdue(case: Case, test: str) -> None:
    history, as_of = case
    read, protocol, before = plan(history)
    today = as_of.toordinal()
    owed = [item for item in before.obligations if item.requirement == test and item.due <= today]
    assume(owed)
    slot = owed[-1]
    added = History(
        read.protocol,
        read.has_cervix,
        read.courses,
        (*read.labs, LabFact(test, slot.due)),
        read.exams,
        read.forms,
        read.waivers,
        read.monitoring_closed_on,
    )
    after = forecast(added, protocol)
    assert lateness(after, today, before.closed_on) <= lateness(before, today, before.closed_on)
    did = next(item for item in after.obligations if item[:4] == slot[:4])
    assert did.done is not None
    assert did.done <= slot.due


def lateness(known: Forecast, today: int, closed_on: int | None) -> list[int]:
    """How late each requirement is, missed slots included, as a list that may be compared item by item."""
    return [
        today - (row.next_due or today) if standing_state(row, today, closed_on) is StandingState.OVERDUE else 0
        for row in known.standings
    ]


@few
@given(histories_as_of())
def test_time_alone_never_takes_anything_off_the_overdue_list(case: Case) -> None:
    history, as_of = case
    known = plan(history)[2]
    today = as_of.toordinal()
    for row in known.standings:
        if standing_state(row, today, known.closed_on) is StandingState.OVERDUE:
            later = standing_state(row, today + 400, known.closed_on)
            assert later in (StandingState.OVERDUE, StandingState.CLOSED)
            counts = [missed_in_a_row(row, known.obligations, day) for day in (today, today + 40, today + 400)]
            assert counts == sorted(counts)


@few
@given(histories_as_of())
def test_statuses_follow_from_stored_dates(case: Case) -> None:
    history, as_of = case
    today = as_of.toordinal()
    for item in plan(history)[2].obligations:
        status = obligation_status(item, today)
        assert status is expected_status(item, today)
        assert (days_late(item, today) is None) == (status not in (ObligationStatus.DONE, ObligationStatus.OVERDUE))


def expected_status(item: Obligation, today: int) -> ObligationStatus:
    if item.done:
        return ObligationStatus.DONE
    if item.waived:
        return ObligationStatus.WAIVED
    if today < item.opens:
        return ObligationStatus.UPCOMING
    if today <= item.due:
        return ObligationStatus.DUE
    return ObligationStatus.OVERDUE if item.closes is None or today <= item.closes else ObligationStatus.MISSED


@few
@given(histories())
def test_two_submissions_do_two_forms_and_never_a_later_one_first(history: dict[str, Any]) -> None:
    read, protocol, known = plan(history)
    forms = [item for item in known.obligations if item.requirement == "patient_status_form"]
    done = [item.done for item in forms if item.done is not None]
    assert done == sorted(done)
    assert all(item.done >= item.opens for item in forms if item.done is not None)
    more = History(
        read.protocol,
        read.has_cervix,
        read.courses,
        read.labs,
        read.exams,
        (*read.forms, FormFact("patient_status_form", read.forms[0].submitted if read.forms else 1)),
        read.waivers,
        read.monitoring_closed_on,
    )
    again = [item for item in forecast(more, protocol).obligations if item.requirement == "patient_status_form"]
    assert len(done) <= len([item for item in again if item.done is not None]) <= len(done) + 1


def test_random_histories_are_deterministic_and_not_dated_later_than_asked() -> None:
    latest = date(2026, 3, 1)
    for seed in range(40):
        history = random_history(seed, latest)
        assert history == random_history(seed, latest)
        read = read_history(history)
        assert read.known_on(latest.toordinal()) == read
        assert read.given or seed
    assert len({str(random_history(seed, latest)) for seed in range(40)}) == 40
    assert timedelta(0) <= latest - date.fromisoformat(random_history(1, latest)["labs"][0]["collected_on"])
