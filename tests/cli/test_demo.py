"""The demonstration: deterministic, in every phase, never beside real patients."""

import json

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundResult
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.reviewing import FollowUpTask
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.services.demo.people import PASSWORD as DEMO_PASSWORD


def run(runner, *arguments):
    result = runner.invoke(args=list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def exported(runner, slug="northside"):
    return json.loads(run(runner, "histories", "export", "--clinic", slug)[1])


def test_the_same_seed_and_day_make_the_same_clinics(make_app):
    made = []
    for _ in range(2):
        other = make_app()
        with other.app_context():
            runner = other.test_cli_runner()
            assert run(runner, "demo", "load", "--patients", "36", "--seed", "7", "--as-of", "2026-01-22")[0] == 0
            made.append(exported(runner))
    assert made[0] == made[1]
    assert len(made[0]) == 30


def test_it_shows_every_phase_and_agrees_with_the_facts(app, runner):
    status, output, _complaint = run(runner, "demo", "load", "--patients", "50", "--as-of", "2026-01-22")

    assert status == 0
    assert "northside" in output
    assert run(runner, "schedule", "check")[0] == 0
    rows = json.loads(run(runner, "worklist", "export", "--clinic", "northside", "--format", "json")[1])
    assert {row["state"] for row in rows} >= {"overdue", "due", "up_to_date", "closed"}
    assert max(row["days_overdue"] for row in rows) > 150
    running = db.session.scalars(
        db.select(Infusion).where(Infusion.ended_at.is_not(None), Infusion.discharged_at.is_(None))
    )
    assert list(running)
    assert {row.state for row in db.session.scalars(db.select(InboundResult))} == {"unmatched", "not_understood"}
    tasks = list(db.session.scalars(db.select(FollowUpTask)))
    assert all(task.panel and task.done_at is None for task in tasks)
    assert tasks, "some amber results were answered with a repeat"


@pytest.mark.parametrize("email", ["staff@demo.example", "neurologist@demo.example", "staff@other.example"])
def test_its_people_can_sign_in(app, runner, page, email):
    run(runner, "demo", "load", "--patients", "5")

    page.submit("/sign-in", email=email, password=DEMO_PASSWORD)

    page.get("/today")


def test_it_never_mixes_with_real_patients(app, cast, runner, clock):
    db.session.add(
        Patient(
            clinic_id=cast.northside.id,
            mrn="1",
            family_name="Real",
            given_name="Person",
            birth_date=clock.today.replace(year=1980),
            sex_at_birth="female",
            protocol_id="lemtrada-us",
            registered_at=clock.now,
        )
    )
    db.session.commit()

    status, _output, complaint = run(runner, "demo", "load")

    assert status == 2
    assert "real patients" in complaint
    assert db.session.scalar(db.select(db.func.count()).select_from(Patient)) == 1


def test_it_is_loaded_once_and_if_empty_asks_nothing(app, runner):
    run(runner, "demo", "load", "--patients", "5")

    assert run(runner, "demo", "load", "--patients", "5")[0] == 2
    assert run(runner, "demo", "load", "--if-empty")[0] == 0


@pytest.mark.parametrize("option, value", [("--patients", "0"), ("--as-of", "soon"), ("--as-of", "2027-01-01")])
def test_impossible_wishes_are_refused(app, runner, option, value):
    status, _output, complaint = run(runner, "demo", "load", option, value)

    assert status == 2
    assert len(complaint.strip().splitlines()) == 1
