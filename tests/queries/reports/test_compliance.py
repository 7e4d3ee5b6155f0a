"""The compliance report and the list behind it, against a plain calculation of their own; parts against the whole."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import pytest
from sqlalchemy import select

from clinic_tracker.domain.compliance import Outcome, year_since
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.domain.reporting.links import behind
from clinic_tracker.domain.reporting.parameters import read_parameters
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.reports import compliance, obligations, overdue
from clinic_tracker.services.histories import import_history
from tests.oracle.plain_compliance import PlainRow, plain_rows
from tests.oracle.plain_history import read_plain
from tests.oracle.plain_schedule import plain_answer
from tests.strategies import random_history

IDENTITY = {"family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"}
LATEST = date(2026, 1, 20)
SPANS = (("2025-02-01", "2026-01-22"), ("2016-01-01", "2026-01-22"), ("2024-02-29", "2024-12-31"))
DAYS = ("2026-01-22", "2025-03-31", "2024-02-29")
COUNTS = ("due", "waived", "expected", "on_time", "late", "missed", "owed")
SHARES = ("on_time", "late", "missed", "owed")


@dataclass(frozen=True)
class Counted(PlainRow):
    patient: str
    prescriber: str | None
    protocol: str


@pytest.fixture
def scope(scope_for, cast):
    """The scope of the administrator."""
    return scope_for(cast.administrator)


@pytest.fixture
def histories(scope, cast):
    """Some random histories, imported, one in three without a prescriber; what is plain about each, by MRN."""
    made = {}
    for seed in range(24):
        history = random_history(seed, LATEST)
        import_history(scope, read_imported({**history, "identity": {**IDENTITY, "mrn": f"M{seed:02}"}}))
        made[f"M{seed:02}"] = history
    for patient in db.session.scalars(select(Patient)):
        if int(patient.mrn[1:]) % 3:
            patient.prescriber_id = cast.prescriber.id
    db.session.commit()
    return made


def ask(scope, source, **values):
    """The parameters and the lines of a report; each line by the names of its columns."""
    values = {name.rstrip("_"): value for name, value in values.items()}
    parameters = read_parameters(source.DEFINITION, values, scope.now, scope.time_zone)
    columns = source.DEFINITION.columns_for(parameters.choices)
    names = [column.name for column in columns]
    lines = list(source.lines(scope, parameters))
    return parameters, [dict(zip(names, line.cells, strict=True)) for line in lines], columns, lines


def plainly(histories, cast, first, last, as_of) -> list[Counted]:
    found = []
    for mrn, history in histories.items():
        prescriber = cast.prescriber.name if int(mrn[1:]) % 3 else None
        rows = plain_rows(read_plain(history), *map(date.fromisoformat, (first, last, as_of)))
        found += [
            Counted(**vars(row), patient=mrn, prescriber=prescriber, protocol=history["protocol"]) for row in rows
        ]
    return found


def told_of(group) -> tuple:
    """What tells a line of the report apart, in the words of the plain rows."""
    parts = []
    for name in ("requirement", "month", "prescriber", "year", "protocol"):
        if name in group:
            value = group[name]
            value = f"{value:%Y-%m}" if name == "month" else value
            value = "lemtrada-eu" if name == "protocol" and "EU" in value else value
            parts.append("lemtrada-us" if name == "protocol" and value != "lemtrada-eu" else value)
    return tuple(parts)


@pytest.mark.parametrize("first, last", SPANS)
def test_every_figure_equals_a_plain_count(scope, cast, histories, first, last):
    for as_of, (by, names) in product(DAYS, compliance.GROUPS.items()):
        rows = plainly(histories, cast, first, last, as_of)
        wanted: dict = {}
        for row in rows:
            wanted.setdefault(tuple(getattr(row, name) for name in names), Counter())[row.outcome] += 1
        _, told, _, _ = ask(scope, compliance, from_=first, to=last, as_of=as_of, by=by)

        assert {told_of(line) for line in told} == set(wanted), by
        for line in told:
            counted = wanted[told_of(line)]
            for outcome in Outcome:
                assert line[outcome] == counted[outcome], (by, line)
            assert line["due"] == sum(counted.values())
            assert line["expected"] == line["due"] - counted["waived"]
            for name in SHARES:
                share = counted[name] / line["expected"] if line["expected"] else None
                assert line[f"{name}_share"] == share


def test_totals_of_parts_equal_the_whole(scope, histories):
    for as_of, more in product(DAYS, ({}, {"requirement": "tsh"})):
        sums = {
            by: [sum(line[name] for line in told) for name in COUNTS]
            for by in compliance.GROUPS
            for _, told, _, _ in [ask(scope, compliance, from_="2019-01-01", as_of=as_of, by=by, **more)]
        }
        assert sums["whole"][0] > 0
        assert set(map(tuple, sums.values())) == {tuple(sums["whole"])}


def test_stored_schedules_and_the_engine_give_the_same_lines(scope, histories, monkeypatch):
    live = {by: ask(scope, compliance, from_="2019-01-01", by=by) for by in compliance.GROUPS}
    listed = ask(scope, obligations, from_="2019-01-01")
    monkeypatch.setattr(compliance, "is_live", lambda *_: False)
    monkeypatch.setattr(obligations, "is_live", lambda *_: False)

    for known in ({}, {"known_at": scope.now.isoformat()}):
        for by in compliance.GROUPS:
            assert ask(scope, compliance, from_="2019-01-01", by=by, **known)[3] == live[by][3]
        assert ask(scope, obligations, from_="2019-01-01", **known)[3] == listed[3]
    assert listed[3]


@pytest.mark.parametrize("as_of", DAYS[:2])
def test_each_number_leads_to_exactly_the_obligations_it_counts(scope, histories, as_of):
    span = {"from_": "2025-03-10", "to": "2025-12-05", "as_of": as_of}
    for by in compliance.GROUPS:
        parameters, told, columns, lines = ask(scope, compliance, **span, by=by)
        assert lines
        for line, figures in list(zip(lines, told, strict=True))[:5]:  # the rest is alike
            linked = [column for column in columns if behind(compliance.DEFINITION, column, line, parameters)]
            assert [column.name for column in linked] == list(COUNTS)
            for column in linked:
                _, listed, _, _ = ask(scope, obligations, **behind(compliance.DEFINITION, column, line, parameters))
                assert len(listed) == figures[column.name], (by, column.name)


@pytest.mark.parametrize("as_of", DAYS)
def test_the_list_names_what_the_plain_calculation_finds(scope, cast, histories, as_of):
    rows = plainly(histories, cast, "2018-01-01", "2026-01-22", as_of)
    _, listed, _, _ = ask(scope, obligations, from_="2018-01-01", to="2026-01-22", as_of=as_of)

    wanted = sorted((row.patient, row.requirement, row.due_on, row.slot, row.outcome, row.year) for row in rows)
    names = ("mrn", "requirement", "due", "slot", "outcome", "year")
    assert [tuple(line[name] for name in names) for line in listed] == wanted
    done = {(row.patient, row.slot, row.requirement): row.done_on for row in rows}
    for line in listed:
        assert line["done"] == done[line["mrn"], line["slot"], line["requirement"]]
        if line["outcome"] == "owed":
            assert line["days_late"] == (date.fromisoformat(as_of) - line["due"]).days
        elif line["done"] is None:
            assert line["days_late"] is None
        else:
            assert line["days_late"] == max(0, (line["done"] - line["due"]).days)


def test_each_filter_of_the_list_keeps_exactly_its_lines(scope, histories):
    span = {"from_": "2019-01-01", "to": "2026-01-22"}
    _, everything, _, lines = ask(scope, obligations, **span)
    for name in ("outcome", "year", "requirement"):
        parts = 0
        for value in {line[name] for line in everything}:
            _, some, _, _ = ask(scope, obligations, **span, **{name: value})
            assert some == [line for line in everything if line[name] == value]
            parts += len(some)
        assert parts == len(everything)
    _, one, _, _ = ask(scope, obligations, **span, patient=str(lines[0].patient))
    assert one == [line for line in everything if line["mrn"] == one[0]["mrn"]]


def test_what_was_overdue_is_what_the_plain_calculation_finds(scope, histories, monkeypatch):
    for as_of in DAYS:
        wanted = set()
        for mrn, history in histories.items():
            for one in plain_answer(history, date.fromisoformat(as_of))["standings"]:
                if one["state"] == "overdue":
                    due = date.fromisoformat(one["next_due_on"])
                    wanted.add((mrn, one["requirement"], due, one["missed_in_a_row"]))
        _, listed, _, _ = ask(scope, overdue, as_of=as_of)
        assert {(line["mrn"], line["requirement"], line["due"], line["missed"]) for line in listed} == wanted
        assert [line["due"] for line in listed] == sorted(line["due"] for line in listed)
        assert wanted
    live = ask(scope, overdue)[3]
    monkeypatch.setattr(overdue, "is_live", lambda *_: False)
    assert ask(scope, overdue)[3] == live


def test_without_anything_expected_there_is_no_share(scope, histories):
    _, told, _, _ = ask(scope, compliance, from_="2019-01-01", by="requirement_month")
    assert all((line["on_time_share"] is None) == (line["expected"] == 0) for line in told)


def test_another_clinic_has_its_own_figures(scope_for, cast, histories):
    stranger = scope_for(cast.stranger)
    for as_of in DAYS:
        assert ask(stranger, compliance, from_="2019-01-01", as_of=as_of)[1] == []
        assert ask(stranger, obligations, from_="2019-01-01", as_of=as_of)[1] == []


@pytest.mark.parametrize(
    "last, due, year",
    [
        (date(2024, 2, 29), date(2024, 2, 29), "1"),
        (date(2024, 2, 29), date(2025, 2, 28), "1"),
        (date(2024, 2, 29), date(2025, 3, 1), "2"),
        (date(2024, 2, 29), date(2028, 2, 29), "4+"),
        (date(2023, 1, 31), date(2025, 1, 31), "2"),
        (date(2023, 1, 31), date(2025, 2, 1), "3"),
        (date(2023, 1, 31), date(2026, 2, 1), "4+"),
    ],
)
def test_a_year_ends_with_its_anniversary(last, due, year):
    assert year_since(last.toordinal(), due.toordinal()) == year
    assert timedelta(0) <= due - last
