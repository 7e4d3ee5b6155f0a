from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain import infusion_day, observation
from clinic_tracker.domain.dosing import InfusionDay, Regimen
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.infusion_day import InfusionContext, InfusionEntry, Pause, Premedication
from clinic_tracker.domain.local_time import Choice, resolve_local
from clinic_tracker.domain.notes import Severity
from clinic_tracker.domain.vocabulary import PremedicationKind

ZONE = "America/New_York"
DAY = date(2026, 11, 16)
REGIMEN = Regimen()


def at(clock, day=DAY):
    return resolve_local(day, time.fromisoformat(clock), ZONE)


def steroid(start="08:00", end="08:45", day=DAY):
    return Premedication(PremedicationKind.STEROID, at(start, day), at(end, day) if end else None)


ENTRY = InfusionEntry(
    course=1,
    day_number=1,
    infused_on=DAY,
    dose_mg=12.0,
    diluted_at=at("08:30"),
    started_at=at("09:00"),
    ended_at=at("13:10"),
    premedications=(steroid(),),
    vitals_at=(at("08:40"),),
    lot_number="A1234",
    lot_expires_on=date(2027, 6, 30),
    discharged_at=at("15:10"),
    stroke_counseled=True,
    late_reactions_counseled=True,
)
CONTEXT = InfusionContext(recorded=(), enrolled_on=date(2026, 10, 1), now=at("18:00"), zone_name=ZONE)
IMPORTED = replace(CONTEXT, imported=True, enrolled_on=None)


def judge(context=CONTEXT, **changes):
    return infusion_day.check_infusion(replace(ENTRY, **changes), context, REGIMEN)


def codes(verdict):
    return [note.code for note in verdict.notes]


def test_a_regular_infusion_day_raises_nothing():
    verdict = judge()
    assert verdict.notes == ()
    assert not verdict.needs_reason
    verdict.raise_if_refused()


def test_an_infusion_that_has_just_started_raises_nothing():
    assert judge(ended_at=None, discharged_at=None, context=replace(CONTEXT, now=at("09:05"))).notes == ()


def test_an_infusion_day_that_is_only_prepared_raises_nothing():
    prepared = {"started_at": None, "ended_at": None, "discharged_at": None, "vitals_at": (), "premedications": ()}
    assert judge(**prepared).notes == ()


def test_dosing_rules_are_part_of_the_judgement():
    verdict = judge(day_number=6, dose_mg=10)
    assert {"day_beyond_course", "dose_differs"} <= set(codes(verdict))
    with pytest.raises(RuleViolation, match="there is no day 6"):
        verdict.raise_if_refused()


def test_other_infusions_of_the_patient_count():
    context = replace(CONTEXT, recorded=(InfusionDay(1, 1, DAY - timedelta(days=2)),))
    assert codes(judge(context, day_number=2)) == ["days_not_consecutive"]


# ------------------------------------------------------------------------------------------------ enrollment, future


def test_an_infusion_before_enrollment_is_refused():
    (note,) = judge(replace(CONTEXT, enrolled_on=date(2026, 11, 17))).notes
    assert (note.code, note.field, note.severity) == ("before_enrollment", "infused_on", Severity.REFUSE)


def test_an_infusion_on_the_day_of_enrollment_is_fine():
    assert judge(replace(CONTEXT, enrolled_on=DAY)).notes == ()


def test_a_patient_who_is_not_enrolled_cannot_be_infused():
    assert codes(judge(replace(CONTEXT, enrolled_on=None))) == ["not_enrolled"]


def test_imported_history_before_enrollment_is_a_deviation_and_without_enrollment_nothing():
    (note,) = judge(replace(IMPORTED, enrolled_on=date(2026, 11, 17))).notes
    assert (note.code, note.severity) == ("before_enrollment", Severity.DEVIATION)
    assert judge(IMPORTED).notes == ()


def test_a_date_in_the_future_is_refused_even_when_imported():
    for context in (CONTEXT, IMPORTED):
        assert codes(judge(replace(context, now=at("23:59", DAY - timedelta(days=1)))))[0] == "future_date"


@pytest.mark.parametrize(
    "field,value",
    [
        ("diluted_at", at("18:01")),
        ("ended_at", at("18:01")),
        ("discharged_at", at("18:01")),
        ("pauses", (Pause(at("10:00"), at("18:01")),)),
        ("vitals_at", (at("08:40"), at("18:01"))),
        ("premedications", (steroid(), steroid("17:50", "18:01"))),
    ],
)
def test_a_time_in_the_future_is_refused(field, value):
    refused = [note for note in judge(**{field: value}).refusals if note.code == "future_time"]
    assert [note.field for note in refused] == [field]
    assert "6:01 pm EST" in refused[0].message


# ------------------------------------------------------------------------------------------------ order of times


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"ended_at": at("09:00")}, "end_before_start"),
        ({"ended_at": at("08:59"), "discharged_at": None}, "end_before_start"),
        ({"infused_on": DAY - timedelta(days=1)}, "date_differs_from_start"),
        ({"started_at": None}, "no_start"),
        ({"ended_at": None}, "no_end"),
        ({"diluted_at": at("09:01")}, "diluted_after_start"),
        ({"discharged_at": at("13:09")}, "discharged_before_end"),
        ({"premedications": (steroid("08:45", "08:00"),)}, "premedication_backwards"),
    ],
)
def test_times_out_of_order_are_refused(changes, code):
    assert code in [note.code for note in judge(**changes).refusals]


def test_the_infusion_date_is_the_local_date_of_its_start_past_midnight():
    context = replace(CONTEXT, now=at("12:00", DAY + timedelta(days=1)))
    late = {
        "diluted_at": at("22:00"),
        "started_at": at("23:30"),
        "ended_at": at("03:40", DAY + timedelta(days=1)),
        "discharged_at": at("05:40", DAY + timedelta(days=1)),
    }
    assert judge(context, **late).notes == ()


def test_an_infusion_of_more_than_a_day_is_questioned():
    context = replace(CONTEXT, now=at("12:00", DAY + timedelta(days=3)))
    end = at("09:01", DAY + timedelta(days=1))
    assert codes(judge(context, ended_at=end, discharged_at=end + timedelta(hours=2))) == ["very_long_infusion"]


def test_times_that_touch_are_in_order():
    verdict = judge(
        replace(CONTEXT, now=at("13:10")),
        diluted_at=at("09:00"),
        premedications=(steroid("09:00", "09:00"),),
        vitals_at=(at("09:00"),),
        pauses=(Pause(at("09:00"), at("09:05")), Pause(at("09:05"), at("09:10")), Pause(at("13:09"), at("13:10"))),
        discharged_at=None,
    )
    assert codes(verdict) == ["short_infusion"]


def test_a_discharge_at_the_end_of_the_infusion_is_early_and_not_impossible():
    assert codes(judge(discharged_at=ENTRY.ended_at)) == ["early_discharge"]


def test_a_discharge_needs_a_start_even_without_an_end():
    assert codes(judge(started_at=None, ended_at=None, vitals_at=(), premedications=())) == ["no_start"]


def test_an_infusion_that_ends_as_it_starts_is_not_called_short():
    assert codes(judge(ended_at=ENTRY.started_at, discharged_at=None)) == ["end_before_start"]


def test_a_whole_day_is_the_longest_infusion_that_is_not_questioned():
    end = at("09:00", DAY + timedelta(days=1))
    context = replace(CONTEXT, now=end)
    assert judge(context, ended_at=end, discharged_at=None).notes == ()


@pytest.mark.parametrize("diluted,late", [("01:00", False), ("00:59", True)])
def test_diluted_drug_is_started_within_eight_hours(diluted, late):
    verdict = judge(diluted_at=at(diluted))
    assert codes(verdict) == (["diluted_too_early"] if late else [])
    assert verdict.needs_reason is late


# ------------------------------------------------------------------------------------------------ pauses


def test_pauses_inside_the_infusion_are_fine_in_any_order():
    pauses = (Pause(at("11:00"), at("11:05")), Pause(at("10:00"), at("10:05")))
    assert judge(pauses=pauses).notes == ()
    assert infusion_day.active_minutes(ENTRY.started_at, ENTRY.ended_at, pauses) == 240


def test_a_short_active_time_is_remarked_on_and_never_blocks():
    verdict = judge(pauses=(Pause(at("10:00"), at("10:11")),))
    (note,) = verdict.notes
    assert (note.code, note.severity) == ("short_infusion", Severity.NOTE)
    assert "239 minutes" in note.message
    assert not verdict.needs_reason


@pytest.mark.parametrize(
    "pauses,code",
    [
        ((Pause(at("08:59"), at("09:10")),), "pause_overlaps"),
        ((Pause(at("10:00"), at("10:30")), Pause(at("10:29"), at("10:40"))), "pause_overlaps"),
        ((Pause(at("10:00"), at("10:00")),), "pause_backwards"),
        ((Pause(at("13:00"), at("13:11")),), "pause_outside"),
        ((Pause(at("13:11")),), "pause_outside"),
        ((Pause(at("10:00")),), "pause_open"),
    ],
)
def test_pauses_that_cannot_be_are_refused(pauses, code):
    refused = judge(pauses=pauses).refusals
    assert [(note.code, note.field) for note in refused] == [(code, "pauses")]


def test_while_the_infusion_runs_its_last_pause_may_be_on_and_only_the_last():
    running = {"ended_at": None, "discharged_at": None}
    assert judge(pauses=(Pause(at("10:00")),), **running).notes == ()
    overlapping = judge(pauses=(Pause(at("10:00")), Pause(at("11:00"))), **running)
    assert codes(overlapping) == ["pause_overlaps"]


def test_a_pause_without_a_start_asks_for_the_start():
    verdict = judge(started_at=None, ended_at=None, discharged_at=None, pauses=(Pause(at("10:00")),))
    assert codes(verdict) == ["no_start"]


def test_a_pause_that_is_still_on_counts_as_paused_until_the_end():
    assert infusion_day.active_minutes(at("09:00"), at("13:00"), [Pause(at("12:00"))]) == 180


def test_the_end_is_expected_after_the_planned_minutes_and_the_pauses():
    pauses = [Pause(at("10:00"), at("10:30"))]
    assert infusion_day.expected_end_at(at("09:00"), 240, [], at("09:05")) == at("13:00")
    assert infusion_day.expected_end_at(at("09:00"), 240, pauses, at("11:00")) == at("13:30")


def test_while_a_pause_is_on_the_expected_end_recedes():
    pauses = [Pause(at("10:00"))]
    assert infusion_day.expected_end_at(at("09:00"), 240, pauses, at("10:10")) == at("13:10")
    assert infusion_day.expected_end_at(at("09:00"), 240, pauses, at("10:40")) == at("13:40")


# ------------------------------------------------------------------------------------------------ drugs and signs


@pytest.mark.parametrize(
    "premedications,expected",
    [
        ((), ["no_steroid"]),
        ((Premedication(PremedicationKind.ANTIHISTAMINE, at("08:00")),), ["no_steroid"]),
        ((steroid("08:30", "09:01"),), ["steroid_late"]),
        ((steroid("09:10", None),), ["steroid_late"]),
        ((steroid(day=DAY - timedelta(days=1)),), ["steroid_late"]),
        ((steroid("08:30", "09:00"),), []),
        ((steroid("08:30", None),), []),
    ],
)
def test_a_steroid_ends_before_the_infusion_on_the_first_three_days(premedications, expected):
    verdict = judge(premedications=premedications)
    assert [(note.code, note.severity) for note in verdict.notes] == [(code, Severity.DEVIATION) for code in expected]


@pytest.mark.parametrize("day_number,needed", [(3, True), (4, False), (5, False)])
def test_no_steroid_is_asked_for_after_day_3(day_number, needed):
    context = replace(CONTEXT, recorded=(InfusionDay(1, day_number - 1, DAY - timedelta(days=1)),))
    assert ("no_steroid" in codes(judge(context, day_number=day_number, premedications=()))) is needed


@pytest.mark.parametrize(
    "changes,code,severity",
    [
        ({"lot_expires_on": DAY - timedelta(days=1)}, "lot_expired", Severity.DEVIATION),
        ({"lot_number": " "}, "no_lot", Severity.DEVIATION),
        ({"lot_expires_on": None}, "no_lot_expiry", Severity.NOTE),
        ({"vitals_at": ()}, "no_vitals_before", Severity.DEVIATION),
        ({"vitals_at": (at("09:01"),)}, "no_vitals_before", Severity.DEVIATION),
        ({"vitals_at": (at("08:40", DAY - timedelta(days=1)),)}, "no_vitals_before", Severity.DEVIATION),
    ],
)
def test_lot_and_vital_signs_are_asked_for(changes, code, severity):
    assert [(note.code, note.severity) for note in judge(**changes).notes] == [(code, severity)]


def test_a_lot_may_be_used_on_the_day_it_expires():
    assert judge(lot_expires_on=DAY).notes == ()


def test_imported_history_is_not_blamed_for_what_it_does_not_hold():
    bare = InfusionEntry(
        course=1, day_number=1, infused_on=DAY, dose_mg=12, started_at=at("09:00"), ended_at=at("13:10")
    )
    assert infusion_day.check_infusion(bare, IMPORTED, REGIMEN).notes == ()
    assert judge(IMPORTED, premedications=(), stroke_counseled=False, late_reactions_counseled=False).notes == ()
    assert codes(judge(IMPORTED, premedications=(steroid("09:10", None),))) == ["steroid_late"]


# ------------------------------------------------------------------------------------------------ observation


def test_discharge_before_two_hours_needs_a_reason():
    (note,) = judge(discharged_at=at("14:40")).notes
    assert (note.code, note.requirement, note.severity) == ("early_discharge", "R-48", Severity.DEVIATION)
    assert "30 minutes before 2 hours" in note.message


def test_the_last_second_of_the_observation_counts():
    assert observation.early_discharge_minutes_left(at("13:10"), at("15:10"), 120) == 0
    assert observation.early_discharge_minutes_left(at("13:10"), at("15:10") - timedelta(seconds=1), 120) == 1
    assert observation.early_discharge_minutes_left(at("13:10"), at("18:00"), 120) == 0


def test_the_observation_lasts_two_real_hours_on_the_night_clocks_go_back():
    night = date(2026, 11, 1)
    ended = resolve_local(night, time(0, 30), ZONE)
    over = observation.observation_ends_at(ended, 120)
    assert over == resolve_local(night, time(1, 30), ZONE, Choice.LATER)
    first = resolve_local(night, time(1, 30), ZONE, Choice.EARLIER)
    assert observation.early_discharge_minutes_left(ended, first, 120) == 60


def test_the_observation_lasts_two_real_hours_on_the_night_clocks_go_forward():
    night = date(2026, 3, 8)
    ended = resolve_local(night, time(1, 30), ZONE)
    assert observation.early_discharge_minutes_left(ended, resolve_local(night, time(3, 30), ZONE), 120) == 60
    assert observation.early_discharge_minutes_left(ended, resolve_local(night, time(4, 30), ZONE), 120) == 0


def test_advice_is_due_at_every_infusion():
    verdict = judge(stroke_counseled=False, late_reactions_counseled=False)
    assert [(note.code, note.requirement) for note in verdict.notes] == [
        ("no_stroke_counseling", "R-50"),
        ("no_late_reaction_counseling", "R-49"),
    ]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(0, 100_000), st.integers(0, 600))  # noqa: DTZ001
def test_minutes_left_are_zero_exactly_when_the_observation_is_over(naive, seconds, minutes):
    ended = naive.replace(tzinfo=UTC)
    discharged = ended + timedelta(seconds=seconds)
    left = observation.early_discharge_minutes_left(ended, discharged, minutes)
    assert (left == 0) == (discharged >= observation.observation_ends_at(ended, minutes))
    assert discharged + timedelta(minutes=left) >= observation.observation_ends_at(ended, minutes)


@pytest.mark.parametrize(
    "left, minutes, words",
    [
        (1, 120, "1 minute before 2 hours of"),
        (2, 60, "2 minutes before 1 hour of"),
        (5, 150, "5 minutes before 150 minutes of"),
        (5, 30, "5 minutes before 30 minutes of"),
    ],
)
def test_the_minutes_left_are_told_as_people_say_them(left, minutes, words):
    ended = at("13:10")
    discharged = ended + timedelta(minutes=minutes - left)
    verdict = observation.check_discharge(
        ended, discharged, minutes, stroke_counseled=True, late_reactions_counseled=True
    )
    assert words in verdict.deviations[0].message
