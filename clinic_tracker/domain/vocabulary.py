"""The closed vocabularies of the field, as used in rules, tables, forms and files."""

from enum import StrEnum


class Sex(StrEnum):
    """Sex recorded at birth."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """What a person does in one clinic."""

    STAFF = "staff"
    NEUROLOGIST = "neurologist"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Panel(StrEnum):
    """Laboratory panels that the protocols know, and OTHER for everything that is evidence for nothing."""

    CBC_DIFF = "cbc_diff"
    CREATININE = "creatinine"
    URINALYSIS_CELLS = "urinalysis_cells"
    TSH = "tsh"
    LIVER_PANEL = "liver_panel"
    CD4 = "cd4"
    UPCR = "upcr"
    OTHER = "other"


class ResultStatus(StrEnum):
    """What the laboratory says of a result. Only final and corrected results are evidence."""

    FINAL = "final"
    CORRECTED = "corrected"
    PRELIMINARY = "preliminary"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"


class ExamKind(StrEnum):
    """Examinations and screenings other than the monitoring laboratory panels."""

    SKIN_EXAM = "skin_exam"
    HPV_SCREEN = "hpv_screen"
    TB_SCREEN = "tb_screen"
    VZV_SEROLOGY = "vzv_serology"
    VZV_HISTORY = "vzv_history"
    HIV_TEST = "hiv_test"
    HEPATITIS_B = "hepatitis_b"
    HEPATITIS_C = "hepatitis_c"
    PREGNANCY_TEST = "pregnancy_test"
    ECG = "ecg"


class FormKind(StrEnum):
    """REMS forms, by their names."""

    PATIENT_STATUS_FORM = "patient_status_form"
    INFUSION_CHECKLIST = "infusion_checklist"
    PATIENT_ENROLLMENT_FORM = "patient_enrollment_form"
    PATIENT_AUTHORIZATION_FORM = "patient_authorization_and_baseline_lab_form"
    PRESCRIPTION_ORDERING_FORM = "prescription_ordering_form"
    ADVERSE_EVENT_FORM = "adverse_event_form"


class FactState(StrEnum):
    """A fact is recorded; it changes only by being corrected or entered in error."""

    RECORDED = "recorded"
    CORRECTED = "corrected"
    ENTERED_IN_ERROR = "entered_in_error"


class CourseState(StrEnum):
    """Where a treatment course stands; derived from its infusions and its discontinuation, never stored."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    DISCONTINUED = "discontinued"


class ObligationStatus(StrEnum):
    """Status of one obligation on a date."""

    UPCOMING = "upcoming"
    DUE = "due"
    OVERDUE = "overdue"
    MISSED = "missed"
    DONE = "done"
    WAIVED = "waived"


class StandingState(StrEnum):
    """Where a patient stands with one requirement on a date."""

    OVERDUE = "overdue"
    DUE = "due"
    UP_TO_DATE = "up_to_date"
    COMPLETE = "complete"
    CLOSED = "closed"


class Grade(StrEnum):
    """How well a rule is supported: official, secondary, unconfirmed, local convention."""

    A = "A"
    B = "B"
    R = "R"
    C = "C"


class PremedicationKind(StrEnum):
    """Drugs given around an infusion."""

    STEROID = "steroid"
    ANTIHISTAMINE = "antihistamine"
    ANTIPYRETIC = "antipyretic"
    OTHER = "other"


class ReactionGrade(StrEnum):
    """Severity of an infusion reaction."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    LIFE_THREATENING = "life_threatening"
    FATAL = "fatal"


class ReactionEnding(StrEnum):
    """How a reaction ended, in the terms of adverse-event reports."""

    RECOVERED = "recovered"
    RECOVERING = "recovering"
    NOT_RECOVERED = "not_recovered"
    RECOVERED_WITH_SEQUELAE = "recovered_with_sequelae"
    FATAL = "fatal"
    UNKNOWN = "unknown"


class MonitoringDecisionKind(StrEnum):
    """A prescriber's decision about the end of monitoring (R-85)."""

    EXTENDED = "extended"
    CLOSED = "closed"


class OutreachChannel(StrEnum):
    """How a patient was contacted."""

    PHONE = "phone"
    TEXT = "text"
    EMAIL = "email"
    LETTER = "letter"
    IN_PERSON = "in_person"
    OTHER_PERSON = "other_person"


class OutreachOutcome(StrEnum):
    """What came of a contact."""

    WILL_COME = "will_come"
    NO_ANSWER = "no_answer"
    LEFT_MESSAGE = "left_message"
    WRONG_NUMBER = "wrong_number"
    DECLINED = "declined"
    TESTED_ELSEWHERE = "tested_elsewhere"
    OTHER = "other"


class FormMethod(StrEnum):
    """How a REMS form was sent."""

    WEB = "web"
    FAX = "fax"
    PHONE = "phone"
    MAIL = "mail"


class InboundKind(StrEnum):
    """The format that a source sends."""

    HL7 = "hl7"
    FHIR = "fhir"
    TABLE = "table"


class InboundMessageState(StrEnum):
    """How far a received message or file is."""

    RECEIVED = "received"
    DONE = "done"
    REFUSED = "refused"


class InboundState(StrEnum):
    """What became of one report of a message."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    UNMATCHED = "unmatched"
    NOT_UNDERSTOOD = "not_understood"
    REFUSED = "refused"
    DISMISSED = "dismissed"
    NOTED = "noted"


class LocalCodeKind(StrEnum):
    """What a laboratory's own code stands for."""

    ANALYTE = "analyte"
    PANEL = "panel"
    EXAM = "exam"
    UNIT = "unit"
    IGNORED = "ignored"


class FindingAction(StrEnum):
    """What was done about a finding."""

    REPEAT_ORDERED = "repeat_ordered"
    REFERRAL = "referral"
    PATIENT_CALLED = "patient_called"
    TREATMENT = "treatment"
    NO_ACTION = "no_action"
