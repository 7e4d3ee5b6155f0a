"""Patients of whom nothing has come for 90 days, against a plain look at their dates."""

from datetime import date, timedelta

import pytest

from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import MonitoringDecision, Outreach
from clinic_tracker.queries.dashboard.funnel import funnel
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tallies import Tally, tally_patients
from tests.listed import asked
from tests.monitored import add_course, add_exam, add_form, add_infusion, add_lab, add_patient, project

TODAY = date(2026, 1, 22)
DAY = timedelta(days=1)


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def silent(scope, days, **values):
    """A patient whose only evidence is an infusion so many days ago."""
    patient = add_patient(scope, **values)
    add_course(scope, patient, TODAY - days * DAY, days=1)
    return patient


def keys(lines):
    return [line["patient_id"] for line in lines]


def test_90_days_are_not_too_long_and_91_are(scope):
    silent(scope, 90)
    patient = silent(scope, 91, phone="555-0101")
    db.session.commit()
    (line,) = asked(scope, "lost")
    assert (line["patient_id"], line["days"], line["last_on"]) == (patient.id, 91, TODAY - 91 * DAY)
    assert (line["phone"], line["ends_on"]) == ("555-0101", date(2029, 10, 23))
    assert (line["contacted_at"], line["channel"], line["outcome"], line["contacts"]) == (None, None, None, 0)
    assert keys(asked(scope, "lost", as_of=TODAY - DAY)) == []


@pytest.mark.parametrize("kind", ["result", "incomplete", "unknown", "exam", "form", "infusion"])
def test_evidence_of_any_kind_ends_it(scope, kind):
    patient = silent(scope, 200)
    day = TODAY - 30 * DAY
    if kind == "exam":
        add_exam(scope, patient, "tb_screen", day)
    elif kind == "form":
        add_form(scope, patient, "patient_status_form", day)
    elif kind == "infusion":
        add_infusion(scope, patient, add_course(scope, patient, None, number=2), day, 1)
    else:
        test = "Ferritin" if kind == "unknown" else "cbc_diff"
        add_lab(scope, patient, test, day, is_complete=kind != "incomplete")
    db.session.commit()
    assert asked(scope, "lost") == []
    assert keys(asked(scope, "lost", as_of=day - DAY)) == [patient.id]


@pytest.mark.parametrize(
    "values",
    [
        {"result_status": "cancelled"},
        {"result_status": "preliminary"},
        {"state": "entered_in_error", "withdrawn": True},
    ],
)
def test_what_is_no_evidence_does_not(scope, values):
    patient = silent(scope, 200)
    if values.pop("withdrawn", False):
        values["withdrawn_at"] = scope.now
    add_lab(scope, patient, "cbc_diff", TODAY - 30 * DAY, **values)
    db.session.commit()
    assert keys(asked(scope, "lost")) == [patient.id]


def test_who_was_signed_off_or_never_infused_is_not_lost(scope):
    add_lab(scope, add_patient(scope), "cbc_diff", TODAY - 300 * DAY)
    signed = silent(scope, 200)
    db.session.add(
        MonitoringDecision(
            clinic_id=scope.clinic_id, patient_id=signed.id, kind="closed", decided_on=TODAY, reason="Moved",
            recorded_at=scope.now,
        )
    )  # fmt: skip
    db.session.commit()
    assert asked(scope, "lost") == []
    assert keys(asked(scope, "lost", as_of=TODAY - DAY)) == [signed.id]


def test_the_end_of_monitoring_takes_nobody_off(scope):
    heard, finished, dropped = silent(scope, 1500), silent(scope, 1500), silent(scope, 2000)
    add_lab(scope, heard, "cbc_diff", TODAY - 60 * DAY)
    add_lab(scope, finished, "cbc_diff", TODAY - 97 * DAY)  # monitoring ended two months later
    add_lab(scope, dropped, "cbc_diff", TODAY - 1000 * DAY)
    db.session.commit()
    lines = asked(scope, "lost")
    assert [(line["patient_id"], line["days"]) for line in lines] == [(dropped.id, 1000), (finished.id, 97)]
    assert lines[0]["ends_on"] == date(2024, 8, 1)  # 48 months after 1-Aug-2020


def test_report_tally_and_dashboard_name_the_same_patients(scope):
    for days in (90, 91, 200, 1500, 2000):
        patient = silent(scope, days)
        for ago in (89, 92):
            if days > 1000:
                add_lab(scope, silent(scope, days), "cbc_diff", TODAY - ago * DAY)
                add_lab(scope, silent(scope, days), "cbc_diff", TODAY - ago * DAY, result_status="cancelled")
                add_exam(scope, silent(scope, days), "tb_screen", TODAY - ago * DAY)
    add_form(scope, patient, "patient_status_form", TODAY)
    add_lab(scope, add_patient(scope), "cbc_diff", TODAY - 300 * DAY)
    project(scope)
    found = keys(asked(scope, "lost"))
    assert sorted(found) == sorted(row.patient_id for row in tally_patients(scope, Tally.NO_EVIDENCE))
    assert len(found) == funnel(scope).lost == 11


def contact(scope, patient, days, outcome, **values):
    db.session.add(
        Outreach(
            clinic_id=scope.clinic_id,
            patient_id=patient.id,
            contacted_at=scope.now - days * DAY,
            channel="phone",
            outcome=outcome,
            recorded_at=scope.now,
            **values,
        )
    )


def test_what_was_tried(scope):
    patient = silent(scope, 120)
    contact(scope, patient, 130, "will_come")
    contact(scope, patient, 90, "will_come")
    contact(scope, patient, 60, "no_answer")
    contact(scope, patient, 40, "left_message")
    contact(scope, patient, 20, "other", withdrawn_at=scope.now)
    db.session.commit()
    (line,) = asked(scope, "lost")
    assert (line["contacted_at"], line["outcome"]) == (scope.now - 40 * DAY, "left_message")
    assert (line["contacts"], line["attempts"]) == (3, 2)
    earlier = asked(scope, "lost", as_of=TODAY - 50 * DAY)
    assert earlier == []
    contact(scope, silent(scope, 121), 1, "declined")
    db.session.commit()
    assert [(line["outcome"], line["attempts"]) for line in asked(scope, "lost")] == [
        ("declined", 0),
        ("left_message", 2),
    ]


def test_the_clinics_number_of_days(scope):
    patient = silent(scope, 91)
    silent(scope, 60)
    for value, on in ((100, TODAY), (50, TODAY - 10 * DAY)):
        db.session.add(
            ClinicSetting(
                clinic_id=scope.clinic_id, name="no_evidence_days", value=value, effective_from=on, reason="Agreed",
                recorded_at=scope.now,
            )
        )  # fmt: skip
    db.session.commit()
    assert asked(scope, "lost") == []
    assert keys(asked(scope, "lost", as_of=TODAY - DAY))[0] == patient.id
    assert len(asked(scope, "lost", as_of=TODAY - DAY)) == 2


def test_longest_first_and_of_one_prescriber(scope, cast, scope_for):
    a, b, c = silent(scope, 100), silent(scope, 300, prescriber_id=cast.prescriber.id), silent(scope, 200)
    stranger = scope_for(cast.stranger)
    foreign = silent(stranger, 150)
    db.session.commit()
    assert keys(asked(scope, "lost")) == [b.id, c.id, a.id]
    assert keys(asked(scope, "lost", prescriber=cast.prescriber.public_id)) == [b.id]
    assert keys(asked(stranger, "lost")) == [foreign.id]
