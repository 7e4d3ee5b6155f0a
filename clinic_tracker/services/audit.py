"""The audit trail: explicit, in the transaction of the change, never anonymous."""

import uuid
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import insert

from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import Base, columns_of, db
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.unit_of_work import begin_write


class AuditAction(StrEnum):
    """The closed vocabulary of what can be done, as ``subject.verb``."""

    SIGN_IN = "session.sign_in"
    SIGN_IN_FAILED = "session.sign_in_failed"
    SIGN_IN_LOCKED = "session.locked"
    SIGN_OUT = "session.sign_out"
    CLINIC_CHOSEN = "session.clinic_chosen"
    PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "user.password_reset"  # noqa: S105 - the name of an event
    USER_INVITED = "user.invited"
    SESSIONS_ENDED = "user.sessions_ended"
    ROLE_SET = "membership.role_set"
    MEMBERSHIP_ENDED = "membership.ended"
    CLINIC_CREATED = "clinic.created"
    CLINIC_EDITED = "clinic.edited"
    SETTING_CHANGED = "clinic.setting_changed"
    THRESHOLD_CHANGED = "clinic.threshold_changed"
    FACILITY_CERTIFIED = "facility.certified"
    FACILITY_CERTIFICATION_WITHDRAWN = "facility.certification_withdrawn"
    PRESCRIBER_ADDED = "prescriber.added"
    PRESCRIBER_EDITED = "prescriber.edited"
    PATIENT_REGISTERED = "patient.registered"
    PATIENT_EDITED = "patient.edited"
    PROTOCOL_CHANGED = "patient.protocol_changed"
    PATIENT_MERGED = "patient.merged"
    PATIENT_MERGE_UNDONE = "patient.merge_undone"
    PATIENT_NOT_DUPLICATE = "patient.not_a_duplicate"
    PATIENT_ENROLLED = "enrollment.recorded"
    ENROLLMENT_CORRECTED = "enrollment.corrected"
    ENROLLMENT_ENDED = "enrollment.ended"
    ENROLLMENT_WITHDRAWN = "enrollment.entered_in_error"
    CHAIR_ADDED = "chair.added"
    CHAIR_RENAMED = "chair.renamed"
    CHAIR_REORDERED = "chair.reordered"
    CHAIR_RETIRED = "chair.retired"
    CHAIR_REACTIVATED = "chair.reactivated"
    BOOKING_MADE = "booking.made"
    BOOKING_MOVED = "booking.moved"
    BOOKING_CANCELLED = "booking.cancelled"
    COURSE_PLANNED = "course.planned"
    COURSE_EDITED = "course.edited"
    COURSE_DISCONTINUED = "course.discontinued"
    COURSE_REOPENED = "course.reopened"
    COURSE_AUTHORIZED = "authorization.recorded"
    AUTHORIZATION_WITHDRAWN = "authorization.withdrawn"
    AUTHORIZATION_VERIFIED = "authorization.verified"
    INFUSION_RECORDED = "infusion.recorded"
    INFUSION_ENDED = "infusion.ended"
    INFUSION_PAUSED = "infusion.paused"
    INFUSION_RESUMED = "infusion.resumed"
    INFUSION_PACE_CHANGED = "infusion.pace_changed"
    OBSERVATION_CHANGED = "infusion.observation_changed"
    INFUSION_CORRECTED = "infusion.corrected"
    INFUSION_WITHDRAWN = "infusion.entered_in_error"
    VITAL_SIGNS_RECORDED = "vital_signs.recorded"
    VITAL_SIGNS_WITHDRAWN = "vital_signs.withdrawn"
    DRUG_CHECKED = "drug_check.recorded"
    DRUG_CHECK_WITHDRAWN = "drug_check.withdrawn"
    PREMEDICATION_RECORDED = "premedication.recorded"
    PREMEDICATION_WITHDRAWN = "premedication.withdrawn"
    REACTION_RECORDED = "reaction.recorded"
    REACTION_CORRECTED = "reaction.corrected"
    REACTION_RESOLVED = "reaction.resolved"
    REACTION_WITHDRAWN = "reaction.withdrawn"
    PAUSE_WITHDRAWN = "pause.withdrawn"
    PATIENT_DISCHARGED = "infusion.discharged"
    DEVIATION_RECORDED = "deviation.recorded"
    DEVIATION_WITHDRAWN = "deviation.withdrawn"
    PROPHYLAXIS_STARTED = "prophylaxis.started"
    PROPHYLAXIS_STOPPED = "prophylaxis.stopped"
    PROPHYLAXIS_CORRECTED = "prophylaxis.corrected"
    PROPHYLAXIS_WITHDRAWN = "prophylaxis.entered_in_error"
    LAB_REPORT_RECORDED = "lab_report.recorded"
    LAB_REPORT_CORRECTED = "lab_report.corrected"
    LAB_REPORT_WITHDRAWN = "lab_report.entered_in_error"
    LAB_REPORT_CONFIRMED = "lab_report.confirmed"
    LAB_REPORT_REVIEWED = "lab_report.reviewed"
    LAB_REVIEW_WITHDRAWN = "lab_report.review_withdrawn"
    LAB_REPORT_CLOSED = "lab_report.closed_automatically"
    LAB_REPORT_SAMPLED = "lab_report.kept_for_sample"
    FINDING_ACKNOWLEDGED = "finding.acknowledged"
    ACKNOWLEDGEMENT_WITHDRAWN = "finding.acknowledgement_withdrawn"
    TASK_PLANNED = "task.planned"
    TASK_CORRECTED = "task.corrected"
    TASK_WITHDRAWN = "task.entered_in_error"
    TASK_DONE = "task.done"
    TASK_REOPENED = "task.reopened"
    COVER_ARRANGED = "cover.arranged"
    COVER_WITHDRAWN = "cover.withdrawn"
    AUTO_REVIEW_BEGUN = "automatic_review.begun"
    AUTO_REVIEW_ENDED = "automatic_review.ended"
    EXAM_RECORDED = "exam.recorded"
    EXAM_CORRECTED = "exam.corrected"
    EXAM_WITHDRAWN = "exam.entered_in_error"
    EXAM_CONFIRMED = "exam.confirmed"
    EXAM_REVIEWED = "exam.reviewed"
    EXAM_REVIEW_WITHDRAWN = "exam.review_withdrawn"
    VACCINATION_RECORDED = "vaccination.recorded"
    VACCINATION_CORRECTED = "vaccination.corrected"
    VACCINATION_WITHDRAWN = "vaccination.entered_in_error"
    FORM_SUBMITTED = "form.submitted"
    FORM_CORRECTED = "form.corrected"
    FORM_WITHDRAWN = "form.entered_in_error"
    REQUIREMENT_WAIVED = "waiver.recorded"
    WAIVER_WITHDRAWN = "waiver.withdrawn"
    MONITORING_EXTENDED = "monitoring.extended"
    MONITORING_CLOSED = "monitoring.closed"
    MONITORING_DECISION_WITHDRAWN = "monitoring.decision_withdrawn"
    OUTREACH_RECORDED = "outreach.recorded"
    OUTREACH_WITHDRAWN = "outreach.withdrawn"
    FOLLOW_UP_RECORDED = "course_follow_up.recorded"
    FOLLOW_UP_CORRECTED = "course_follow_up.corrected"
    FOLLOW_UP_WITHDRAWN = "course_follow_up.entered_in_error"
    INBOUND_SOURCE_ADDED = "inbound_source.added"
    INBOUND_SOURCE_EDITED = "inbound_source.edited"
    API_TOKEN_CREATED = "api_token.created"  # noqa: S105 - the name of an event
    API_TOKEN_REVOKED = "api_token.revoked"  # noqa: S105 - the name of an event
    UPLOAD_CHANGED = "inbound_message.changed"
    UPLOAD_LOADED = "inbound_message.loaded"
    UPLOAD_DISCARDED = "inbound_message.discarded"
    RESULT_MATCHED = "inbound_result.matched"
    RESULT_DISMISSED = "inbound_result.dismissed"
    RESULT_SETTLED = "inbound_result.settled"
    RESULT_MATCH_UNDONE = "inbound_result.match_undone"
    LOCAL_CODE_MAPPED = "local_code.mapped"
    LOCAL_CODE_WITHDRAWN = "local_code.withdrawn"
    IDENTIFIER_LEARNED = "patient_identifier.learned"
    IDENTIFIER_WITHDRAWN = "patient_identifier.withdrawn"
    LAB_ORDER_RECORDED = "lab_order.recorded"
    LAB_ORDER_CHANGED = "lab_order.changed"
    LAB_ORDER_WITHDRAWN = "lab_order.entered_in_error"
    HISTORY_IMPORTED = "history.imported"
    SCHEDULE_REBUILT = "schedule.rebuilt"
    REPORT_ASKED = "report_run.asked"
    REPORT_MADE = "report_run.made"
    REPORT_FAILED = "report_run.failed"
    REPORT_CANCELLED = "report_run.cancelled"
    REPORT_REMOVED = "report_run.file_removed"
    REPORT_SCHEDULED = "report_schedule.added"
    REPORT_SCHEDULE_CHANGED = "report_schedule.changed"
    REPORT_SCHEDULE_ENDED = "report_schedule.ended"
    REPORT_ANNOUNCED = "report_delivery.sent"
    REPORT_NOT_ANNOUNCED = "report_delivery.given_up"
    DATA_EXPORTED = "data.exported"


_UNTOLD = ("password_hash", "token_hash", "form_token")


def record(
    scope: Scope,
    action: AuditAction,
    subject: Base,
    *,
    patient_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Note a change in the current transaction; ``after`` is read from the subject.

    ``before`` is what ``snapshot`` gave before the change, or None for something new. With a ``before`` only the
    columns that changed are kept.
    """
    db.session.flush()
    after: dict[str, Any] = columns_of(subject, leave_out=_UNTOLD)
    kept_before: dict[str, Any] | None = None
    if before is not None:
        changed = [key for key, value in after.items() if before.get(key) != value]
        kept_before = {key: before.get(key) for key in changed}
        after = {key: after[key] for key in changed}
    note(
        scope,
        action,
        subject_type=subject.__tablename__,
        subject_id=getattr(subject, "id", None),
        patient_id=patient_id if patient_id is not None else getattr(subject, "patient_id", None),
        before=kept_before,
        after=after,
        reason=reason,
    )


def note(
    scope: Scope,
    action: AuditAction,
    *,
    subject_type: str,
    subject_id: int | None = None,
    patient_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Note something that is not one row (an import, an export, a sign-in)."""
    db.session.execute(
        insert(AuditEvent).values(
            at=scope.now,
            clinic_id=scope.clinic_id or None,
            user_id=scope.user_id,
            system_actor=scope.system_actor,
            action=action.value,
            subject_type=subject_type,
            subject_id=subject_id,
            patient_id=patient_id,
            reason=reason,
            request_id=scope.request_id,
            ip=scope.ip,
            before=before,
            after=after,
        )
    )


def snapshot(subject: Base) -> dict[str, Any]:
    """The column values of a row now, to pass to ``record`` as ``before`` after changing it."""
    return columns_of(subject, leave_out=_UNTOLD)


def record_access(
    scope: Scope, endpoint: str, *, patient_id: int | None = None, patient_ids: Iterable[int] | None = None
) -> None:
    """Note that a chart, or a list of patients, was looked at. Commits by itself, after the answer is made."""
    begin_write(scope)
    db.session.execute(
        insert(AccessEvent).values(
            at=scope.now,
            clinic_id=scope.clinic_id,
            user_id=scope.user_id,
            system_actor=scope.system_actor,
            patient_id=patient_id,
            patient_ids=sorted(set(patient_ids)) if patient_ids is not None else None,
            endpoint=endpoint,
            request_id=scope.request_id or uuid.uuid4().hex,
            ip=scope.ip,
        )
    )
    db.session.commit()
