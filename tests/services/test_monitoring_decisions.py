"""Waivers, extensions and sign-offs: a prescriber's reasoned decisions, seen on the lists at once."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import MonitoringDecision, Waiver
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import PatientSchedule, Standing
from clinic_tracker.models.treatment import Deviation
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.queries.worklist_filter import Grouping, WorklistFilter
from clinic_tracker.queries.worklist_pages import worklist_page
from clinic_tracker.services import projection
from clinic_tracker.services.monitoring_decisions import close_monitoring, extend_monitoring, withdraw_decision
from clinic_tracker.services.patients import change_protocol
from clinic_tracker.services.waivers import waive_requirement, withdraw_waiver
from tests.monitored import add_exam, add_patient, project, treated

TODAY = date(2026, 1, 22)
FIRST = date(2025, 6, 2)  # last infusion on 06-Jun-2025: monitoring ends on 06-Jun-2029
SPAN = {"requirement": "cbc_diff", "from_on": date(2026, 1, 1), "to_on": date(2026, 1, 31)}


@pytest.fixture
def doctor(cast, scope_for):
    return scope_for(cast.neurologist)


@pytest.fixture
def patient(doctor):
    made = treated(doctor, FIRST, labs_until=date(2025, 12, 10))
    project(doctor)
    return made


def overdue(scope):
    page = worklist_page(scope, WorklistFilter(grouping=Grouping.ITEM))
    return {row.items[0].requirement for row in page.rows}


def ends(patient):
    return db.session.scalar(sa.select(PatientSchedule.monitoring_ends_on).filter_by(patient_id=patient.id))


def asked_of(patient):
    return dict(
        db.session.execute(sa.select(Standing.requirement, Standing.next_due_on).filter_by(patient_id=patient.id)).all()
    )


def code_of(call, *arguments, **values):
    with pytest.raises(RuleViolation) as refused:
        call(*arguments, **values)
    return refused.value.code, refused.value.field


class TestWaiver:
    def test_it_takes_the_item_off_at_once_and_its_withdrawal_puts_it_back(self, doctor, patient):
        assert "cbc_diff" in overdue(doctor)
        waiver = waive_requirement(doctor, patient.public_id, **SPAN, reason="Drawn abroad")
        assert "cbc_diff" not in overdue(doctor)
        assert "creatinine" in overdue(doctor)
        withdraw_waiver(doctor, patient.public_id, waiver, "Never drawn")
        assert "cbc_diff" in overdue(doctor)
        assert projection.check(doctor) == []

    def test_it_keeps_who_decided_and_why(self, cast, doctor, patient):
        waive_requirement(doctor, patient.public_id, **SPAN, reason="Drawn abroad")
        row = db.session.scalar(sa.select(Waiver))
        assert (row.reason, row.prescriber_id, row.recorded_by_id) == (
            "Drawn abroad", cast.prescriber.id, cast.neurologist.user_id,
        )  # fmt: skip
        event = db.session.scalar(sa.select(AuditEvent).order_by(AuditEvent.id.desc()))
        assert (event.action, event.reason) == ("waiver.recorded", "Drawn abroad")

    def test_the_same_waiver_sent_twice_is_one(self, doctor, patient):
        first = waive_requirement(doctor, patient.public_id, **SPAN, reason="Drawn abroad")
        assert waive_requirement(doctor, patient.public_id, **SPAN, reason="Drawn abroad") == first
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Waiver)) == 1

    @pytest.mark.parametrize(
        "changes, expected",
        [
            ({"reason": " "}, ("reason_required", "reason")),
            ({"to_on": date(2025, 12, 31)}, ("waiver_order", "to_on")),
            ({"requirement": "liver_panels"}, ("unknown_requirement", "requirement")),
            ({"to_on": date(2026, 1, 3)}, ("waiver_empty", "from_on")),
        ],
    )
    def test_what_is_refused(self, doctor, patient, changes, expected):
        assert (
            code_of(waive_requirement, doctor, patient.public_id, **{**SPAN, "reason": "Abroad", **changes}) == expected
        )
        assert "cbc_diff" in overdue(doctor)

    def test_an_empty_span_is_told_what_is_due_next(self, doctor, patient):
        with pytest.raises(RuleViolation, match="06-Jan-2026"):
            waive_requirement(doctor, patient.public_id, **{**SPAN, "to_on": date(2026, 1, 3)}, reason="Abroad")

    def test_two_waivers_do_not_overlap(self, doctor, patient):
        waive_requirement(doctor, patient.public_id, **SPAN, reason="Abroad")
        later = {**SPAN, "from_on": date(2026, 1, 20), "to_on": date(2026, 2, 28)}
        assert code_of(waive_requirement, doctor, patient.public_id, **later, reason="Abroad") == (
            "waiver_overlap", "from_on",
        )  # fmt: skip

    def test_a_withdrawn_waiver_is_not_withdrawn_again(self, doctor, patient):
        waiver = waive_requirement(doctor, patient.public_id, **SPAN, reason="Abroad")
        withdraw_waiver(doctor, patient.public_id, waiver, "Mistake")
        assert code_of(withdraw_waiver, doctor, patient.public_id, waiver, "Mistake")[0] == "already_changed"


class TestExtension:
    def test_it_moves_the_end_and_what_is_owed(self, doctor, patient):
        assert ends(patient) == date(2029, 6, 6)
        decision = extend_monitoring(
            doctor, patient.public_id, extended_to=date(2030, 6, 6), reason="Creatinine rising"
        )
        assert ends(patient) == date(2030, 6, 6)
        withdraw_decision(doctor, patient.public_id, decision, "Other patient")
        assert ends(patient) == date(2029, 6, 6)

    def test_sent_twice_it_is_one(self, doctor, patient):
        values = {"extended_to": date(2030, 6, 6), "reason": "Creatinine rising"}
        assert extend_monitoring(doctor, patient.public_id, **values) == extend_monitoring(
            doctor, patient.public_id, **values
        )
        assert db.session.scalar(sa.select(sa.func.count()).select_from(MonitoringDecision)) == 1

    @pytest.mark.parametrize(
        "extended_to, code", [(date(2029, 6, 6), "extension_not_later"), (date(2045, 1, 1), "extension_too_far")]
    )
    def test_it_is_later_and_within_reason(self, doctor, patient, extended_to, code):
        assert code_of(extend_monitoring, doctor, patient.public_id, extended_to=extended_to, reason="x")[0] == code

    def test_there_must_be_something_to_extend(self, doctor):
        waiting = add_patient(doctor)
        project(doctor)
        values = {"extended_to": date(2030, 6, 6), "reason": "x"}
        assert code_of(extend_monitoring, doctor, waiting.public_id, **values)[0] == "no_infusion"


class TestSignOff:
    def close(self, scope, patient, **values):
        return close_monitoring(
            scope, patient.public_id, **{"decided_on": TODAY, "reason": "Moved away", "confirmed": True, **values}
        )

    def test_it_takes_everything_off_the_list_and_its_withdrawal_puts_it_back(self, doctor, patient):
        decision = self.close(doctor, patient)
        assert overdue(doctor) == set()
        assert (
            code_of(extend_monitoring, doctor, patient.public_id, extended_to=date(2030, 1, 1), reason="x")[0]
            == "closed"
        )
        assert code_of(waive_requirement, doctor, patient.public_id, **SPAN, reason="x")[0] == "closed"
        withdraw_decision(doctor, patient.public_id, decision, "She came back")
        assert {"cbc_diff", "creatinine"} <= overdue(doctor)
        assert projection.check(doctor) == []

    def test_before_the_end_it_lists_what_is_owed_and_wants_a_confirmation(self, doctor, patient):
        with pytest.raises(RuleViolation) as refused:
            self.close(doctor, patient, confirmed=False)
        assert (refused.value.code, refused.value.field) == ("confirm_close", "confirmed")
        assert "does not end before 06-Jun-2029" in refused.value.message
        assert "CBC" in refused.value.message
        assert "06-Jan-2026" in refused.value.message
        assert overdue(doctor)

    def test_closed_early_it_is_a_departure_with_its_reason(self, doctor, patient):
        self.close(doctor, patient)
        row = db.session.scalar(sa.select(Deviation))
        assert (row.code, row.reason) == ("closed_early", "Moved away")

    def test_at_the_end_with_nothing_owed_it_needs_a_reason_alone(self, cast, scope_for, clock):
        clock.set("2029-06-20 10:00")
        doctor = scope_for(cast.neurologist)
        patient = treated(doctor, FIRST, labs_until=date(2029, 6, 6))
        for year in range(2026, 2030):
            add_exam(doctor, patient, "skin_exam", date(year, 5, 23))
        project(doctor)
        close_monitoring(doctor, patient.public_id, decided_on=doctor.today, reason="48 months are over")
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Deviation)) == 0

    @pytest.mark.parametrize(
        "values, code",
        [
            ({"reason": ""}, "reason_required"),
            ({"decided_on": TODAY + timedelta(days=1)}, "future_date"),
            ({"decided_on": FIRST - timedelta(days=1)}, "close_before_course"),
        ],
    )
    def test_what_is_refused(self, doctor, patient, values, code):
        assert code_of(self.close, doctor, patient, **values)[0] == code

    def test_sent_twice_it_is_one_and_another_is_refused(self, doctor, patient):
        assert self.close(doctor, patient) == self.close(doctor, patient)
        assert code_of(self.close, doctor, patient, decided_on=TODAY - timedelta(days=1))[0] == "already_closed"

    def test_without_an_infusion_there_is_nothing_to_close(self, doctor):
        waiting = add_patient(doctor)
        project(doctor)
        assert code_of(self.close, doctor, waiting)[0] == "no_infusion"


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMINISTRATOR, Role.AUDITOR])
def test_only_who_may_decide_decides(cast, scope_for, patient, role):
    scope = scope_for(cast.person(role))
    with pytest.raises(PermissionDenied):
        waive_requirement(scope, patient.public_id, **SPAN, reason="x")
    with pytest.raises(PermissionDenied):
        extend_monitoring(scope, patient.public_id, extended_to=date(2030, 6, 6), reason="x")
    with pytest.raises(PermissionDenied):
        close_monitoring(scope, patient.public_id, decided_on=TODAY, reason="x", confirmed=True)


def test_another_clinic_decides_nothing(cast, scope_for, doctor, patient):
    stranger = scope_for(cast.stranger_neurologist)
    waiver = waive_requirement(doctor, patient.public_id, **SPAN, reason="Abroad")
    with pytest.raises(NotFound):
        withdraw_waiver(stranger, patient.public_id, waiver, "x")
    with pytest.raises(NotFound):
        close_monitoring(stranger, patient.public_id, decided_on=TODAY, reason="x", confirmed=True)


class TestAnotherProtocol:
    EU = {"protocol_id": "lemtrada-eu", "reason": "Moved here from Ireland"}

    def test_the_schedule_follows_it_and_says_why(self, doctor, patient):
        assert "patient_status_form" in asked_of(patient)
        waive_requirement(
            doctor,
            patient.public_id,
            requirement="patient_status_form",
            from_on=TODAY,
            to_on=date(2026, 12, 31),
            reason="Sent",
        )
        change_protocol(doctor, patient.public_id, **self.EU)
        assert "patient_status_form" not in asked_of(patient)
        assert {"cbc_diff", "creatinine"} <= overdue(doctor)
        assert projection.check(doctor) == []
        event = db.session.scalars(sa.select(AuditEvent).filter_by(action="patient.protocol_changed")).one()
        assert (event.reason, event.patient_id) == ("Moved here from Ireland", patient.id)
        assert (event.before["protocol_id"], event.after["protocol_id"]) == ("lemtrada-us", "lemtrada-eu")

    def test_and_back_again_is_as_before(self, doctor, patient):
        before = asked_of(patient)
        change_protocol(doctor, patient.public_id, **self.EU)
        change_protocol(doctor, patient.public_id, protocol_id="lemtrada-us", reason="By mistake")
        assert asked_of(patient) == before

    def test_before_any_infusion_there_is_only_the_choice(self, doctor):
        planned = add_patient(doctor)
        db.session.commit()
        change_protocol(doctor, planned.public_id, **self.EU)
        assert db.session.get(Patient, planned.id).protocol_id == "lemtrada-eu"

    def test_what_makes_no_sense_is_refused(self, doctor, patient):
        refused = {
            "reason": {**self.EU, "reason": " "},
            "protocol_id": {**self.EU, "protocol_id": "lemtrada-us"},
        }
        for field, values in refused.items():
            assert code_of(change_protocol, doctor, patient.public_id, **values)[1] == field
        assert (
            code_of(change_protocol, doctor, patient.public_id, **{**self.EU, "protocol_id": "other"})[1]
            == "protocol_id"
        )
        close_monitoring(doctor, patient.public_id, decided_on=TODAY, reason="Moved away", confirmed=True)
        assert code_of(change_protocol, doctor, patient.public_id, **self.EU) == ("closed", None)

    def test_who_read_an_older_chart_and_who_may_not_decide(self, doctor, patient, cast, scope_for):
        with pytest.raises(StaleVersion):
            change_protocol(doctor, patient.public_id, **self.EU, version=patient.version - 1)
        with pytest.raises(PermissionDenied):
            change_protocol(scope_for(cast.administrator), patient.public_id, **self.EU)
        with pytest.raises(NotFound):
            change_protocol(scope_for(cast.stranger_neurologist), patient.public_id, **self.EU)
