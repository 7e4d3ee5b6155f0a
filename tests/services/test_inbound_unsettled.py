"""A newer version that does not say yet what is true takes nothing away, and somebody looks at it."""

from datetime import date, timedelta

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Observed, ReportState
from clinic_tracker.domain.vocabulary import FindingAction, InboundState, LocalCodeKind
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabValue
from clinic_tracker.queries.inbound import not_understood, waiting_counts
from clinic_tracker.queries.review_queue import QueueFilter, review_queue
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.inbound_corrections import CANCELLED
from clinic_tracker.services.inbound_numbers import USED_AGAIN
from clinic_tracker.services.inbound_refile import understand_again
from clinic_tracker.services.inbound_resolve import match_result, undo_match
from clinic_tracker.services.inbound_unsettled import SETTLED
from clinic_tracker.services.lab_reports import withdraw_report
from clinic_tracker.services.local_codes import map_code
from clinic_tracker.services.reviews import review_reports
from tests.factories import register
from tests.inbound import CBC, DAY, add_source, at, exam_line, line, message, report, reports_of, results, send
from tests.reviewed import exams, tasks

REPEATED = Answer("hiv_test_positive", FindingAction.REPEAT_ORDERED, None, date(2026, 2, 5), None)


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def doctor(scope_for, cast):
    return scope_for(cast.neurologist)


@pytest.fixture
def source(scope):
    return add_source(scope)


@pytest.fixture
def chart(scope):
    return register(scope)


def hiv(text, **values):
    """A line of an HIV test with notes, or with a state of its own."""
    return exam_line("hiv_test", text)._replace(**values)


PRELIMINARY, FINAL, CORRECTED = ReportState.PRELIMINARY, ReportState.FINAL, ReportState.CORRECTED
NOT_SETTLED = [
    (hiv("Reactive"), PRELIMINARY),
    (hiv("Reactive", state=PRELIMINARY), FINAL),
    (hiv("Negative", state=PRELIMINARY), FINAL),
    (hiv("Repeatedly reactive (EIA), WB to follow"), CORRECTED),
    (hiv("", notes=("See the letter",)), CORRECTED),
]


@pytest.mark.parametrize("one, state", NOT_SETTLED)
def test_a_positive_exam_stays_until_a_newer_version_says_otherwise(scope, doctor, source, chart, one, state):
    send(scope, source, message(chart.row, report(exam_line("hiv_test", "Reactive"), key="H", issued_at=at(13))))
    acknowledge(doctor, chart.id, exams()[0].public_id, [REPEATED], signed=False)
    send(scope, source, message(chart.row, report(one, key="H", issued_at=at(14), state=state)))
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "recorded")]
    assert [task.state for task in tasks()] == ["recorded"]
    assert review_queue(doctor, QueueFilter()).counts["red"] == 1
    send(scope, source, message(chart.row, report(exam_line("hiv_test", "Negative"), key="H", issued_at=at(15))))
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "corrected"), ("negative", "recorded")]


def test_one_type_that_is_negative_does_not_replace_a_positive_while_another_is_open(scope, source, chart):
    types = [Observed((Coded(code, LOINC),), "Detected") for code in ("59263-4", "59264-2")]
    send(scope, source, message(chart.row, report(*types, key="P", issued_at=at(13))))
    types = [Observed((Coded("59263-4", LOINC),), "see letter"), Observed((Coded("59264-2", LOINC),), "Negative")]
    send(scope, source, message(chart.row, report(*types, key="P", issued_at=at(14), state=CORRECTED)))
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "recorded")]


def test_an_exam_that_the_newer_version_does_not_speak_of_is_gone(scope, source, chart):
    both = [exam_line("hiv_test", "Reactive"), exam_line("hepatitis_c", "Negative")]
    send(scope, source, message(chart.row, report(*both, key="H", issued_at=at(13))))
    send(scope, source, message(chart.row, report(both[1], key="H", issued_at=at(14), state=CORRECTED)))
    assert [exam.kind for exam in exams(state="recorded")] == ["hepatitis_c"]


def test_an_exam_of_a_report_that_moved_does_not_stay_where_it_was(scope, source, chart):
    other = register(scope)
    send(scope, source, message(chart.row, report(exam_line("hiv_test", "Reactive"), key="H", issued_at=at(13))))
    unclear = exam_line("hiv_test", "see letter")
    send(scope, source, message(other.row, report(unclear, key="H", issued_at=at(14), state=CORRECTED)))
    assert exams(state="recorded") == []


@pytest.mark.parametrize(
    "kind, text, state",
    [
        ("pregnancy_test", "Positive", "not_understood"),
        ("hepatitis_c", "Equivocal", "not_understood"),
        ("pregnancy_test", "Negative", "noted"),
    ],
)
def test_a_preliminary_exam_with_a_finding_waits_for_a_person(scope, source, chart, kind, text, state):
    early = exam_line(kind, text)
    send(scope, source, message(chart.row, report(early, key="H", state=PRELIMINARY, on=DAY - timedelta(days=1))))
    assert (exams(), [row.state for row in results()]) == ([], [state])
    assert [one["kind"] for one in results()[0].problems] == (["preliminary"] if state == "not_understood" else [])


UNKNOWN_UNIT = line("platelets", "30", "Tsd/mcl")
FEW = (line("platelets", "30"), *CBC[1:])


def platelets(row):
    rows = db.session.query(LabValue).filter_by(lab_report_id=row.id, analyte="platelets")
    return [value.number for value in rows]


@pytest.mark.parametrize("unread", [UNKNOWN_UNIT, line("platelets", "see letter")])
def test_a_red_value_stays_until_the_newer_one_is_read(scope, doctor, source, chart, unread):
    send(scope, source, message(chart.row, report(*FEW, key="C", issued_at=at(13))))
    for day in (14, 15):
        corrected = report(unread, line("wbc", f"7.{day}"), *CBC[2:], key="C", issued_at=at(day), state=CORRECTED)
        send(scope, source, message(chart.row, corrected))
        (row,) = reports_of(chart.row)
        assert (platelets(row), row.worst_level, row.result_status) == ([30.0], "red", "corrected")
        assert review_queue(doctor, QueueFilter()).counts["red"] == 1
    assert [row.state for row in results()] == ["recorded", "not_understood", "not_understood"]
    send(scope, source, message(chart.row, report(*CBC, key="C", issued_at=at(16), state=CORRECTED)))
    assert [platelets(row) for row in reports_of(chart.row)] == [[251.0]]


def test_an_earlier_value_gives_way_when_the_unit_is_mapped(scope, source, chart):
    send(scope, source, message(chart.row, report(*FEW, key="C", issued_at=at(13))))
    unread = line("platelets", "140", "Tsd/mcl")
    send(scope, source, message(chart.row, report(unread, *CBC[1:], key="C", issued_at=at(14), state=CORRECTED)))
    map_code(scope, source.public_id, LocalCodeKind.UNIT, "", "Tsd/mcl", "Tsd/mcl", "10*3/uL")
    assert [platelets(row) for row in reports_of(chart.row)] == [[140.0]]
    assert [row.state for row in results()] == ["recorded", "recorded"]


def test_an_earlier_value_that_was_taken_back_does_not_return(scope, source, chart):
    send(scope, source, message(chart.row, report(*FEW, key="C", issued_at=at(13))))
    send(scope, source, message(chart.row, report(key="C", issued_at=at(14), state=ReportState.CANCELLED)))
    send(scope, source, message(chart.row, report(UNKNOWN_UNIT, *CBC[1:], key="C", issued_at=at(15), state=CORRECTED)))
    assert [platelets(row) for row in reports_of(chart.row)] == [[]]


def test_an_earlier_value_that_a_person_withdrew_does_not_return(scope, source, chart):
    send(scope, source, message(chart.row, report(*FEW, key="C", issued_at=at(13))))
    withdraw_report(scope, chart.id, reports_of(chart.row)[0].public_id, reason="Clotted")
    send(scope, source, message(chart.row, report(UNKNOWN_UNIT, *CBC[1:], key="C", issued_at=at(14), state=CORRECTED)))
    assert [platelets(row) for row in reports_of(chart.row)] == [[]]


def test_a_value_that_the_laboratory_cancels_is_gone(scope, source, chart):
    send(scope, source, message(chart.row, report(*FEW, key="C", issued_at=at(13))))
    gone = line("platelets", state=ReportState.CANCELLED)
    send(scope, source, message(chart.row, report(gone, *CBC[1:], key="C", issued_at=at(14), state=CORRECTED)))
    assert [platelets(row) for row in reports_of(chart.row)] == [[]]


@pytest.mark.parametrize("state", [FINAL, PRELIMINARY, ReportState.CANCELLED, ReportState.REJECTED])
def test_a_number_that_is_used_again_for_another_patient_waits_for_a_person(scope, doctor, source, chart, state):
    other = register(scope)
    send(scope, source, message(chart.row, report(*FEW, key="F", issued_at=at(13))))
    send(scope, source, message(other.row, report(*CBC, key="F", issued_at=at(14), state=state)))
    assert [row.state for row in results()] == ["recorded", "unmatched"]
    assert (results()[1].patient_id, [one["message"] for one in results()[1].problems]) == (None, [USED_AGAIN])
    assert (len(reports_of(chart.row)), reports_of(other.row, None)) == (1, [])
    assert review_queue(doctor, QueueFilter()).counts["red"] == 1


@pytest.mark.parametrize("days, states", [(7, ["recorded", "recorded"]), (8, ["recorded", "unmatched"])])
def test_a_number_that_is_used_again_for_a_day_far_off_waits(scope, source, chart, days, states):
    send(scope, source, message(chart.row, report(*FEW, key="F", issued_at=at(13), on=DAY - timedelta(days=days))))
    send(scope, source, message(chart.row, report(*CBC, key="F", issued_at=at(14))))
    assert [row.state for row in results()] == states


def test_later_versions_wait_with_it_until_a_person_says_whose_it_is(scope, source, chart):
    other = register(scope)
    send(scope, source, message(chart.row, report(*FEW, key="F", issued_at=at(13))))
    send(scope, source, message(other.row, report(*CBC, key="F", issued_at=at(14))))
    send(scope, source, message(other.row, report(*CBC, key="F", issued_at=at(15), state=CORRECTED)))
    assert (len(reports_of(chart.row)), reports_of(other.row, None)) == (1, [])
    assert match_result(scope, results()[1].public_id, other.id) == 2
    assert [row.result_status for row in reports_of(other.row)] == ["corrected"]


def test_a_number_of_which_nothing_stands_is_free(scope, source, chart):
    other = register(scope)
    send(scope, source, message(chart.row, report(*FEW, key="F", issued_at=at(13))))
    send(scope, source, message(chart.row, report(key="F", issued_at=at(14), state=ReportState.CANCELLED)))
    send(scope, source, message(other.row, report(*CBC, key="F", issued_at=at(15))))
    assert [row.state for row in results()] == ["recorded", "noted", "recorded"]
    assert len(reports_of(other.row)) == 1


def test_typed_paper_that_was_confirmed_is_not_taken_away_by_another_patient(scope, source, chart):
    other = register(scope)
    chart.results(DAY, "tsh")
    send(scope, source, message(chart.row, report("tsh", key="T", issued_at=at(13))))
    send(scope, source, message(other.row, report("tsh", key="T", issued_at=at(14))))
    assert [row.panel for row in reports_of(chart.row)] == ["tsh"]


POTASSIUM = Observed((Coded("2823-3", LOINC, "Potassium"),), "7.2", "mmol/L", flag="HH")


def test_a_reviewed_report_of_other_tests_stays_when_it_is_read_anew(scope, doctor, source, chart):
    send(scope, source, message(chart.row, report(POTASSIUM, key="K", issued_at=at(13))))
    (seen,) = reports_of(chart.row)
    review_reports(doctor, [seen.public_id])
    understand_again(scope, [results()[0].public_id])
    (row,) = reports_of(chart.row)
    assert (row.id, row.reviewed_at) == (seen.id, doctor.now)


def test_one_with_another_value_takes_its_place_and_waits(scope, doctor, source, chart):
    send(scope, source, message(chart.row, report(POTASSIUM, key="K", issued_at=at(13))))
    review_reports(doctor, [reports_of(chart.row)[0].public_id])
    send(scope, source, message(chart.row, report(POTASSIUM._replace(text="7.4"), key="K", issued_at=at(14))))
    assert [(row.state, row.reviewed_at is None) for row in reports_of(chart.row, None)] == [
        ("corrected", False),
        ("recorded", True),
    ]


def preliminary_of(*lines, **values):
    """A report of which nothing is final."""
    return report(*lines, key="H", issued_at=at(13), state=PRELIMINARY, **values)


REACTIVE = exam_line("hiv_test", "Reactive")
SETTLED_BY = [
    (report(REACTIVE, key="H", issued_at=at(14)), SETTLED),
    (report(exam_line("hiv_test", "Negative"), key="H", issued_at=at(14), state=CORRECTED), SETTLED),
    (report(hiv("", state=ReportState.CANCELLED), key="H", issued_at=at(14)), SETTLED),
    (report(key="H", issued_at=at(14), state=ReportState.CANCELLED), CANCELLED),
]


@pytest.mark.parametrize("newer, why", SETTLED_BY)
@pytest.mark.parametrize("in_one_file", [True, False])
def test_a_preliminary_exam_waits_until_a_newer_version_says_what_is_true(
    scope, source, chart, newer, why, in_one_file
):
    sent = [message(chart.row, preliminary_of(REACTIVE)), message(chart.row, newer, position=1)]
    for some in [sent] if in_one_file else [[one] for one in sent]:
        send(scope, source, *some)
    assert (waiting_counts(scope)[InboundState.NOT_UNDERSTOOD], not_understood(scope)) == (0, [])
    early = results()[0]
    assert (early.state, early.closed_reason, early.closed_at) == ("noted", why, scope.now)
    assert [(one.subject_id, one.reason) for one in settled()] == [(early.id, why)]


def settled():
    return db.session.query(AuditEvent).filter_by(action=AuditAction.RESULT_SETTLED.value).all()


@pytest.mark.parametrize(
    "newer",
    [
        report(hiv("see letter"), key="H", issued_at=at(14)),
        report(REACTIVE, key="H", issued_at=at(14), state=PRELIMINARY),
        report(exam_line("hepatitis_c", "Negative"), key="H", issued_at=at(14)),
        report(key="H", issued_at=at(14), state=ReportState.PENDING),
        report(REACTIVE, key="H2", issued_at=at(14)),
    ],
)
def test_a_preliminary_exam_waits_on_while_nothing_says_what_is_true(scope, source, chart, newer):
    send(scope, source, message(chart.row, preliminary_of(REACTIVE)))
    send(scope, source, message(chart.row, newer))
    assert (results()[0].state, results()[0].closed_reason, settled()) == ("not_understood", None, [])


def test_what_else_is_not_understood_of_a_preliminary_report_waits_on(scope, source, chart):
    strange = Observed((Coded("FOO", "L", "Foo"),), "7", "mg/dL")
    send(scope, source, message(chart.row, preliminary_of(REACTIVE, strange)))
    send(scope, source, message(chart.row, report(REACTIVE, key="H", issued_at=at(14))))
    assert [row.state for row in results()] == ["not_understood", "recorded"]


def test_a_preliminary_report_of_which_something_was_recorded_says_so_when_it_is_settled(scope, source, chart):
    send(scope, source, message(chart.row, preliminary_of(REACTIVE, "tsh")))
    send(scope, source, message(chart.row, report(REACTIVE, "tsh", key="H", issued_at=at(14))))
    assert [row.state for row in results()] == ["recorded", "recorded"]


def test_a_preliminary_exam_is_asked_about_anew_on_another_chart_and_settled_there(scope, source, chart):
    other = register(scope)
    send(scope, source, message(chart.row, preliminary_of(REACTIVE)))
    send(scope, source, message(chart.row, report(REACTIVE, key="H", issued_at=at(14))))
    undo_match(scope, results()[1].public_id, reason="Wrong person")
    assert [(row.state, row.closed_reason) for row in results()] == [("unmatched", None)] * 2
    match_result(scope, results()[0].public_id, other.id)
    early = results()[0]
    assert (early.state, early.patient_id, early.closed_reason) == ("noted", other.row.id, SETTLED)
    assert [one["kind"] for one in early.problems] == ["preliminary"]
