"""Making a report: who may, what stands above it, and one moment for all of it."""

from datetime import date
from uuid import UUID

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import read_parameters
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services.reporting import check_format, make_report, note_file, reports_for
from clinic_tracker.services.unit_of_work import unit_of_work
from tests.monitored import add_course, add_patient, project


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


def asked(scope, name="obligations", **values):
    given = {key.rstrip("_"): value for key, value in values.items()}
    return read_parameters(REPORTS[name].definition, given, scope.now, scope.time_zone)


def head_of(scope, name="obligations", **values):
    with make_report(scope, name, asked(scope, name, **values)) as report:
        return report.head


def test_the_head_says_in_words_what_was_asked(scope, cast):
    head = head_of(
        scope, from_="2025-04-01", to="2025-12-31", known_at="2026-01-02T03:04:00-05:00", requirement="cbc_diff",
        prescriber=str(cast.prescriber.public_id),
    )  # fmt: skip
    told = dict(head.parameters)
    assert told["Period"] == "01-Apr-2025 to 31-Dec-2025, both included"
    assert told["Prescriber"] == cast.prescriber.name
    assert "differential" in told["Requirement"]
    assert head.known_at == "02-Jan-2026, 3:04 am EST"
    assert (head.as_of, head.time_zone, head.clinic) == (scope.today, "America/New_York", "Northside MS Center")
    assert head.protocol.endswith("version 2024-03-04")
    assert head.deidentified is None


def test_a_deidentified_head_names_nobody(scope, cast):
    head = head_of(scope, identity="shifted", prescriber=str(cast.prescriber.public_id))
    assert cast.prescriber.name not in str(head)
    assert head.deidentified


@pytest.mark.parametrize("field", ["prescriber", "requirement"])
def test_what_the_clinic_does_not_have_is_refused_by_name(scope, field):
    values = {field: "00000000-0000-4000-8000-000000000000"}
    with pytest.raises(RuleViolation) as refused:
        head_of(scope, **values)
    assert refused.value.field == field


def test_a_prescriber_of_another_clinic_does_not_exist(scope_for, cast):
    with pytest.raises(RuleViolation):
        head_of(scope_for(cast.stranger_neurologist), prescriber=str(cast.prescriber.public_id))


def test_a_report_is_for_whoever_may_see_it(scope_for, cast):
    with pytest.raises(PermissionDenied):
        head_of(scope_for(cast.staff))
    with pytest.raises(PermissionDenied):
        head_of(scope_for(cast.neurologist), "access")
    assert reports_for(scope_for(cast.staff)) == []
    names = {source.definition.name for source in reports_for(scope_for(cast.neurologist))}
    assert "obligations" in names
    assert "access" not in names


def test_the_order_of_prescribers_tells_nothing_of_their_names(scope, cast):
    other = Prescriber(clinic_id=scope.clinic_id, name="", npi="1003000142")
    db.session.add(other)
    db.session.flush()
    for count, one in ((3, cast.prescriber), (2, other), (1, None)):
        for _ in range(count):
            patient = add_patient(scope, prescriber_id=one.id if one else None)
            add_course(scope, patient, date(2025, 3, 3))
    project(scope)

    def told(first, second):
        cast.prescriber.name, other.name = first, second
        db.session.commit()
        with make_report(
            scope, "compliance", asked(scope, "compliance", by="prescriber", identity="shifted")
        ) as report:
            return [line.cells for line in report.lines]

    found = told("Dr. Abel", "Dr. Zorn")
    assert len(found) == 3
    assert found == told("Dr. Zorn", "Dr. Abel")


def test_there_is_no_report_of_another_name(scope):
    with pytest.raises(NotFound), make_report(scope, "weather", asked(scope)):
        pass


def test_a_file_is_noted_only_for_whoever_may_export(scope, scope_for, cast):
    nobody = scope_for(cast.administrator, permissions=frozenset())
    with pytest.raises(PermissionDenied):
        note_file(nobody, "obligations", asked(scope), "csv", "0" * 64, [])


def test_a_report_says_which_files_it_can_be_had_as(scope):
    with pytest.raises(RuleViolation) as refused:
        check_format(scope, "obligations", ReportFormat.ZIP)
    assert refused.value.field == "format"


def test_nothing_that_is_written_meanwhile_gets_into_a_report(scope, app):
    add_course(scope, add_patient(scope), date(2025, 3, 3))
    project(scope)
    with make_report(scope, "obligations", asked(scope)) as report:
        before = {line.patient_id for line in report.lines}
        with db.engine.begin() as elsewhere:
            elsewhere.execute(db.update(Patient).values(given_name="Changed"))
        names = set(db.session.scalars(db.select(Patient.given_name)))
    assert len(before) == 1
    assert "Changed" not in names
    assert set(db.session.scalars(db.select(Patient.given_name))) == {"Changed"}


def test_a_report_is_not_made_inside_a_change(scope):
    with pytest.raises(RuntimeError), unit_of_work(scope), make_report(scope, "obligations", asked(scope)):
        pass


def test_a_patient_is_looked_up_in_the_clinic(scope):
    with pytest.raises(RuleViolation) as refused:
        head_of(scope, "evidence-pack", patient=str(UUID(int=1)))
    assert refused.value.field == "patient"
