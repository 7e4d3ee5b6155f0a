"""Histories as the import reads them: a clinic can take its facts out whole."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic_tracker.domain.history import History
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, InfusionPause, TreatmentCourse
from clinic_tracker.queries.history import clinic_patients, load_history
from clinic_tracker.queries.scope import Scope


def exported_histories(scope: Scope) -> list[dict[str, Any]]:
    """Every patient of the clinic as a history with identity, ordered by MRN; facts that no longer stand left out."""
    keys = clinic_patients(scope)
    histories = load_history(scope, keys)
    infusions, zones = _infusions(scope), _zones(scope)
    rows = db.session.execute(
        select(
            Patient.id,
            Patient.mrn,
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
            Patient.sex_at_birth,
            Patient.has_cervix,
        )
        .where(Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None))
        .order_by(Patient.mrn)
    )
    return [
        {
            "identity": {
                "mrn": mrn,
                "family_name": family,
                "given_name": given,
                "birth_date": birth_date.isoformat(),
            },
            **_history(zones.get(key, scope.time_zone), histories[key], infusions[key]),
            "patient": {"sex_at_birth": sex, "has_cervix": cervix},
        }
        for key, mrn, family, given, birth_date, sex, cervix in rows
    ]


def _zones(scope: Scope) -> dict[int, str]:
    """The time zone where a patient was infused, where that was not this clinic's."""
    rows = db.session.execute(
        select(Infusion.patient_id, Infusion.time_zone)
        .where(Infusion.clinic_id == scope.clinic_id, Infusion.time_zone.is_not(None))
        .order_by(Infusion.started_at)
    )
    return {patient: zone for patient, zone in rows if zone is not None}


def _infusions(scope: Scope) -> defaultdict[int, defaultdict[int, list[dict[str, Any]]]]:
    """The infusions that stand, by patient and course number, with their pauses."""
    pauses: defaultdict[int, list[dict[str, str]]] = defaultdict(list)
    paused = select(InfusionPause.infusion_id, InfusionPause.paused_at, InfusionPause.resumed_at).where(
        InfusionPause.clinic_id == scope.clinic_id, InfusionPause.withdrawn_at.is_(None)
    )
    for infusion, paused_at, resumed_at in db.session.execute(paused.order_by(InfusionPause.paused_at)):
        pauses[infusion].append(_instants(ZoneInfo("UTC"), paused_at=paused_at, resumed_at=resumed_at))
    found: defaultdict[int, defaultdict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    given = (
        select(
            Infusion.patient_id,
            TreatmentCourse.number,
            Infusion.id,
            Infusion.time_zone,
            Infusion.started_at,
            Infusion.ended_at,
        )
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(Infusion.clinic_id == scope.clinic_id, Infusion.state == FactState.RECORDED.value)
        .order_by(Infusion.started_at)
    )
    for patient, number, key, zone_name, started_at, ended_at in db.session.execute(given):
        zone = ZoneInfo(zone_name or scope.time_zone)
        entry: dict[str, Any] = _instants(zone, started_at=started_at, ended_at=ended_at)
        if pauses[key]:
            entry["pauses"] = pauses[key]
        found[patient][number].append(entry)
    return found


def _instants(zone: ZoneInfo, **instants: datetime | None) -> dict[str, str]:
    return {name: at.astimezone(zone).isoformat() for name, at in instants.items() if at is not None}


def _history(time_zone: str, history: History, infusions: dict[int, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "protocol": history.protocol,
        "time_zone": time_zone,
        "courses": [
            {
                "number": course.number,
                "infusions": infusions[course.number],
                "monitoring_extended_to": _iso(course.monitoring_extended_to),
            }
            for course in history.courses
        ],
        "labs": [
            {"test": lab.test, "collected_on": _iso(lab.collected), "status": str(lab.status), "value": lab.value}
            for lab in history.labs
        ],
        "exams": [{"kind": exam.kind, "on": _iso(exam.on)} for exam in history.exams],
        "forms": [_form(form.kind, form.submitted, form.course) for form in history.forms],
        "waivers": [
            {"requirement": waiver.requirement, "from_on": _iso(waiver.from_day), "to_on": _iso(waiver.to_day)}
            for waiver in history.waivers
        ],
        "monitoring_closed_on": _iso(history.monitoring_closed_on),
    }


def _form(kind: str, submitted: int, course: int | None) -> dict[str, Any]:
    form: dict[str, Any] = {"kind": kind, "submitted_on": _iso(submitted)}
    if course is not None:
        form["course"] = course
    return form


def _iso(day: int | None) -> str | None:
    return date.fromordinal(day).isoformat() if day is not None else None
