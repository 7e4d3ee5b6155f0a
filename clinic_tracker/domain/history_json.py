"""Reading a patient history from JSON, strictly: whatever is unknown, missing or impossible is refused by name.

A complaint names the field by its path, ``[3].labs[0].collected_on``. What this module let pass holds no surprises: an
importer may then take the times of day from the same object, with ``read_infusion``.
"""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from clinic_tracker.domain.calendar import iso, local_day
from clinic_tracker.domain.history import CourseFact, ExamFact, FormFact, History, LabFact, WaiverFact
from clinic_tracker.domain.json_values import (
    EARLIEST,
    LATEST,
    InvalidHistory,
    at,
    each,
    fields_of,
    instant,
    number,
    one_of,
    optional_day,
    optional_list,
    positive,
    read_day,
    read_json,
    zone,
)
from clinic_tracker.domain.vocabulary import ExamKind, FormKind, Panel, ResultStatus, Sex

__all__ = ["GivenInfusion", "InvalidHistory", "instant", "read_day", "read_history", "read_infusion", "read_json"]

PROTOCOLS = frozenset({"lemtrada-us", "lemtrada-eu"})
REQUIREMENTS = frozenset(
    {"cbc_diff", "creatinine", "urinalysis_cells", "tsh", "liver_panel"}
    | {"skin_exam", "hpv_screen", "infusion_checklist", "patient_status_form"}
)

_EXAMS = frozenset({ExamKind.SKIN_EXAM, ExamKind.HPV_SCREEN})
_FORMS = frozenset({FormKind.PATIENT_STATUS_FORM, FormKind.INFUSION_CHECKLIST})
_STATUSES = {status.value: status for status in ResultStatus}
_SEXES = frozenset(Sex)

_HISTORY_REQUIRED = ("protocol", "time_zone", "patient", "courses")
_HISTORY_FIELDS = frozenset(
    {"protocol", "time_zone", "patient", "courses", "labs", "exams", "forms", "waivers", "monitoring_closed_on"}
)
_PATIENT_FIELDS = frozenset({"sex_at_birth", "has_cervix"})
_COURSE_FIELDS = frozenset({"number", "infusions", "monitoring_extended_to"})
_INFUSION_FIELDS = frozenset({"started_at", "ended_at", "pauses"})
_PAUSE_FIELDS = frozenset({"paused_at", "resumed_at"})
_LAB_FIELDS = frozenset({"test", "collected_on", "status", "value"})
_EXAM_FIELDS = frozenset({"kind", "on"})
_FORM_FIELDS = frozenset({"kind", "submitted_on", "course"})
_WAIVER_FIELDS = frozenset({"requirement", "from_on", "to_on"})


@dataclass(frozen=True, slots=True)
class GivenInfusion:
    """One infusion with its instants; ``on`` is the local date of the start where it was given.

    An infusion that runs past midnight belongs to the day of its start (decision 27).
    """

    on: date
    started_at: datetime
    ended_at: datetime | None
    pauses: tuple[tuple[datetime, datetime | None], ...]


def read_history(value: object, *, extra: frozenset[str] = frozenset()) -> History:
    """One history, checked; InvalidHistory at the first thing wrong. ``extra`` names keys that the caller reads."""
    fields = fields_of(value, _HISTORY_REQUIRED, _HISTORY_FIELDS | extra)
    time_zone = at("time_zone", zone, fields["time_zone"])
    return History(
        protocol=at("protocol", one_of(PROTOCOLS), fields["protocol"]),
        has_cervix=at("patient", _has_cervix, fields["patient"]),
        courses=_courses(fields["courses"], time_zone),
        labs=optional_list(fields, "labs", _lab),
        exams=optional_list(fields, "exams", _exam),
        forms=optional_list(fields, "forms", _form),
        waivers=optional_list(fields, "waivers", _waiver),
        monitoring_closed_on=at("monitoring_closed_on", optional_day, fields.get("monitoring_closed_on")),
    )


def _has_cervix(value: object) -> bool:
    fields = fields_of(value, (), _PATIENT_FIELDS)
    sex = fields.get("sex_at_birth")
    if sex is not None:
        at("sex_at_birth", one_of(_SEXES), sex)
    stated = fields.get("has_cervix")
    if stated is not None and not isinstance(stated, bool):
        raise InvalidHistory("has_cervix", "must be true, false or null")
    return sex == Sex.FEMALE if stated is None else stated


def _courses(value: object, time_zone: ZoneInfo) -> tuple[CourseFact, ...]:
    courses = each("courses", value, lambda item: _course(item, time_zone))
    places: dict[int, int] = {}
    for place, course in enumerate(courses):
        if course.number in places:
            raise InvalidHistory(f"courses[{place}].number", f"{course.number} is used twice")
        places[course.number] = place
    given = sorted(course for course in courses if course.infusion_days)
    for before, after in pairwise(given):
        if after.infusion_days[0] <= before.infusion_days[-1]:
            raise InvalidHistory(
                f"courses[{places[after.number]}].infusions",
                f"course {after.number} must begin after the last infusion of course {before.number}",
            )
    return courses


def _course(value: object, time_zone: ZoneInfo) -> CourseFact:
    fields = fields_of(value, ["number"], _COURSE_FIELDS)
    infusions = optional_list(fields, "infusions", lambda item: read_infusion(item, time_zone, keeps_pauses=False))
    return CourseFact(
        number=at("number", positive, fields["number"]),
        infusion_days=tuple(sorted(infusion.on.toordinal() for infusion in infusions)),
        monitoring_extended_to=at("monitoring_extended_to", optional_day, fields.get("monitoring_extended_to")),
    )


def read_infusion(value: object, time_zone: ZoneInfo, *, keeps_pauses: bool = True) -> GivenInfusion:
    """One infusion, checked; InvalidHistory names the field inside it.

    Pauses change no due date: for the engine they are any objects, and only who keeps them needs their instants.
    """
    fields = fields_of(value, ["started_at"], _INFUSION_FIELDS)
    started_at = at("started_at", lambda given: _instant(given, time_zone), fields["started_at"])
    ended_at = at("ended_at", lambda given: _optional_instant(given, time_zone), fields.get("ended_at"))
    if ended_at is not None and ended_at < started_at:
        raise InvalidHistory("ended_at", "must not be before started_at")
    pauses = optional_list(fields, "pauses", lambda pause: _pause(pause, time_zone) if keeps_pauses else _object(pause))
    kept = tuple(pause for pause in pauses if pause is not None)
    return GivenInfusion(started_at.astimezone(time_zone).date(), started_at, ended_at, kept)


def _object(value: object) -> None:
    if not isinstance(value, dict):
        raise InvalidHistory("", "must be an object")


def _pause(value: object, time_zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    """A pause has the instants ``paused_at`` and, once the infusion went on, ``resumed_at``."""
    fields = fields_of(value, ["paused_at"], _PAUSE_FIELDS)
    paused_at = at("paused_at", lambda given: _instant(given, time_zone), fields["paused_at"])
    resumed_at = at("resumed_at", lambda given: _optional_instant(given, time_zone), fields.get("resumed_at"))
    if resumed_at is not None and resumed_at < paused_at:
        raise InvalidHistory("resumed_at", "must not be before paused_at")
    return paused_at, resumed_at


def _instant(value: object, time_zone: ZoneInfo) -> datetime:
    """An instant whose local date lies within the years of the format."""
    found = instant(value)
    try:
        day = local_day(found, time_zone)
    except OverflowError as error:
        raise InvalidHistory("", "is not a possible date and time") from error
    if not EARLIEST <= day <= LATEST:
        raise InvalidHistory("", f"must lie between {iso(EARLIEST)} and {iso(LATEST)}")
    return found


def _optional_instant(value: object, time_zone: ZoneInfo) -> datetime | None:
    return None if value is None else _instant(value, time_zone)


def _lab(item: object) -> LabFact:
    fields = fields_of(item, ("test", "collected_on"), _LAB_FIELDS)
    test, status, value = fields["test"], fields.get("status"), fields.get("value")
    if not isinstance(test, str) or not test:
        raise InvalidHistory("test", "must be a text")
    if status is not None and (not isinstance(status, str) or status not in _STATUSES):
        raise InvalidHistory("status", f"must be one of {', '.join(_STATUSES)}")
    measured = None if value is None else at("value", number, value)
    if test == Panel.CD4 and measured is not None and measured < 0:
        raise InvalidHistory("value", "must not be negative")
    collected = at("collected_on", read_day, fields["collected_on"])
    return LabFact(test, collected, ResultStatus.FINAL if status is None else _STATUSES[status], measured)


def _exam(value: object) -> ExamFact:
    fields = fields_of(value, ("kind", "on"), _EXAM_FIELDS)
    return ExamFact(at("kind", one_of(_EXAMS), fields["kind"]), at("on", read_day, fields["on"]))


def _form(value: object) -> FormFact:
    fields = fields_of(value, ("kind", "submitted_on"), _FORM_FIELDS)
    kind, course = at("kind", one_of(_FORMS), fields["kind"]), fields.get("course")
    if kind == FormKind.INFUSION_CHECKLIST:
        course = at("course", positive, course)
    elif course is not None:
        raise InvalidHistory("course", f"is not known: a {kind} belongs to no course")
    return FormFact(kind, at("submitted_on", read_day, fields["submitted_on"]), course)


def _waiver(value: object) -> WaiverFact:
    fields = fields_of(value, ("requirement", "from_on", "to_on"), _WAIVER_FIELDS)
    requirement = at("requirement", one_of(REQUIREMENTS), fields["requirement"])
    first = at("from_on", read_day, fields["from_on"])
    last = at("to_on", read_day, fields["to_on"])
    if last < first:
        raise InvalidHistory("to_on", "must not be before from_on")
    return WaiverFact(requirement, first, last)
