"""Every page there is, on a tablet in the dark: judged by axe, inside the window, without a word on the console."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from clinic_tracker.domain.messages import Coded, Observed
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.rhythm import RelativePeriod, Rhythm
from clinic_tracker.domain.table_cells import DateOrder
from clinic_tracker.domain.table_mapping import Column, Layout, TableMapping, to_json
from clinic_tracker.domain.vocabulary import (
    FindingAction,
    InboundKind,
    LocalCodeKind,
    OutreachChannel,
    OutreachOutcome,
    Panel,
    ReactionGrade,
)
from clinic_tracker.integrations.table_check import check
from clinic_tracker.models.access import FacilityCertification, User
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundSource, LabOrder
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport, Outreach, Vaccination, Waiver
from clinic_tracker.models.patients import Enrollment
from clinic_tracker.models.reporting import ReportRun, ReportSchedule
from clinic_tracker.models.suite import Chair, ChairBooking
from clinic_tracker.models.treatment import (
    Authorization,
    CourseFollowUp,
    Infusion,
    InfusionReaction,
    Prophylaxis,
    VitalSigns,
)
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tallies import Tally
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.follow_ups import CallMade, record_call
from clinic_tracker.services.lab_orders import Order, record_orders
from clinic_tracker.services.local_codes import map_code
from clinic_tracker.services.outreach import record_contact
from clinic_tracker.services.prophylaxis import ProphylaxisFacts, start_prophylaxis
from clinic_tracker.services.reactions import ReactionSeen, record_reaction
from clinic_tracker.services.report_runs import ask
from clinic_tracker.services.report_schedules import Plan, add_schedule
from clinic_tracker.services.table_uploads import keep_columns, open_upload
from clinic_tracker.services.waivers import waive_requirement
from tests.booked import add_chairs, book, days_from
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import MONTHLY, Chart, register
from tests.fixtures.people import Cast
from tests.inbound import add_source, identity_of, message, report, results, send
from tests.reviewed import answers, exams, reports, tasks
from tests.treated import add_patient

Values = dict[str, Any]
# Not pages, or seen by nobody who is signed in; the journeys see the last three.
ELSEWHERE = {
    "static",
    "health.healthz",
    "home.index",
    "auth.sign_in",
    "infusions.suite_board",
    "infusions.withdraw_part_before",
    "patients.undo_merge",
    "infusions.reopen_course",
    "admin.empty_clinic_sheet",
    "reports.report_file",
    "report_files.listed",
    "report_files.progress",
    "report_files.take",
}

COLUMNS = (Column.MRN, Column.FAMILY_NAME, Column.COLLECTED, Column.TEST, Column.VALUE, Column.UNIT)

# Parameters for which a page needs another value than the rest.
SPECIAL = {
    "labs.withdraw_answer": {"report": "answered"},
    "labs.withdraw_exam_answer": {"exam": "answered_exam", "answer": "exam_answer"},
    "labs.exam": {"exam": "answered_exam"},
    "labs.undo_exam_review": {"exam": "answered_exam"},
    "admin.threshold": {"code": "rule"},
    "inbound.choose": {"result": "unmatched"},
    "inbound.unmatched_result": {"result": "unmatched"},
    "inbound.dismiss": {"result": "unmatched"},
    "inbound.unread_result": {"result": "unread"},
    "inbound.map_unknown": {"result": "unread"},
    **{f"inbound.table_{name}": {"message": "table"} for name in ("sheet", "columns", "preview", "row")},
    "inbound.map_in_table": {"message": "table"},
    "report_files.new": {"report": "name"},
    "report_files.new_schedule": {"report": "name"},
}
FORM_KINDS = {"rems.submit_form": "adverse_event_form", "rems.sheet": "infusion_checklist"}


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient with one of everything, in the middle of an infusion."""
    patient = add_patient(cast, scope_for)
    patient.make_ready()
    patient.prepare()
    infusion = patient.start(1)
    severe = ReactionGrade.SEVERE
    hives = {"ticked": ("urticaria",), "seriousness": ("medically_important",)}
    seen = ReactionSeen(onset_at=patient.scope.now, grade=severe, **hives)
    record_reaction(patient.scope, patient.patient, infusion, seen)
    add_chairs(scope_for(cast.administrator), "1", "2")
    book(patient, *days_from(patient, patient.scope.today + timedelta(days=1), 2))
    chart = Chart(patient.scope, patient.patient, [patient.course] if patient.course else [])
    return with_everything(chart, patient.neurologist)


def with_everything(chart: Chart, doctor: Scope) -> Chart:
    """Evidence, a contact, an antiviral and a waiver."""
    chart.results(date(2026, 1, 20), *MONTHLY, platelets="48").exam("tb_screen", date(2026, 1, 12), "indeterminate")
    chart.exam("hpv_screen", date(2026, 1, 12), "negative")
    chart.form("patient_authorization_and_baseline_lab_form", date(2026, 1, 20), course=1)
    scope, today = chart.scope, chart.scope.today
    channel, outcome = OutreachChannel.PHONE, OutreachOutcome.NO_ANSWER
    record_contact(scope, chart.id, channel=channel, outcome=outcome, contacted_at=scope.now, requirements=[])
    call = CallMade(scope.now, channel, reached=True, symptoms=("rash",), advice="Come in today")
    record_call(scope, chart.id, chart.courses[-1], call)
    common = {"clinic_id": scope.clinic_id, "patient_id": chart.row.id, "recorded_at": scope.now}
    db.session.add(Vaccination(vaccine="tdap", given_on=date(2025, 10, 1), **common))
    db.session.commit()
    start_prophylaxis(scope, chart.id, ProphylaxisFacts(drug="Aciclovir", dose="200 mg twice daily", started_on=today))
    span = {"from_on": today, "to_on": date(2027, 3, 31)}
    waive_requirement(doctor, chart.id, requirement="hpv_screen", reason="Hysterectomy", **span)
    low = Answer("platelets_very_low", FindingAction.REPEAT_ORDERED, None, today)
    acknowledge(doctor, chart.id, reports(patient_id=chart.row.id, panel="cbc_diff")[-1].public_id, [low])
    unclear = Answer("tb_screen_indeterminate", FindingAction.PATIENT_CALLED)
    acknowledge(doctor, chart.id, exams(patient_id=chart.row.id, worst_level="amber")[-1].public_id, [unclear])
    return with_arrivals(chart)


def with_arrivals(chart: Chart) -> Chart:
    """Results that a laboratory sent: on the chart, on none, not understood; and an order."""
    scope, patient = chart.scope, chart.row
    lab = add_source(scope)
    someone = identity_of(patient, identifiers=(), birth_date=patient.birth_date + timedelta(days=1))
    unknown = Observed((Coded("PLTX", "L", "Plt count auto"),), "212", "10*3/uL")
    for identity, lines in ((identity_of(patient), ["tsh"]), (someone, ["tsh"]), (identity_of(patient), [unknown])):
        send(scope, lab, message(identity, report(*lines)))
    table_waiting(chart)
    record_orders(
        scope, chart.id, Order((Panel.TSH,), scope.today - timedelta(days=5), scope.today - timedelta(days=4))
    )
    return chart


def table_waiting(chart: Chart) -> None:
    """A table that is being checked: a row to be recorded, one with a code nobody knows, one that cannot be read."""
    who = f"{chart.row.mrn},{chart.row.family_name}"
    rows = ("1/12/2026,PLTX,212,K/uL", "1/13/2026,TSH,1.9,mIU/L", "1/13/26,TSH,2.0,mIU/L")
    sheets = add_source(chart.scope, "Spreadsheets", InboundKind.TABLE)
    map_code(chart.scope, sheets.public_id, LocalCodeKind.ANALYTE, "", "TSH", "", "tsh")
    raw = "\n".join(["MRN,Last,Drawn,Test,Value,Unit", *(f"{who},{row}" for row in rows)])
    table = open_upload(chart.scope, sheets.public_id, raw.encode())
    columns = dict(zip(raw.split("\n")[0].split(","), COLUMNS, strict=True))
    keep_columns(chart.scope, table, to_json(TableMapping(Layout.LONG, DateOrder.MONTH_FIRST, columns=columns)))
    check(chart.scope, table)


def keep_reports(scope: Scope) -> None:
    """A file of a report that waits to be made, and a report that comes every month."""
    ask(scope, "compliance", {}, ReportFormat.CSV)
    month = RelativePeriod.LAST_MONTH
    add_schedule(scope, Plan("compliance", {}, month, ReportFormat.PDF, Rhythm(month_day=31)))


def values_of(chart: Chart, other: Chart, cast: Cast) -> Values:
    """What to put into addresses."""
    rows: dict[str, Any] = {
        "report": LabReport,
        "exam": Exam,
        "vaccination": Vaccination,
        "enrollment": Enrollment,
        "contact": Outreach,
        "call": CourseFollowUp,
        "decision": Waiver,
        "form": FormSubmission,
        "prophylaxis": Prophylaxis,
        "authorization": Authorization,
        "booking": ChairBooking,
    }
    chart_id = chart.row.id
    found = {
        name: db.session.query(model).filter_by(patient_id=chart_id).order_by(model.id.desc()).first().public_id
        for name, model in rows.items()
    }
    people = db.session.query(User).filter_by(id=cast.staff.user_id).one()
    certification = db.session.query(FacilityCertification).filter_by(clinic_id=chart.scope.clinic_id).one()
    return {
        **found,
        "part": db.session.query(VitalSigns).one().public_id,
        "reaction": db.session.query(InfusionReaction).one().public_id,
        "patient": chart.id,
        "course": chart.courses[-1],
        "infusion": db.session.query(Infusion).filter_by(patient_id=chart_id).one().public_id,
        "survivor": chart.id,
        "duplicate": other.id,
        "person": people.public_id,
        "prescriber": cast.prescriber.public_id,
        "certification": certification.public_id,
        "chair": db.session.query(Chair).first().public_id,
        "setting": "psf_months",
        "requirement": "cbc_diff",
        "anchor": 1,
        "occurrence": 1,
        "code": Tally.NO_COURSE_PLANNED,
        "rule": "platelets_low",
        "answered": reports(patient_id=chart_id, panel="cbc_diff")[-1].public_id,
        "answer": answers()[0].public_id,
        "answered_exam": exams(patient_id=chart_id, worst_level="amber")[-1].public_id,
        "exam_answer": answers()[-1].public_id,
        "task": tasks()[0].public_id,
        "kind": "vitals",
        **arrived(),
    }


def arrived() -> Values:
    """The same for what a laboratory sent."""
    recorded, unmatched, unread = (row.public_id for row in results())
    return {
        "result": recorded,
        "unmatched": unmatched,
        "unread": unread,
        "problem": 0,
        "message": db.session.query(InboundMessage).order_by(InboundMessage.id).first().public_id,
        "table": db.session.query(InboundMessage).order_by(InboundMessage.id.desc()).first().public_id,
        "line": 2,
        "source": db.session.query(InboundSource).first().public_id,
        "order": db.session.query(LabOrder).one().public_id,
        "step": "rejected",
        "name": "compliance",
        "run": db.session.query(ReportRun).one().public_id,
        "schedule": db.session.query(ReportSchedule).one().public_id,
    }


def pages(app: Flask, values: Values, *, of_patients: bool) -> list[str]:
    """The addresses of all pages, those of one patient or the others."""
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in ELSEWHERE and not str(rule).endswith((".csv", ".pdf"))
    ]
    wanted = [rule for rule in rules if ("patient" in rule.arguments) is of_patients]
    return sorted(address(app, rule, values) for rule in wanted)


def address(app: Flask, rule: Rule, values: Values) -> str:
    """The address of one page."""
    given = {name: values[name] for name in rule.arguments}
    given |= {name: values[key] for name, key in SPECIAL.get(rule.endpoint, {}).items()}
    if rule.endpoint in FORM_KINDS:
        given["kind"] = FORM_KINDS[rule.endpoint]
    with app.test_request_context():
        return app.url_for(rule.endpoint, **given)


def problems(somebody: Journey, places: list[str]) -> list[str]:
    """What is wrong with pages, all of them."""
    found = []
    for place in places:
        try:
            somebody.open(place)
        except AssertionError as problem:
            found.append(str(problem))
    return found


@pytest.mark.parametrize("half", [0, 1])
def test_every_page_of_a_patient(
    half: int, app: Flask, cast: Cast, chart: Chart, tablet_visitor: Visitor, scope_for: Callable[..., Scope]
) -> None:
    other = register(scope_for(cast.staff), family_name="Ruiz")
    keep_reports(scope_for(cast.administrator))
    doctor = Journey(tablet_visitor, cast.neurologist, scheme="dark")
    assert problems(doctor, pages(app, values_of(chart, other, cast), of_patients=True)[half::2]) == []


OFFICE = ("/admin", "/patients/duplicates")


def test_every_page_of_the_office(
    app: Flask, cast: Cast, chart: Chart, tablet_visitor: Visitor, scope_for: Callable[..., Scope]
) -> None:
    other = register(scope_for(cast.staff), family_name="Ruiz").enroll(cast.prescriber)
    keep_reports(scope_for(cast.administrator))
    everywhere = pages(app, values_of(chart, other, cast), of_patients=False)
    administrator = Journey(tablet_visitor, cast.administrator, scheme="dark")
    assert problems(administrator, [place for place in everywhere if place.startswith(OFFICE)]) == []


@pytest.mark.parametrize("half", [0, 1])
def test_every_page_of_the_clinic(
    half: int, app: Flask, cast: Cast, chart: Chart, tablet_visitor: Visitor, scope_for: Callable[..., Scope]
) -> None:
    other = register(scope_for(cast.staff), family_name="Ruiz").enroll(cast.prescriber)
    keep_reports(scope_for(cast.administrator))
    everywhere = pages(app, values_of(chart, other, cast), of_patients=False)
    doctor = Journey(tablet_visitor, cast.neurologist, scheme="dark")
    assert problems(doctor, [place for place in everywhere if not place.startswith(OFFICE)][half::2]) == []
