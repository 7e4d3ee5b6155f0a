"""After results came in, whatever they were and in whatever order, the stored schedule is what the facts say."""

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from clinic_tracker.domain.messages import ReportState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.services import inbound_ingest, projection
from tests.factories import register
from tests.inbound import CBC, add_source, message, report, send
from tests.monitored import add_course

CONTENTS = (
    CBC,
    CBC[:2],
    ("creatinine",),
    ("urine_rbc", "urine_wbc"),
    ("tsh",),
    ("alt", "ast", "bilirubin_total"),
    ("cd4",),
    (*CBC, "creatinine", "tsh"),
)
STATES = (ReportState.FINAL, ReportState.FINAL, ReportState.CORRECTED, ReportState.PRELIMINARY, ReportState.CANCELLED)


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


def some_report(chance, scope):
    """A report of a day after the first infusion, sometimes a version of one that came before."""
    on = scope.today - timedelta(days=chance.choice([chance.randrange(700), chance.randrange(3)]))
    content, state = chance.choice(CONTENTS), chance.choice(STATES)
    return report(*content, key=f"K{chance.randrange(25)}", on=on, state=state)


@pytest.mark.parametrize("seed", range(8))
def test_the_stored_schedule_is_what_the_facts_say(scope, seed):
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    source, patients = add_source(scope), [register(scope).row for _ in range(3)]
    for patient in patients[:2]:  # the third was never treated
        add_course(scope, patient, date(2023, 11, 6))
        add_course(scope, patient, date(2024, 11, 4), number=2)
    db.session.commit()
    projection.reproject(scope, [patient.id for patient in patients])
    db.session.commit()
    for _ in range(12):
        sent = [
            message(chance.choice(patients), some_report(chance, scope), position=place)
            for place in range(chance.randrange(1, 5))
        ]
        send(scope, source, *sent)
        assert projection.check(scope) == []
    assert db.session.query(LabReport).count() > 5


@pytest.mark.parametrize("at_once", [2, 500])
def test_a_large_file_lets_the_database_see_how_much_there_is(scope, monkeypatch, at_once):
    monkeypatch.setattr(inbound_ingest, "MANY", 3)
    patient = register(scope).row
    sent = [message(patient, report("tsh"), position=place) for place in range(3)]
    send(scope, add_source(scope), *sent, at_once=at_once)
    if db.engine.dialect.name == "sqlite":
        counted = db.session.execute(text("select distinct tbl from sqlite_stat1")).scalars()
        assert {"lab_report", "lab_value", "patient"} <= set(counted)
    assert db.session.query(LabReport).count() == 3
