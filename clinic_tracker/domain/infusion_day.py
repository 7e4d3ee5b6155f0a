"""One infusion day: its times, pauses, premedication, drug, vital signs, observation and discharge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from clinic_tracker.domain.dosing import InfusionDay, Regimen, check_day, check_dose
from clinic_tracker.domain.local_time import elapsed_minutes, local_date, show_date, show_time, to_utc
from clinic_tracker.domain.notes import Note, Verdict, deviation, refuse, remark
from clinic_tracker.domain.observation import check_discharge
from clinic_tracker.domain.vocabulary import PremedicationKind

_LONGEST_HOURS = 24
#: How long before a start after midnight something of the evening still belongs to it (C).
EVENING = timedelta(hours=6)


class Pause(NamedTuple):
    """An interruption of the infusion; without an end it is still on."""

    started_at: datetime
    ended_at: datetime | None = None


class Premedication(NamedTuple):
    """A drug given around the infusion; without an end it was given at once."""

    kind: PremedicationKind
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InfusionEntry:
    """What somebody wants to record about one infusion day. All times are instants; unknown ones are ``None``."""

    course: int
    day_number: int
    infused_on: date
    dose_mg: float
    started_at: datetime | None = None
    ended_at: datetime | None = None
    diluted_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    premedications: tuple[Premedication, ...] = ()
    vitals_at: tuple[datetime, ...] = ()
    lot_number: str = ""
    lot_expires_on: date | None = None
    discharged_at: datetime | None = None
    stroke_counseled: bool = False
    late_reactions_counseled: bool = False


@dataclass(frozen=True, slots=True)
class InfusionContext:
    """What is known around the entry: other infusions of the patient (not one being corrected), enrollment, clock.

    ``imported`` takes history as it happened: a sixth day or an infusion before enrollment is a deviation then, and
    details that an old record does not hold are not judged.
    """

    recorded: tuple[InfusionDay, ...]
    enrolled_on: date | None
    now: datetime
    zone_name: str
    imported: bool = False


def check_infusion(entry: InfusionEntry, context: InfusionContext, regimen: Regimen) -> Verdict:
    """Everything the rules say about an infusion day (R-11, R-40 to R-50, R-55)."""
    day = InfusionDay(entry.course, entry.day_number, entry.infused_on)
    notes = [
        *_enrollment(entry, context),
        *check_day(day, context.recorded, regimen, imported=context.imported),
        *check_dose(entry.dose_mg, regimen),
        *_not_in_future(entry, context),
        *_order_of_times(entry, context),
        *_pauses(entry),
        *_dilution(entry, regimen),
        *_steroid(entry, context, regimen),
        *_lot(entry, context),
        *_vital_signs(entry, context),
        *_duration(entry, regimen),
    ]
    verdict = Verdict(tuple(notes))
    if entry.ended_at and entry.discharged_at:
        counseled = context.imported
        verdict += check_discharge(
            entry.ended_at,
            entry.discharged_at,
            regimen.observation_min,
            stroke_counseled=entry.stroke_counseled or counseled,
            late_reactions_counseled=entry.late_reactions_counseled or counseled,
        )
    return verdict


def active_minutes(started_at: datetime, ended_at: datetime, pauses: Sequence[Pause]) -> int:
    """Minutes in which the drug really ran: from start to end without the pauses (decision 29)."""
    paused = sum((to_utc(pause.ended_at or ended_at) - to_utc(pause.started_at) for pause in pauses), timedelta())
    return (to_utc(ended_at) - to_utc(started_at) - paused) // timedelta(minutes=1)


def expected_end_at(started_at: datetime, planned_minutes: int, pauses: Sequence[Pause], now: datetime) -> datetime:
    """When a running infusion will have run its planned minutes, in UTC: start, minutes and pauses (R-45).

    A pause that is still on counts up to ``now``, so the end recedes while the drug stands still.
    """
    paused = timedelta()
    for pause in pauses:
        until = to_utc(pause.ended_at or now)
        paused += max(until - to_utc(pause.started_at), timedelta())
    return to_utc(started_at) + timedelta(minutes=planned_minutes) + paused


def _enrollment(entry: InfusionEntry, context: InfusionContext) -> list[Note]:
    """No dose before the patient is enrolled (R-11)."""
    if context.enrolled_on is None:
        message = "The patient is not enrolled: enroll before the first infusion."
        return [] if context.imported else [refuse("not_enrolled", None, message, "R-11")]
    if entry.infused_on >= context.enrolled_on:
        return []
    message = f"The infusion is before the enrollment on {show_date(context.enrolled_on)}."
    note = deviation if context.imported else refuse
    return [note("before_enrollment", "infused_on", message, "R-11")]


def _not_in_future(entry: InfusionEntry, context: InfusionContext) -> list[Note]:
    if entry.infused_on > local_date(context.now, context.zone_name):
        return [refuse("future_date", "infused_on", "The infusion date is in the future.", "R-40")]
    named = [
        ("diluted_at", entry.diluted_at, "dilution"),
        ("started_at", entry.started_at, "start"),
        *(("pauses", moment, "pause") for pause in entry.pauses for moment in pause if moment),
        *(("premedications", drug.ended_at or drug.started_at, "premedication") for drug in entry.premedications),
        *(("vitals_at", moment, "set of vital signs") for moment in entry.vitals_at),
        ("ended_at", entry.ended_at, "end"),
        ("discharged_at", entry.discharged_at, "discharge"),
    ]
    now = to_utc(context.now)
    return [
        refuse("future_time", field, f"The {name} at {show_time(moment, context.zone_name)} is in the future.", "R-45")
        for field, moment, name in named
        if moment and to_utc(moment) > now
    ]


def _order_of_times(entry: InfusionEntry, context: InfusionContext) -> list[Note]:
    """The date is the local date of the start (decision 27); an end needs a start and comes after it."""
    if entry.started_at is None:
        if entry.ended_at or entry.discharged_at:
            return [refuse("no_start", "started_at", "Enter when the infusion started.", "R-45")]
        return []
    notes: list[Note] = []
    started_on = local_date(entry.started_at, context.zone_name)
    if started_on != entry.infused_on:
        message = f"The infusion started on {show_date(started_on)}; its date is the date of the start."
        notes.append(refuse("date_differs_from_start", "infused_on", message, "R-40"))
    if entry.ended_at and to_utc(entry.ended_at) <= to_utc(entry.started_at):
        notes.append(refuse("end_before_start", "ended_at", "The end is not after the start.", "R-45"))
    if entry.discharged_at and not entry.ended_at:
        notes.append(refuse("no_end", "ended_at", "Enter when the infusion ended before the discharge.", "R-48"))
    return notes


def _pauses(entry: InfusionEntry) -> list[Note]:
    """Pauses lie inside the infusion, one after the other; only the last may still be on."""
    if entry.pauses and entry.started_at is None:
        return [refuse("no_start", "started_at", "Enter when the infusion started.", "R-45")]
    notes: list[Note] = []
    free_from = entry.started_at
    for pause in sorted(entry.pauses, key=lambda pause: to_utc(pause.started_at)):
        if free_from is None or to_utc(pause.started_at) < to_utc(free_from):
            message = "A pause begins before the start of the infusion or before the end of another pause."
            notes.append(refuse("pause_overlaps", "pauses", message, "R-45"))
        if pause.ended_at and to_utc(pause.ended_at) <= to_utc(pause.started_at):
            notes.append(refuse("pause_backwards", "pauses", "A pause does not end after it begins.", "R-45"))
        if entry.ended_at and to_utc(pause.ended_at or pause.started_at) > to_utc(entry.ended_at):
            notes.append(refuse("pause_outside", "pauses", "A pause is after the end of the infusion.", "R-45"))
        elif entry.ended_at and pause.ended_at is None:
            notes.append(refuse("pause_open", "pauses", "Enter when the pause ended.", "R-45"))
        free_from = pause.ended_at  # None: still on, so every later one overlaps
    return notes


def _dilution(entry: InfusionEntry, regimen: Regimen) -> list[Note]:
    """The drug is started within 8 hours of dilution (R-46)."""
    if not (entry.diluted_at and entry.started_at):
        return []
    waited = elapsed_minutes(entry.diluted_at, entry.started_at)
    if waited < 0:
        return [refuse("diluted_after_start", "diluted_at", "The dilution is after the start.", "R-46")]
    if to_utc(entry.started_at) - to_utc(entry.diluted_at) > timedelta(hours=regimen.dilution_max_hours):
        message = (
            f"Started {waited // 60} h {waited % 60} min after dilution; diluted drug is used within "
            f"{regimen.dilution_max_hours} hours."
        )
        return [deviation("diluted_too_early", "diluted_at", message, "R-46")]
    return []


def _steroid(entry: InfusionEntry, context: InfusionContext, regimen: Regimen) -> list[Note]:
    """On days 1 to 3 a corticosteroid ends before the infusion starts, on the same day or in its night (R-43)."""
    backwards = [
        refuse("premedication_backwards", "premedications", "A premedication ends before it begins.", "R-43")
        for drug in entry.premedications
        if drug.ended_at and to_utc(drug.ended_at) < to_utc(drug.started_at)
    ]
    if entry.started_at is None or entry.day_number > regimen.steroid_days:
        return backwards
    steroids = [drug for drug in entry.premedications if drug.kind is PremedicationKind.STEROID]
    start = to_utc(entry.started_at)
    if any(
        to_utc(drug.ended_at or drug.started_at) <= start and _is_of_day(drug.started_at, entry, context)
        for drug in steroids
    ):
        return backwards
    if steroids:
        message = "The corticosteroid was not finished before the infusion started, on the same day."
        return [*backwards, deviation("steroid_late", "premedications", message, "R-43")]
    if context.imported:
        return backwards
    message = f"No corticosteroid is recorded before the infusion; it is due on days 1 to {regimen.steroid_days}."
    return [*backwards, deviation("no_steroid", "premedications", message, "R-43")]


def _lot(entry: InfusionEntry, context: InfusionContext) -> list[Note]:
    """Every infusion can be traced to its lot (R-55), and the lot was in date."""
    if entry.lot_expires_on and entry.lot_expires_on < entry.infused_on:
        message = f"The lot expired on {show_date(entry.lot_expires_on)}, before the infusion."
        return [deviation("lot_expired", "lot_expires_on", message, "R-55")]
    if context.imported:
        return []
    if not entry.lot_number.strip():
        return [deviation("no_lot", "lot_number", "No lot number is recorded.", "R-55")]
    if not entry.lot_expires_on:
        return [remark("no_lot_expiry", "lot_expires_on", "No expiry date of the lot is recorded.", "R-55")]
    return []


def _vital_signs(entry: InfusionEntry, context: InfusionContext) -> list[Note]:
    """At least one set of vital signs before the start, on the same day or in its night (R-47)."""
    if entry.started_at is None or context.imported:
        return []
    if any(
        to_utc(moment) <= to_utc(entry.started_at) and _is_of_day(moment, entry, context) for moment in entry.vitals_at
    ):
        return []
    return [deviation("no_vitals_before", "vitals_at", "No vital signs are recorded before the start.", "R-47")]


def _is_of_day(moment: datetime, entry: InfusionEntry, context: InfusionContext) -> bool:
    """Whether it happened on the date of the infusion, or in the evening before a start after midnight (C)."""
    if local_date(moment, context.zone_name) == entry.infused_on:
        return True
    return entry.started_at is not None and timedelta() <= to_utc(entry.started_at) - to_utc(moment) <= EVENING


def _duration(entry: InfusionEntry, regimen: Regimen) -> list[Note]:
    """About four hours of running infusion; shorter is shown and never blocks (R-45)."""
    if not (entry.started_at and entry.ended_at) or to_utc(entry.ended_at) <= to_utc(entry.started_at):
        return []
    if to_utc(entry.ended_at) - to_utc(entry.started_at) > timedelta(hours=_LONGEST_HOURS):
        message = f"The infusion lasted more than {_LONGEST_HOURS} hours: check the dates."
        return [remark("very_long_infusion", "ended_at", message, "R-45")]
    active = active_minutes(entry.started_at, entry.ended_at, entry.pauses)
    if active < regimen.infusion_target_min:
        message = f"The infusion ran {active} minutes; about {regimen.infusion_target_min} are intended."
        return [remark("short_infusion", "ended_at", message, "R-45")]
    return []
