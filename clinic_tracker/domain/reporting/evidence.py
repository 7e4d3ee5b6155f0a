"""The tables of an evidence pack: what a clinic hands over when the REMS asks whether its conditions were kept."""

from dataclasses import dataclass
from typing import Any

from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Line

_OPEN, _WHO, _DATED = Privacy.OPEN, Privacy.IDENTITY, Privacy.DATED
_TEXT, _CODE, _COUNT = Kind.TEXT, Kind.CODE, Kind.COUNT
_DATE, _INSTANT, _YES = Kind.DATE, Kind.INSTANT, Kind.YES_NO


@dataclass(frozen=True, slots=True)
class PackTable:
    """One table, a file of its own in the archive. ``of_patients``: its lines begin with whose they are."""

    name: str
    title: str
    own: tuple[Column, ...]
    of_patients: bool = True
    empty: str = "None recorded."

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, those of the patient first."""
        return PATIENT + self.own if self.of_patients else self.own


@dataclass(frozen=True, slots=True)
class FilledTable:
    """A table with its lines; the columns of a de-identified pack are other ones than the table's."""

    table: PackTable
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    @property
    def lead(self) -> int:
        """How many columns say whose a line is: they come first."""
        return sum(column.name in _LEADING for column in self.columns) if self.table.of_patients else 0

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns after those that say whose a line is."""
        return self.columns[self.lead :]

    def own_cells(self, patient_id: int | None = None) -> list[tuple[Any, ...]]:
        """What the lines of one patient say, or all of them, without whose they are."""
        return [line.cells[self.lead :] for line in self.lines if patient_id is None or line.patient_id == patient_id]


PATIENT = (
    Column("mrn", "MRN", _TEXT, "The clinic's number of the patient.", Privacy.PATIENT),
    Column("rems_patient_id", "REMS id", _TEXT, "The number that the REMS gave the patient.", _WHO),
    Column("family_name", "Last name", _TEXT, "As registered.", _WHO),
    Column("given_name", "First name", _TEXT, "As registered.", _WHO),
    Column("birth_date", "Born", _DATE, "As registered.", _WHO),
)
_LEADING = frozenset({"study_number", *(column.name for column in PATIENT)})
_STATE = (
    Column("state", "State", _CODE, "Recorded, corrected (another line holds what is true) or entered in error."),
    Column("reason_ended", "Why ended", _TEXT, "Why the entry was corrected or withdrawn.", _WHO),
    Column("recorded_at", "Recorded", _INSTANT, "When it was entered.", _DATED),
    Column("recorded_by", "Recorded by", _TEXT, "Who entered it; empty for an import.", _WHO),
)
_COURSE = Column("course", "Course", _COUNT, "The number of the treatment course.")
_DAY = Column("day", "Day", _COUNT, "The day of the course.")


def _column(name: str, title: str, kind: Kind, definition: str, privacy: Privacy | None = None) -> Column:
    """A column; dates and instants are of the patient, text is free text, unless told otherwise."""
    usual = {_DATE: _DATED, _INSTANT: _DATED, _TEXT: _WHO}.get(kind, _OPEN)
    return Column(name, title, kind, definition, privacy or usual)


FACILITY = PackTable(
    "facility",
    "Certification of the facility",
    (
        _column("facility", "Facility", _TEXT, "The clinic.", _OPEN),
        _column("rems_facility_id", "REMS id", _TEXT, "The number that the REMS gave the facility.", _OPEN),
        _column("certified_on", "Certified", _DATE, "Date of the certification (R-03).", _OPEN),
        _column("ends_on", "Ends", _DATE, "Last day of the certification, where one is set.", _OPEN),
        _column("representative", "Authorized representative", _TEXT, "Who answers for the facility (R-03)."),
        _column("trained_on", "Trained", _DATE, "When the representative was trained.", _OPEN),
        _column("recorded_at", "Recorded", _INSTANT, "When it was entered.", _OPEN),
        _column("withdrawn_at", "Withdrawn", _INSTANT, "When the entry was withdrawn.", _OPEN),
    ),
    of_patients=False,
    empty="No certification of the facility is recorded.",
)
PRESCRIBERS = PackTable(
    "prescribers",
    "Certification of prescribers",
    (
        _column("prescriber", "Prescriber", _TEXT, "Name."),
        _column("npi", "NPI", _TEXT, "National provider identifier."),
        _column("rems_prescriber_id", "REMS id", _TEXT, "The number that the REMS gave the prescriber."),
        _column("certified_on", "Certified", _DATE, "Date of the certification (R-01).", _OPEN),
        _column("ends_on", "Ends", _DATE, "Last day of the certification, where one is set.", _OPEN),
        _column("active", "Active", _YES, "Whether the prescriber works in the clinic now."),
    ),
    of_patients=False,
    empty="No prescriber is recorded.",
)
PATIENTS = PackTable(
    "patients",
    "Patients",
    (
        _column("sex_at_birth", "Sex at birth", _CODE, "As registered; decides whether HPV screening applies."),
        _column("prescriber", "Prescriber", _TEXT, "Who treats the patient now."),
        _column("protocol", "Protocol", _CODE, "The protocol that the schedule follows, with its version."),
        _column("first_infusion_on", "First infusion", _DATE, "The first infusion of all."),
        _column("last_infusion_on", "Last infusion", _DATE, "The last infusion given."),
        _column("monitoring_ends_on", "Monitoring ends", _DATE, "48 months after the last infusion, or as extended."),
        _column("closed_on", "Signed off", _DATE, "When a prescriber closed the monitoring."),
    ),
    empty="No patient was treated or monitored in the period.",
)
ENROLLMENTS = PackTable(
    "enrollments",
    "Enrollment",
    (
        _column("enrolled_on", "Enrolled", _DATE, "Date of the enrollment in the REMS (R-11)."),
        _column("prescriber", "Prescriber", _TEXT, "Who enrolled the patient."),
        _column("counseled_on", "Counseled", _DATE, "When the patient was counseled (R-12)."),
        _column("guide_given_on", "Guide given", _DATE, "When the Patient Guide was given."),
        _column("card_given_on", "Card given", _DATE, "When the safety card was given."),
        _column("patient_signed_on", "Patient signed", _DATE, "When the patient signed the form."),
        _column("prescriber_signed_on", "Prescriber signed", _DATE, "When the prescriber signed the form."),
        _column("copy_given", "Copy given", _YES, "Whether the patient got a copy."),
        _column("rems_reference", "Reference", _TEXT, "The reference that the REMS gave."),
        _column("ended_on", "Ended", _DATE, "When the enrollment ended."),
        _column("end_reason", "Why ended", _TEXT, "Why the enrollment ended."),
        *_STATE[:1],
        _column("reason_withdrawn", "Why withdrawn", _TEXT, "Why the entry was corrected or withdrawn."),
        *_STATE[2:],
    ),
    empty="No enrollment is recorded.",
)
AUTHORIZATIONS = PackTable(
    "authorizations",
    "Authorizations",
    (
        _COURSE,
        _column("authorized_on", "Authorized", _DATE, "When a prescriber authorized the course (R-14)."),
        _column("prescriber", "Prescriber", _TEXT, "Who authorized it."),
        _column("expires_on", "Expires", _DATE, "Last day on which the course may begin."),
        _column("course_began_on", "Course began", _DATE, "The first infusion of the course."),
        _column("verified_on", "Verified", _DATE, "When the facility verified it with the REMS (R-16)."),
        _column("verified_method", "Verified how", _CODE, "By which way."),
        _column("verified_by", "Verified by", _TEXT, "Who verified it."),
        _column("rems_reference", "Reference", _TEXT, "The reference that the REMS gave."),
        _column("override_reason", "Authorized although", _TEXT, "Why it was authorized with something missing."),
        *_STATE,
    ),
    empty="No course was authorized.",
)
BASELINE = PackTable(
    "baseline",
    "Baseline set at the authorization",
    (
        _COURSE,
        _column("item", "Item", _CODE, "A test or screening asked for before a course (R-20 to R-30)."),
        _column("item_state", "State", _CODE, "How it stood when the course was authorized."),
        _column("done_on", "Done", _DATE, "The day of the evidence."),
        _column("explanation", "Explanation", _TEXT, "What the rule said."),
    ),
    empty="No baseline set is on record.",
)
INFUSIONS = PackTable(
    "infusions",
    "Infusions and observation",
    (
        _COURSE,
        _DAY,
        _column("infused_on", "Date", _DATE, "The local date of the start."),
        _column("dose_mg", "Dose (mg)", Kind.NUMBER, "The dose given (label 2.1)."),
        _column("lot_number", "Lot", _TEXT, "The lot of the drug.", _OPEN),
        _column("started_at", "Started", _INSTANT, "Start of the infusion."),
        _column("ended_at", "Ended", _INSTANT, "End of the infusion."),
        _column("ran_minutes", "Ran (min)", _COUNT, "Minutes in which the drug ran, pauses left out."),
        _column("discharged_at", "Observed until", _INSTANT, "When the patient was discharged."),
        _column("observed_minutes", "Observed (min)", _COUNT, "Minutes from the end to the discharge (label 2.5)."),
        _column("required_minutes", "Required (min)", _COUNT, "How long the patient had to be observed."),
        _column("observation_complete", "Complete", _YES, "Whether the observation was long enough."),
        _column("early_reason", "Why early", _TEXT, "Why the patient left earlier."),
        _column("discharged_by", "Discharged by", _TEXT, "Who signed the discharge."),
        _column("stroke_advice", "Stroke advice", _YES, "Whether advice on stroke was given (R-50)."),
        _column("late_reaction_advice", "Late reactions", _YES, "Whether advice on late reactions was given."),
        _column("infection_excluded", "No infection", _YES, "Whether an active infection was excluded (R-18)."),
        _column("drug_checks", "Drug checks", _COUNT, "People who checked patient, product, dose and expiry."),
        _column("vital_signs", "Vital signs", _COUNT, "Sets of vital signs on record (R-47)."),
        _column("entered_afterwards", "Entered later", _YES, "Whether it was entered after the day."),
        *_STATE,
    ),
    empty="No infusion is recorded.",
)
REACTIONS = PackTable(
    "reactions",
    "Reactions",
    (
        _COURSE,
        _DAY,
        _column("onset_at", "Onset", _INSTANT, "When it began."),
        _column("grade", "Grade", _CODE, "How severe it was."),
        _column("serious", "Serious", _YES, "Whether it met a criterion of seriousness."),
        _column("signs", "Signs", _TEXT, "What was seen."),
        _column("treatment", "Treatment", _TEXT, "What was done."),
        _column("outcome", "Outcome", _TEXT, "How it ended."),
        _column("reported_on", "Reported", _DATE, "When it was reported to the REMS."),
    ),
    empty="No reaction is recorded.",
)
DEVIATIONS = PackTable(
    "deviations",
    "Departures from the protocol",
    (
        _column("occurred_on", "Date", _DATE, "When it happened."),
        _COURSE,
        _DAY,
        _column("requirement", "Rule", _CODE, "Which rule it departs from."),
        _column("what", "What", _TEXT, "What happened."),
        _column("reason", "Reason", _TEXT, "The reason given."),
        *_STATE[2:],
    ),
    empty="No departure is recorded.",
)
FORMS = PackTable(
    "forms",
    "Forms sent",
    (
        _column("form", "Form", _CODE, "Which form."),
        _COURSE,
        _column("slot", "For", _CODE, "The obligation that it fulfills."),
        _column("due_on", "Due", _DATE, "When it was due."),
        _column("submitted_on", "Sent", _DATE, "When it was sent."),
        _column("days_late", "Days late", _COUNT, "Days after the due date."),
        _column("method", "How", _CODE, "By which way."),
        _column("confirmation", "Confirmation", _TEXT, "The confirmation that the REMS gave."),
        _column("signed_by", "Signed by", _TEXT, "Who signed it."),
        *_STATE,
    ),
    empty="No form is recorded as sent.",
)
DECISIONS = PackTable(
    "decisions",
    "Waivers, extensions and sign-offs",
    (
        _column("decision", "Decision", _CODE, "Waived, extended or closed."),
        _column("requirement", "Requirement", _CODE, "What was waived."),
        _COURSE,
        _column("from_on", "From", _DATE, "First due date waived, or the date of the decision."),
        _column("to_on", "Until", _DATE, "Last due date waived, or the later end of monitoring."),
        _column("reason", "Reason", _TEXT, "The reason given."),
        _column("prescriber", "Prescriber", _TEXT, "Who decided."),
        *_STATE,
    ),
    empty="No decision is recorded.",
)
CALENDAR = PackTable(
    "calendar",
    "Monitoring calendar",
    (
        _column("requirement", "Requirement", _CODE, "What was owed."),
        _column("slot", "Slot", _CODE, "Which occurrence: course and month, quarter, or number."),
        _column("opens_on", "Opens", _DATE, "First day on which evidence counts."),
        _column("due_on", "Due", _DATE, "The due date."),
        _column("closes_on", "Closes", _DATE, "Last day on which evidence counts; empty where it never closes."),
        _column("done_on", "Done", _DATE, "The day of the evidence."),
        _column("status", "Status", _CODE, "Done, waived, upcoming, due, overdue or missed, on the date of the pack."),
        _column(
            "days_late",
            "Days late",
            _COUNT,
            "Days from the due date to the evidence or, while overdue, so far.",
            _DATED,  # so far: with the date of the pack it would tell the due date
        ),
    ),
    empty="Nothing was due in the period.",
)
TABLES = (
    FACILITY, PRESCRIBERS, PATIENTS, ENROLLMENTS, AUTHORIZATIONS, BASELINE, INFUSIONS, REACTIONS, DEVIATIONS, FORMS,
    DECISIONS, CALENDAR,
)  # fmt: skip
