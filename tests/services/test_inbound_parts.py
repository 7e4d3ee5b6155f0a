"""A count and its differential that come in messages of their own are one panel, where it is certain that they are."""

import itertools
from datetime import timedelta

import pytest

from clinic_tracker.domain.lab_entry import TypedPanel, TypedValue
from clinic_tracker.domain.messages import LOINC, Coded, ReportState
from clinic_tracker.domain.vocabulary import LocalCodeKind, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabValue
from clinic_tracker.models.schedule import Standing
from clinic_tracker.services import projection
from clinic_tracker.services.auto_review import begin_auto_review
from clinic_tracker.services.inbound_resolve import match_result, undo_match
from clinic_tracker.services.lab_reports import correct_report
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.local_codes import map_code
from tests.factories import register
from tests.inbound import DAY, add_source, at, line, message, report, reports_of, results, send
from tests.monitored import add_course

COUNT, DIFFERENTIAL = ("platelets", "wbc"), ("neutrophils", "lymphocytes")
BOTH = {"platelets": 251.0, "wbc": 6.1, "neutrophils": 3.9, "lymphocytes": 1.4}
DRAWN = {"order_key": "P1", "collected_at": at(12, 13)}


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def source(scope):
    return add_source(scope)


@pytest.fixture
def patient(scope):
    return register(scope).row


def count(*lines, key="C1", **values):
    return report(*(lines or COUNT), key=key, **{**DRAWN, **values})


def differential(*lines, key="D1", **values):
    return report(*(lines or DIFFERENTIAL), key=key, **{**DRAWN, **values})


def values_of(row):
    return {value.analyte: value.number for value in db.session.query(LabValue).filter_by(lab_report_id=row.id)}


def send_each(scope, source, patient, *reports):
    for one in reports:
        send(scope, source, message(patient, one))


ORDERS = pytest.mark.parametrize("first", ["count", "differential"])


def both(first):
    return [count(), differential()] if first == "count" else [differential(), count()]


@ORDERS
@pytest.mark.parametrize("in_one_file", [True, False])
def test_they_are_one_complete_panel_whichever_comes_first(scope, source, patient, first, in_one_file):
    add_course(scope, patient, DAY - timedelta(days=40))
    db.session.commit()
    projection.reproject(scope, [patient.id])
    db.session.commit()
    if in_one_file:
        send(scope, source, *(message(patient, one, position=place) for place, one in enumerate(both(first))))
    else:
        send_each(scope, source, patient, *both(first))
    (row,) = reports_of(patient)
    assert (row.is_complete, row.missing, values_of(row)) == (True, None, BOTH)
    assert [old.state for old in reports_of(patient, None) if old.id != row.id] == ["corrected"]
    assert [one.state for one in results()] == ["recorded", "recorded"]
    standing = db.session.query(Standing).filter_by(patient_id=patient.id, requirement="cbc_diff").one()
    assert standing.last_done_on == DAY
    assert projection.check(scope) == []


def test_one_specimen_is_enough_where_no_time_is_told(scope, source, patient):
    told = {"order_key": "", "collected_at": None, "specimen": "S1"}
    send_each(scope, source, patient, count(**told), differential(**told))
    assert [row.is_complete for row in reports_of(patient)] == [True]


@pytest.mark.parametrize(
    "other",
    [
        {"order_key": ""},
        {"order_key": "P2"},
        {"collected_at": at(12, 14)},
        {"collected_at": None},
        {"specimen": "S2"},
        {"on": DAY - timedelta(days=1), "collected_at": at(11, 13)},
    ],
)
def test_without_a_certain_link_each_stays_as_it_is(scope, source, patient, other):
    send_each(scope, source, patient, count(specimen="S1" if "specimen" in other else ""), differential(**other))
    assert [row.is_complete for row in reports_of(patient)] == [False, False]


def test_the_same_instant_alone_is_no_certain_link(scope, source, patient):
    send_each(scope, source, patient, count(order_key=""), differential(order_key=""))
    assert [row.is_complete for row in reports_of(patient)] == [False, False]


def test_of_two_counts_that_fit_none_is_chosen(scope, source, patient):
    send_each(scope, source, patient, count(key="C1"), count(key="C2"), differential())
    assert [row.is_complete for row in reports_of(patient)] == [False, False, False]


def test_a_part_of_another_patient_or_another_laboratory_is_left_alone(scope, source, patient):
    other, elsewhere = register(scope).row, add_source(scope, "Other Lab")
    send(scope, source, message(other, count()))
    send(scope, elsewhere, message(patient, count()))
    send(scope, source, message(patient, differential()))
    assert [row.is_complete for row in reports_of(patient) + reports_of(other)] == [False, False, False]


@ORDERS
@pytest.mark.parametrize("which", ["count", "differential"])
def test_a_correction_of_either_part_leaves_the_other_as_it_is(scope, source, patient, first, which):
    newer = {"state": ReportState.CORRECTED, "issued_at": at(14)}
    corrected = {
        "count": count(line("platelets", "90"), "wbc", **newer),
        "differential": differential(line("neutrophils", "0.3"), "lymphocytes", **newer),
    }[which]
    send_each(scope, source, patient, *both(first), corrected)
    (row,) = reports_of(patient)
    assert row.is_complete
    assert values_of(row) == BOTH | ({"platelets": 90.0} if which == "count" else {"neutrophils": 0.3})
    assert [old.state for old in reports_of(patient, None) if old.id != row.id] == ["corrected", "corrected"]


@ORDERS
@pytest.mark.parametrize("which", ["count", "differential"])
def test_when_one_part_is_cancelled_the_other_stands_alone_until_it_comes_again(scope, source, patient, first, which):
    make, gone, left = {
        "count": (count, COUNT, DIFFERENTIAL),
        "differential": (differential, DIFFERENTIAL, COUNT),
    }[which]
    key = "C1" if which == "count" else "D1"
    taken_back = report(key=key, state=ReportState.CANCELLED, issued_at=at(14), **DRAWN)
    send_each(scope, source, patient, *both(first), taken_back)
    (row,) = reports_of(patient)
    assert (row.is_complete, set(values_of(row))) == (False, set(left))
    assert {old.state for old in reports_of(patient, None) if old.id != row.id} == {"corrected"}
    send_each(scope, source, patient, make(issued_at=at(15)))
    (row,) = reports_of(patient)
    assert (row.is_complete, values_of(row)) == (True, BOTH)
    assert gone[0] in values_of(row)


def test_when_both_parts_are_cancelled_nothing_stands(scope, source, patient):
    cancelled = [report(key=key, state=ReportState.CANCELLED, issued_at=at(14), **DRAWN) for key in ("C1", "D1")]
    send_each(scope, source, patient, count(), differential(), *cancelled)
    assert [values_of(row) for row in reports_of(patient)] in ([], [{}])
    assert not any(row.is_complete for row in reports_of(patient))


def test_a_count_that_a_person_corrected_is_not_joined_and_not_overwritten(scope, source, patient):
    send(scope, source, message(patient, count()))
    (there,) = reports_of(patient)
    typed = TypedPanel(Panel.CBC_DIFF, (TypedValue("platelets", "88", "K/uL"),))
    correct_report(scope, patient.public_id, there.public_id, Sheet(DAY, (typed,)), reason="Told another number")
    send(scope, source, message(patient, differential()))
    assert [row.is_complete for row in reports_of(patient)] == [False, False]
    assert 88.0 in values_of(reports_of(patient)[0]).values()


def test_both_parts_leave_a_chart_that_was_the_wrong_one(scope, source, patient):
    other = register(scope).row
    send_each(scope, source, patient, count(), differential())
    moved = undo_match(scope, results()[1].public_id, reason="It is of her sister", to=other.public_id)
    assert (moved, reports_of(patient)) == (2, [])
    assert [(row.is_complete, values_of(row)) for row in reports_of(other)] == [(True, BOTH)]


def test_a_flag_in_the_part_that_came_before_keeps_the_panel_open(scope, scope_for, cast, source, patient):
    begin_auto_review(
        scope_for(cast.administrator), criteria="Complete, final and within the range that is printed", sample_percent=1
    )
    ranges = {name: {"low": "0.1", "high": "900"} for name in BOTH}
    marked = count(line("platelets", flag="A", **ranges["platelets"]), line("wbc", **ranges["wbc"]))
    plain = differential(*(line(name, **ranges[name]) for name in DIFFERENTIAL))
    send_each(scope, source, patient, marked, plain)
    (row,) = reports_of(patient)
    assert (row.is_complete, row.auto_reviewed, row.reviewed_at, row.in_sample) == (True, False, None, False)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_versions_of_several_reports_of_one_file_are_told_apart(scope, source, patient, order):
    sent = [
        report("tsh", key="T", on=DAY, issued_at=at(13)),
        report("creatinine", key="K", on=DAY, issued_at=at(13)),
        report(line("tsh", "2.4"), key="T", on=DAY, issued_at=at(14), state=ReportState.CORRECTED),
        report(line("creatinine", "1.1"), key="K", on=DAY, issued_at=at(14), state=ReportState.CORRECTED),
    ]
    send(scope, source, *(message(patient, sent[place], position=number) for number, place in enumerate(order)))
    assert sorted((row.panel, row.result_status) for row in reports_of(patient)) == [
        ("creatinine", "corrected"),
        ("tsh", "corrected"),
    ]
    assert {one.state for one in results()} <= {"recorded", "superseded"}


PENDING, REJECTED = ReportState.PENDING, ReportState.REJECTED
ORDERED = {"codes": (Coded("57021-8", LOINC, "CBC"),), "issued_at": at(12)}


@pytest.mark.parametrize(
    "sent",
    [
        (report(key="D1", state=PENDING, **ORDERED, **DRAWN), count(), differential(issued_at=at(13))),
        (report(key="C1", state=PENDING, **ORDERED, **DRAWN), differential(), count(issued_at=at(13))),
        (count(), report(key="D1", state=REJECTED, **ORDERED, **DRAWN), differential(issued_at=at(13))),
        (differential("neutrophils"), count(collected_at=at(12, 14)), count(issued_at=at(13)), differential()),
    ],
)
@pytest.mark.parametrize("in_one_file", [True, False])
def test_a_message_that_came_before_of_either_part_does_not_keep_them_apart(scope, source, patient, sent, in_one_file):
    if in_one_file:
        send(scope, source, *(message(patient, one, position=place) for place, one in enumerate(sent)))
    else:
        send_each(scope, source, patient, *sent)
    assert [(row.is_complete, values_of(row)) for row in reports_of(patient)] == [(True, BOTH)]


def test_a_part_whose_codes_are_mapped_later_completes_the_panel(scope, source, patient):
    odd = [line(name)._replace(codes=(Coded(name, "L", name),)) for name in DIFFERENTIAL]
    send_each(scope, source, patient, count(), differential(*odd))
    for name in DIFFERENTIAL:
        map_code(scope, source.public_id, LocalCodeKind.ANALYTE, "L", name, name, name)
    assert [(row.is_complete, values_of(row)) for row in reports_of(patient)] == [(True, BOTH)]
    assert [one.report["with"] for one in results()] == [["C1", "D1"], ["C1", "D1"]]


def test_a_part_that_a_person_corrected_is_not_joined_when_it_is_read_anew(scope, source, patient):
    strange = line("lymphocytes")._replace(codes=(Coded("LY", "L", "LY"),))
    send(scope, source, message(patient, differential("neutrophils", strange)))
    typed = TypedPanel(Panel.CBC_DIFF, (TypedValue("neutrophils", "2.2", "K/uL"),))
    correct_report(scope, patient.public_id, reports_of(patient)[0].public_id, Sheet(DAY, (typed,)), reason="Misread")
    send(scope, source, message(patient, count()))
    map_code(scope, source.public_id, LocalCodeKind.ANALYTE, "L", "LY", "LY", "lymphocytes")
    assert sorted(len(values_of(row)) for row in reports_of(patient)) == [1, 2]


@pytest.mark.parametrize("at_once", [True, False])
def test_parts_are_joined_anew_on_the_right_chart_and_can_be_cancelled_there(scope, source, patient, at_once):
    other = register(scope).row
    send_each(scope, source, patient, differential(issued_at=at(14)), count(issued_at=at(13)))
    if at_once:
        undo_match(scope, results()[0].public_id, reason="Her sister", to=other.public_id)
    else:
        undo_match(scope, results()[0].public_id, reason="Her sister")
        match_result(scope, results()[1].public_id, other.public_id)
    assert [(row.is_complete, values_of(row)) for row in reports_of(other)] == [(True, BOTH)]
    assert [sorted(one.report["with"]) for one in results()] == [["C1", "D1"], ["C1", "D1"]]
    send(scope, source, message(other, report(key="C1", state=ReportState.CANCELLED, issued_at=at(16), **DRAWN)))
    assert [sorted(values_of(row)) for row in reports_of(other)] == [sorted(DIFFERENTIAL)]
