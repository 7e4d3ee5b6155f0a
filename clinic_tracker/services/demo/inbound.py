"""What the demonstration laboratory sent: a result that fits no chart, an unknown code; a specimen not come back."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from clinic_tracker.domain.messages import (
    LOINC,
    Coded,
    Identifier,
    Identity,
    Observed,
    ReportState,
    ResultMessage,
    SentReport,
)
from clinic_tracker.domain.vocabulary import InboundKind, Panel, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundSource, LabOrder
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.demo.chart import Cast
from clinic_tracker.services.inbound import finish, store
from clinic_tracker.services.inbound_ingest import ingest
from clinic_tracker.services.unit_of_work import unit_of_work

LABORATORY = "Demonstration Laboratory"
SHEETS = "Outside results, as spreadsheets"
_SENT_DAYS_AGO = 2
_DRAWN_DAYS_AGO = 5
_MORNING = time(13, 5)


def receive_results(scope: Scope, cast: Cast, patients: Sequence[Patient]) -> None:
    """A laboratory with two messages, a source of tables, and the order of a specimen that was drawn days ago."""
    waiting, doubted, known = (patients[place % len(patients)] for place in (1, 2, 3))
    drawn = scope.today - timedelta(days=_DRAWN_DAYS_AGO)
    with unit_of_work(scope):
        source = InboundSource(
            clinic_id=scope.clinic_id, name=LABORATORY, kind=InboundKind.HL7.value, created_at=scope.now
        )
        order = LabOrder(
            clinic_id=scope.clinic_id,
            patient_id=waiting.id,
            panel=Panel.CBC_DIFF.value,
            ordered_on=drawn - timedelta(days=1),
            collected_on=drawn,
            laboratory=LABORATORY,
            recorded_by_id=cast.staff,
            recorded_at=scope.now - timedelta(days=_DRAWN_DAYS_AGO),
        )
        sheets = InboundSource(
            clinic_id=scope.clinic_id, name=SHEETS, kind=InboundKind.TABLE.value, created_at=scope.now
        )
        db.session.add_all((source, sheets, order))
        db.session.flush()
        lab = source.public_id
    earlier = replace(scope, now=scope.now - timedelta(days=_SENT_DAYS_AGO))
    stranger = replace(_identity(doubted, "L-40817", "LAB"), birth_date=doubted.birth_date + timedelta(days=9))
    creatinine = Observed((Coded("2160-0", LOINC, "Creatinine"),), "0.9", "mg/dL")
    citrate = Observed((Coded("PLTC", "L", "Platelets, citrate tube"),), "231", "10*3/uL")
    _send(earlier, lab, 1, stranger, creatinine)
    _send(earlier, lab, 2, _identity(known, known.mrn, "CLINIC"), citrate)


def _identity(patient: Patient, number: str, system: str) -> Identity:
    return Identity(
        (Identifier(number, system, "MR"),),
        patient.family_name,
        patient.given_name,
        patient.birth_date,
        Sex(patient.sex_at_birth),
    )


def _send(scope: Scope, source: uuid.UUID, number: int, identity: Identity, line: Observed) -> None:
    """One result of one line, kept as a message and worked off."""
    day = scope.today - timedelta(days=1)
    report = SentReport(
        key=f"DEMO-{number}",
        codes=line.codes,
        state=ReportState.FINAL,
        collected_on=day,
        issued_at=datetime.combine(day, _MORNING, UTC),
        values=(line,),
    )
    stored = store(scope, source, _raw(number, identity, line, day))
    message = ResultMessage(0, f"DEMO{number}", identity, (report,), LABORATORY)
    done = ingest(scope, stored.id, [message])
    finish(scope, stored.id, done.counts, control_id=message.control_id)


def _raw(number: int, identity: Identity, line: Observed, day: date) -> bytes:
    """The message as the laboratory would have written it."""
    (numbered,), (coded,) = identity.identifiers, line.codes
    system = "LN" if coded.system == LOINC else coded.system
    code = f"{coded.code}^{coded.text}^{system}"
    name = f"{identity.family_name}^{identity.given_name}"
    rows = (
        f"MSH|^~\\&|LIS|{LABORATORY}|||{day:%Y%m%d}130500||ORU^R01^ORU_R01|DEMO{number}|P|2.5.1",
        f"PID|1||{numbered.value}^^^{numbered.system}^MR||{name}||{identity.birth_date:%Y%m%d}|{identity.sex[0].upper()}",
        f"OBR|1||DEMO-{number}|{code}|||{day:%Y%m%d}|||||||||||||||{day:%Y%m%d}130500|||F",
        f"OBX|1|NM|{code}||{line.text}|{line.unit}|||||F",
    )
    return "\r".join((*rows, "")).encode()
