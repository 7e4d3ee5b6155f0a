"""Reactions with the time there was to report them: worked out on a calendar by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic_tracker.domain.vocabulary import FormKind
from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import InfusionReaction
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_course, add_form, add_infusion, add_patient

NAME = "adverse-events"


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def react(scope, onset, *, patient=None, serious=True, grade="severe", **values):
    """A reaction that began at a UTC time."""
    patient = patient or add_patient(scope)
    course = add_course(scope, patient, None, number=1 + patient.id)
    began = datetime.fromisoformat(onset).replace(tzinfo=UTC)
    infusion = add_infusion(scope, patient, course, began.date(), 2)
    db.session.flush()
    row = InfusionReaction(
        clinic_id=scope.clinic_id,
        infusion_id=infusion.id,
        onset_at=began,
        grade=grade,
        is_serious=serious,
        **{
            "seriousness": ["hospitalization"] if serious else [],
            "ticked": ["rash"],
            "signs": "",
            "recorded_at": scope.now,
            **values,
        },
    )
    db.session.add(row)
    db.session.flush()
    return patient, row


def report(scope, patient, reaction, on, **values):
    form = add_form(scope, patient, FormKind.ADVERSE_EVENT_FORM.value, on)
    form.reaction_id = reaction.id
    for name, value in values.items():
        setattr(form, name, value)


def test_the_last_day_is_the_next_business_day_after_the_local_day_of_the_onset(scope):
    # Friday 16-Jan-2026, 10 pm in New York is Saturday in UTC; Monday the 19th is a federal holiday.
    react(scope, "2026-01-17T03:00")
    (line,) = asked(scope, NAME)
    assert (line["due_on"], line["days_late"], line["days_left"]) == (date(2026, 1, 20), 2, None)
    assert (line["signs"], line["grade"], line["serious"]) == ("Rash", "severe", True)
    assert (line["criteria"], line["reported_on"], line["ending"]) == ("Hospital stay, new or longer", None, None)


def test_reported_in_time_late_and_not_known_yet(scope):
    in_time, late = react(scope, "2026-01-13T15:00"), react(scope, "2026-01-13T16:00")
    report(scope, *in_time, date(2026, 1, 14))
    report(scope, *late, date(2026, 1, 21))
    report(scope, *late, date(2026, 1, 20), state="entered_in_error", withdrawn_at=scope.now)
    db.session.commit()
    found = asked(scope, NAME)
    assert [(line["reported_on"], line["days_late"], line["days_left"]) for line in found] == [
        (date(2026, 1, 14), 0, None),
        (date(2026, 1, 21), 7, None),
    ]
    before = asked(scope, NAME, as_of="2026-01-20")
    assert [(line["reported_on"], line["days_late"]) for line in before] == [(date(2026, 1, 14), 0), (None, 6)]
    still = asked(scope, NAME, as_of="2026-01-13")
    assert [(line["reported_on"], line["days_late"], line["days_left"]) for line in still] == [(None, 0, 1)] * 2
    assert len(asked(scope, NAME, show="open")) == 0
    assert len(asked(scope, NAME, show="open", as_of="2026-01-20")) == 1


def test_one_that_is_not_serious_has_no_last_day_and_is_shown_on_demand(scope):
    react(scope, "2026-01-13T15:00", serious=False, grade="mild")
    assert asked(scope, NAME) == []
    (line,) = asked(scope, NAME, show="all")
    assert (line["serious"], line["criteria"], line["due_on"], line["days_late"]) == (False, None, None, None)


def test_the_clinic_sets_the_time_to_report(scope):
    react(scope, "2026-01-13T15:00")
    db.session.add(
        ClinicSetting(
            clinic_id=scope.clinic_id,
            name="event_report_business_days",
            value=3,
            effective_from=date(2026, 1, 15),
            reason="As agreed",
            recorded_at=scope.now,
        )
    )
    db.session.commit()
    assert asked(scope, NAME)[0]["due_on"] == date(2026, 1, 16)
    assert asked(scope, NAME, as_of="2026-01-14")[0]["due_on"] == date(2026, 1, 14)


def test_period_is_by_the_local_day_and_what_was_withdrawn_is_left_out(scope, cast, scope_for):
    stranger = scope_for(cast.stranger)
    for onset in ("2025-12-01T04:59", "2025-12-01T05:00", "2026-01-01T04:59", "2026-01-01T05:00"):
        react(scope, onset)
        react(scope, onset, withdrawn_at=scope.now)
    react(stranger, "2025-12-05T12:00")
    found = asked(scope, NAME, from_="2025-12-01", to="2025-12-31")
    assert [line["onset_at"].isoformat() for line in found] == [
        "2025-12-01T05:00:00+00:00",
        "2026-01-01T04:59:00+00:00",
    ]
    assert len(asked(stranger, NAME)) == 1


def test_what_was_never_reported_is_listed_however_long_ago_it_began(scope):
    react(scope, "2024-03-05T15:00")
    report(scope, *react(scope, "2024-03-05T16:00"), date(2024, 3, 6))
    db.session.commit()
    (line,) = asked(scope, NAME, show="open")
    assert line["onset_at"].isoformat() == "2024-03-05T15:00:00+00:00"
    assert asked(scope, NAME) == []
    assert len(asked(scope, NAME, show="open", by="infusion")) == 1
    assert asked(scope, NAME, show="open", from_="2024-01-01", to="2024-03-04") == []


def test_nobody_had_any(scope):
    assert asked(scope, NAME, from_=scope.today - timedelta(days=4000)) == []
