"""Amber results of the demonstration that were answered, and the repeats that follow from them."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from clinic_tracker.domain.lab_findings import told_once
from clinic_tracker.domain.vocabulary import FindingAction
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.demo.chart import Cast

_MOST = 3
_DAYS_APART = 3


def answer_some(scope: Scope, cast: Cast) -> None:
    """The neurologist has answered a few of the amber results that wait: repeats of today and the days to come."""
    doctor = replace(scope, user_id=cast.neurologist, system_actor=None)
    waiting = db.session.execute(
        select(Patient.public_id, LabReport.public_id, LabReport.findings)
        .join(Patient, Patient.id == LabReport.patient_id)
        .where(
            LabReport.clinic_id == scope.clinic_id, LabReport.worst_level == "amber", LabReport.reviewed_at.is_(None)
        )
        .order_by(LabReport.id)
        .limit(_MOST)
    ).all()
    for number, (patient, report, findings) in enumerate(waiting):
        day = scope.today + timedelta(days=_DAYS_APART * number)
        rules = dict.fromkeys(str(item["rule"]) for item in told_once(findings))
        answers = [Answer(rule, FindingAction.REPEAT_ORDERED, None, day) for rule in rules]
        acknowledge(doctor, patient, report, answers, signed=True)
