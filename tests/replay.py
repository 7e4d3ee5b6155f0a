"""A clinic's two years, one act after another through the services, for tests that ask what was known on the way."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FormKind, FormMethod, Panel
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport, MonitoringDecision, Waiver
from clinic_tracker.models.patients import Patient, PatientMerge
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.clinics import change_setting
from clinic_tracker.services.exams import withdraw_exam
from clinic_tracker.services.forms import Submission, correct_form, withdraw_form
from clinic_tracker.services.histories import import_history
from clinic_tracker.services.infusions import correct_infusion, withdraw_infusion
from clinic_tracker.services.lab_reports import correct_report, withdraw_report
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.merging import merge_patients, undo_merge
from clinic_tracker.services.monitoring_decisions import close_monitoring, extend_monitoring, withdraw_decision
from clinic_tracker.services.patients import PatientDetails, change_prescriber, change_protocol, edit_patient
from clinic_tracker.services.prescribers import edit_prescriber
from clinic_tracker.services.waivers import waive_requirement, withdraw_waiver
from tests.charts import chart as history_of
from tests.charts import draws, status_forms
from tests.factories import ALL, AS_TOLD, MONTHLY, Chart, past_day, register, typed
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast

WHY = "As the paper says"


class Clinic:
    """Northside, where one person may do everything, at the time of the clock."""

    def __init__(self, cast: Cast, scope_for: Callable[..., Scope], clock: Clock) -> None:
        self.cast = cast
        self.clock = clock
        self._scope_for = scope_for
        self.charts: dict[str, Chart] = {}

    @property
    def scope(self) -> Scope:
        """This moment."""
        return self._scope_for(self.cast.administrator, permissions=frozenset(Permission))

    def chart(self, name: str) -> Chart:
        """A chart, to be written in at this moment."""
        chart = self.charts[name]
        chart.scope = self.scope
        return chart

    def register(self, name: str, **values: Any) -> Chart:
        self.charts[name] = register(self.scope, mrn=f"R-{name}", family_name=name, **values)
        return self.charts[name]

    def last(self, table: Any, name: str, **values: Any) -> Any:
        """The newest row of a chart that stands."""
        query = select(table).filter_by(patient_id=self.chart(name).row.id, state="recorded", **values)
        return db.session.execute(query.order_by(table.id.desc()).limit(1)).scalar_one()

    # ------------------------------------------------------------------------------------------ what happens

    def story(self) -> Iterator[str]:
        """One act after another; each says what it was."""
        for when, act in self._acts():
            self.clock.set(when)
            act()
            yield act.__name__

    def _acts(self) -> list[tuple[str, Callable[[], Any]]]:
        return [
            ("2024-01-15 09:00", self.two_patients),
            ("2024-01-22 16:00", self.first_courses),
            ("2024-02-27 10:00", self.first_results),
            ("2024-02-29 23:59", self.results_of_a_leap_day_before_midnight),
            ("2024-03-01 00:01", self.results_of_a_leap_day_after_midnight),
            ("2024-03-18 11:00", self.exams_and_forms),
            ("2024-05-02 09:30", self.results_that_arrive_late),
            ("2024-05-03 09:30", self.a_result_of_another_day),
            ("2024-05-06 12:00", self.a_result_of_somebody_else),
            ("2024-05-31 17:00", self.a_waiver),
            ("2024-06-10 08:00", self.a_shorter_grace),
            ("2024-06-11 08:00", self.status_forms_more_often),
            ("2024-07-01 08:00", self.a_longer_grace_from_last_month_on),
            ("2024-07-12 15:00", self.the_waiver_withdrawn),
            ("2024-08-01 10:00", self.a_day_of_the_course_corrected),
            ("2024-08-31 10:00", self.results_for_months),
            ("2024-09-02 10:00", self.an_exam_in_error),
            ("2024-09-20 10:00", self.a_form_corrected),
            ("2024-10-01 10:00", self.longer_monitoring),
            ("2024-10-05 10:00", self.another_protocol),
            ("2024-10-06 10:00", self.another_prescriber),
            ("2024-10-07 10:00", self.another_name),
            ("2024-11-02 23:30", self.a_history_on_file),
            ("2024-11-04 10:00", self.a_merge),
            ("2024-11-05 10:00", self.a_result_on_the_merged_chart),
            ("2024-11-06 10:00", self.that_result_withdrawn_and_the_merge_undone),
            ("2024-12-01 10:00", self.the_first_protocol_again),
            ("2025-01-31 10:00", self.a_second_course),
            ("2025-02-28 10:00", self.a_second_merge),
            ("2025-03-05 10:00", self.a_sign_off),
            ("2025-04-30 10:00", self.the_sign_off_withdrawn),
            ("2025-05-01 10:00", self.the_extension_withdrawn),
            ("2025-06-30 10:00", self.a_day_that_never_was),
        ]

    def two_patients(self) -> None:
        self.register("Adler").enroll(self.cast.prescriber, date(2024, 1, 2))
        self.register("Bell", sex_at_birth="male").enroll(self.cast.prescriber, date(2024, 1, 2))

    def first_courses(self) -> None:
        self.chart("Adler").infuse(date(2024, 1, 15))
        self.chart("Bell").infuse(date(2024, 1, 8))

    def first_results(self) -> None:
        self.chart("Adler").results(date(2024, 2, 19), *ALL)
        self.chart("Bell").results(date(2024, 2, 26), *MONTHLY)

    def results_of_a_leap_day_before_midnight(self) -> None:
        self.chart("Adler").results(date(2024, 2, 29), *MONTHLY)

    def results_of_a_leap_day_after_midnight(self) -> None:
        self.chart("Bell").results(date(2024, 2, 29), Panel.TSH)

    def exams_and_forms(self) -> None:
        self.chart("Adler").exam("skin_exam", date(2024, 3, 1)).form("infusion_checklist", date(2024, 2, 1), course=1)
        self.chart("Bell").exam("skin_exam", date(2024, 3, 10))

    def results_that_arrive_late(self) -> None:
        self.chart("Adler").results([date(2024, 3, 20), date(2024, 4, 18)], *ALL)
        self.chart("Bell").results(date(2024, 3, 12), *MONTHLY)

    def a_result_of_another_day(self) -> None:
        report = self.last(LabReport, "Adler", panel="tsh")
        sheet = Sheet(date(2024, 4, 30), (typed(Panel.TSH, {}),))
        correct_report(self.scope, self.charts["Adler"].id, report.public_id, sheet, reason=WHY)

    def a_result_of_somebody_else(self) -> None:
        report = self.last(LabReport, "Bell", panel="creatinine")
        withdraw_report(self.scope, self.charts["Bell"].id, report.public_id, reason=WHY)

    def a_waiver(self) -> None:
        span = {"from_on": date(2024, 4, 1), "to_on": date(2024, 7, 31)}
        waive_requirement(self.scope, self.charts["Bell"].id, requirement="urinalysis_cells", reason=WHY, **span)

    def a_shorter_grace(self) -> None:
        self._set("report_on_time_grace_days", 2, date(2024, 6, 10))

    def status_forms_more_often(self) -> None:
        self._set("psf_months", 3, date(2024, 6, 1))

    def a_longer_grace_from_last_month_on(self) -> None:
        self._set("report_on_time_grace_days", 12, date(2024, 6, 1))

    def the_waiver_withdrawn(self) -> None:
        withdraw_waiver(self.scope, self.charts["Bell"].id, self.last(Waiver, "Bell").public_id, WHY)

    def a_day_of_the_course_corrected(self) -> None:
        day = self.last(Infusion, "Adler", day_number=5)
        facts = past_day(self.scope, date(2024, 1, 20), 5).facts
        correct_infusion(self.scope, self.charts["Adler"].id, day.public_id, facts, reason=WHY, given=AS_TOLD)

    def results_for_months(self) -> None:
        days = [date(2024, 5, 19), date(2024, 6, 22), date(2024, 7, 30), date(2024, 8, 20)]
        self.chart("Adler").results(days, *ALL).form("patient_status_form", date(2024, 7, 20))
        self.chart("Bell").results(days[1:3], *ALL)

    def an_exam_in_error(self) -> None:
        withdraw_exam(self.scope, self.charts["Bell"].id, self.last(Exam, "Bell").public_id, reason=WHY)

    def a_form_corrected(self) -> None:
        form = self.last(FormSubmission, "Adler", kind="patient_status_form")
        sent = Submission(FormKind(form.kind), date(2024, 7, 2), method=FormMethod.WEB, completed_on=date(2024, 7, 2))
        correct_form(self.scope, self.charts["Adler"].id, form.public_id, sent, reason=WHY)

    def longer_monitoring(self) -> None:
        extend_monitoring(self.scope, self.charts["Bell"].id, extended_to=date(2029, 6, 30), reason=WHY)

    def another_protocol(self) -> None:
        change_protocol(self.scope, self.charts["Adler"].id, protocol_id="lemtrada-eu", reason=WHY)

    def another_prescriber(self) -> None:
        other = self._prescriber()
        change_prescriber(self.scope, self.charts["Bell"].id, other)

    def another_name(self) -> None:
        row, prescriber = self.chart("Bell").row, self.cast.prescriber
        told = {"mrn": "R-9", "given_name": row.given_name, "birth_date": row.birth_date, "sex_at_birth": "female"}
        details = PatientDetails(family_name="Zimmer", prescriber=self._prescriber(), **told)
        edit_patient(self.scope, row.public_id, details)
        kept = ("npi", "rems_prescriber_id", "certified_on", "certification_ends_on", "is_active")
        values = {name: getattr(prescriber, name) for name in kept}
        edit_prescriber(
            self.scope, prescriber.public_id, version=prescriber.version, name="Dr. Married", user=None, **values
        )

    def a_history_on_file(self) -> None:
        days = [f"2024-{month:02}-12" for month in range(5, 11)]
        history = history_of(
            ["2024-04-08", "2024-04-09", "2024-04-10", "2024-04-11", "2024-04-12"],
            sex="female",
            labs=draws("cbc_diff", *days) + draws("creatinine", *days[::2]),
            forms=status_forms("2024-10-20"),
        )
        identity = {"mrn": "R-Cole", "family_name": "Cole", "given_name": "Ida", "birth_date": "1960-03-03"}
        import_history(self.scope, read_imported({**history, "identity": identity}))
        row = db.session.execute(select(Patient).filter_by(mrn="R-Cole")).scalar_one()
        self.charts["Cole"] = Chart(self.scope, row.public_id)
        self.register("Doe").results([date(2024, 9, 14), date(2024, 10, 13)], *ALL).exam("skin_exam", date(2024, 10, 1))

    def a_merge(self) -> None:
        self._merge("Cole", "Doe")

    def a_result_on_the_merged_chart(self) -> None:
        self.chart("Cole").results(date(2024, 8, 15), Panel.CREATININE)

    def that_result_withdrawn_and_the_merge_undone(self) -> None:
        withdraw_report(self.scope, self.charts["Cole"].id, self.last(LabReport, "Cole").public_id, reason=WHY)
        merge = db.session.execute(select(PatientMerge)).scalar_one()
        undo_merge(self.scope, merge.public_id, reason=WHY)

    def the_first_protocol_again(self) -> None:
        change_protocol(self.scope, self.charts["Adler"].id, protocol_id="lemtrada-us", reason=WHY)

    def a_second_course(self) -> None:
        self.chart("Adler").results([date(2024, 12, 19), date(2025, 1, 2)], *ALL).infuse(date(2025, 1, 27))

    def a_second_merge(self) -> None:
        self.chart("Doe").results(date(2025, 2, 3), *MONTHLY)
        self._merge("Cole", "Doe")

    def a_sign_off(self) -> None:
        close_monitoring(self.scope, self.charts["Bell"].id, decided_on=date(2025, 3, 1), reason=WHY, confirmed=True)

    def the_sign_off_withdrawn(self) -> None:
        decision = self.last(MonitoringDecision, "Bell", kind="closed")
        withdraw_decision(self.scope, self.charts["Bell"].id, decision.public_id, WHY)

    def the_extension_withdrawn(self) -> None:
        decision = self.last(MonitoringDecision, "Bell", kind="extended")
        withdraw_decision(self.scope, self.charts["Bell"].id, decision.public_id, WHY)
        withdraw_form(self.scope, self.charts["Adler"].id, self.last(FormSubmission, "Adler").public_id, reason=WHY)

    def a_day_that_never_was(self) -> None:
        day = self.last(Infusion, "Adler", day_number=3)
        withdraw_infusion(self.scope, self.charts["Adler"].id, day.public_id, reason=WHY)

    def _set(self, name: str, value: int, on: date) -> None:
        change_setting(self.scope, name=name, value=value, effective_from=on, reason=WHY)

    def _merge(self, kept: str, duplicate: str) -> None:
        merge_patients(self.scope, self.charts[kept].id, self.charts[duplicate].id, reason=WHY)

    def _prescriber(self) -> UUID:
        """Another prescriber of this clinic."""
        found = db.session.execute(select(Prescriber).filter_by(clinic_id=self.cast.northside.id, npi="1003000142"))
        row = found.scalar_one_or_none()
        if row is None:
            row = Prescriber(clinic_id=self.cast.northside.id, name="Dr. Amy Noor", npi="1003000142")
            db.session.add(row)
            db.session.commit()
        return row.public_id
