"""Who may do what: one table, read aloud by the administrator's page and by the tests."""

from enum import StrEnum

from clinic_tracker.domain.vocabulary import Role


class Permission(StrEnum):
    """One thing that a person may be allowed to do in a clinic."""

    VIEW_PATIENTS = "view_patients"
    MANAGE_PATIENTS = "manage_patients"
    RECORD_TREATMENT = "record_treatment"
    RECORD_EVIDENCE = "record_evidence"
    CONTACT_PATIENTS = "contact_patients"
    SUBMIT_FORMS = "submit_forms"
    AUTHORIZE_COURSES = "authorize_courses"
    REVIEW_RESULTS = "review_results"
    ARRANGE_REVIEW = "arrange_review"
    DECIDE_MONITORING = "decide_monitoring"
    MERGE_PATIENTS = "merge_patients"
    EXPORT_DATA = "export_data"
    VIEW_REPORTS = "view_reports"
    SCHEDULE_REPORTS = "schedule_reports"
    MANAGE_CLINIC = "manage_clinic"
    VIEW_ADMINISTRATION = "view_administration"
    VIEW_AUDIT = "view_audit"


DESCRIPTIONS: dict[Permission, str] = {
    Permission.VIEW_PATIENTS: "See worklists and charts",
    Permission.MANAGE_PATIENTS: "Register, enroll and edit patients",
    Permission.RECORD_TREATMENT: "Plan courses, record infusions, observation and prophylaxis",
    Permission.RECORD_EVIDENCE: "Enter and correct results, exams and vaccinations",
    Permission.CONTACT_PATIENTS: "Record contacts and snooze rows",
    Permission.SUBMIT_FORMS: "Record REMS forms that were sent",
    Permission.AUTHORIZE_COURSES: "Authorize treatment courses",
    Permission.REVIEW_RESULTS: "Review and sign off results",
    Permission.ARRANGE_REVIEW: "Arrange who sees results of a prescriber who is away, and which close by themselves",
    Permission.DECIDE_MONITORING: "Waive requirements, extend or close monitoring, change the protocol",
    Permission.MERGE_PATIENTS: "Merge duplicate charts and undo a merge",
    Permission.EXPORT_DATA: "Export worklists and reports",
    Permission.VIEW_REPORTS: "See compliance reports",
    Permission.SCHEDULE_REPORTS: "Set up reports that come by themselves",
    Permission.MANAGE_CLINIC: "Manage people, prescribers, certification and settings",
    Permission.VIEW_ADMINISTRATION: "See people, prescribers, certification and settings",
    Permission.VIEW_AUDIT: "See the audit trail and who looked at what",
}

_P = Permission
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.STAFF: frozenset(
        {
            _P.VIEW_PATIENTS,
            _P.MANAGE_PATIENTS,
            _P.RECORD_TREATMENT,
            _P.RECORD_EVIDENCE,
            _P.CONTACT_PATIENTS,
            _P.SUBMIT_FORMS,
            _P.EXPORT_DATA,
        }
    ),
    Role.NEUROLOGIST: frozenset(
        {
            _P.VIEW_PATIENTS,
            _P.MANAGE_PATIENTS,
            _P.RECORD_TREATMENT,
            _P.RECORD_EVIDENCE,
            _P.CONTACT_PATIENTS,
            _P.SUBMIT_FORMS,
            _P.AUTHORIZE_COURSES,
            _P.REVIEW_RESULTS,
            _P.ARRANGE_REVIEW,
            _P.DECIDE_MONITORING,
            _P.EXPORT_DATA,
            _P.VIEW_REPORTS,
            _P.SCHEDULE_REPORTS,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            _P.VIEW_PATIENTS,
            _P.MANAGE_PATIENTS,
            _P.MERGE_PATIENTS,
            _P.ARRANGE_REVIEW,
            _P.SUBMIT_FORMS,
            _P.EXPORT_DATA,
            _P.VIEW_REPORTS,
            _P.SCHEDULE_REPORTS,
            _P.MANAGE_CLINIC,
            _P.VIEW_ADMINISTRATION,
            _P.VIEW_AUDIT,
        }
    ),
    Role.AUDITOR: frozenset({_P.VIEW_PATIENTS, _P.EXPORT_DATA, _P.VIEW_REPORTS, _P.VIEW_ADMINISTRATION, _P.VIEW_AUDIT}),
}

ROLE_TITLES: dict[Role, str] = {
    Role.STAFF: "Clinic staff",
    Role.NEUROLOGIST: "Neurologist",
    Role.ADMINISTRATOR: "Administrator",
    Role.AUDITOR: "Auditor (read only)",
}


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """The roles that hold a permission, for "who can grant it"."""
    return tuple(role for role in Role if permission in ROLE_PERMISSIONS[role])
