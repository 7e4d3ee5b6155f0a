"""Infusion days by month: the sums of what the lists show."""

from collections import Counter
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.reporting.links import behind
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, InfusionReaction
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope
from tests.listed import asked, read
from tests.monitored import add_course, add_infusion, add_patient

FIGURES = ("infusions", "complete", "short", "unknown", "deviations", "mild", "severe", "reactions", "serious")


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def infuse(scope, on, minutes=120, reactions=(), deviations=0):
    patient = add_patient(scope)
    course = add_course(scope, patient, None)
    started = scope.now.replace(year=on.year, month=on.month, day=on.day)
    ended = started + timedelta(hours=4)
    left = ended + timedelta(minutes=minutes) if minutes is not None else None
    row = add_infusion(scope, patient, course, on, 1, started_at=started, ended_at=ended, discharged_at=left)
    db.session.flush()
    common = {"clinic_id": scope.clinic_id, "infusion_id": row.id, "recorded_at": scope.now}
    for grade, withdrawn_at in reactions:
        db.session.add(
            InfusionReaction(
                **common,
                onset_at=started,
                grade=grade,
                signs="",
                is_serious=grade == "severe",
                withdrawn_at=withdrawn_at,
            )
        )
    for _ in range(deviations):
        db.session.add(
            Deviation(**common, patient_id=patient.id, occurred_on=on, code="short", message="Short", reason="So")
        )
    return row


def test_each_figure_is_what_the_lists_show(scope, cast, scope_for):
    wrong = [("mild", scope.now)]
    infuse(scope, date(2025, 11, 30), reactions=[("mild", None), ("severe", None)], deviations=2)
    infuse(scope, date(2025, 11, 30), minutes=119)
    infuse(scope, date(2025, 12, 1), minutes=None, reactions=[("mild", None), *wrong], deviations=1)
    infuse(scope, date(2026, 1, 22))
    withdrawn = infuse(scope, date(2026, 1, 22), reactions=[("severe", None)])
    withdrawn.state, withdrawn.withdrawn_at = "entered_in_error", scope.now
    infuse(scope_for(cast.stranger), date(2025, 11, 30), reactions=[("severe", None)])
    db.session.commit()
    found = asked(scope, "safety", from_="2025-11-30")
    assert [(line["month"], *(line[name] for name in FIGURES)) for line in found] == [
        (date(2025, 11, 1), 2, 1, 1, 0, 2, 1, 1, 2, 1),
        (date(2025, 12, 1), 1, 0, 0, 1, 1, 1, 0, 1, 0),
        (date(2026, 1, 1), 1, 1, 0, 0, 0, 0, 0, 0, 0),
    ]
    assert [line["share"] for line in found] == [0.5, None, 1.0]
    listed = asked(scope, "observation", from_="2025-11-30")
    outcomes = Counter(line["outcome"] for line in listed)
    sums = {name: sum(line[name] for line in found) for name in FIGURES}
    assert (sums["complete"], sums["short"], sums["unknown"]) == (
        outcomes["complete"],
        outcomes["cut_short"],
        outcomes["not_recorded"],
    )
    assert sums["reactions"] == len(asked(scope, "adverse-events", from_="2025-11-30", show="all"))
    assert sums["deviations"] == sum(line["deviations"] for line in listed)


def test_a_figure_leads_to_the_infusions_behind_it(scope):
    infuse(scope, date(2025, 12, 31), minutes=10)
    infuse(scope, date(2026, 1, 1))
    db.session.commit()
    source = REPORTS["safety"]
    parameters = read(scope, "safety", from_="2025-12-31")
    columns = {column.name: column for column in source.definition.columns}
    for line in source.lines(scope, parameters):
        shown = dict(zip(columns, line.cells, strict=True))
        for name in ("infusions", "complete", "short", "unknown"):
            told = behind(source.definition, columns[name], line, parameters)
            assert told is not None
            assert len(asked(scope, source.definition.behind, **told)) == shown[name]
        assert behind(source.definition, columns["reactions"], line, parameters) is None


def test_months_without_an_infusion_are_there_and_say_so(scope):
    found = asked(scope, "safety")
    assert [line["month"] for line in found][:1] == [date(2025, 2, 1)]
    assert len(found) == 12
    assert {line["infusions"] for line in found} == {0}
    assert {line["share"] for line in found} == {None}
