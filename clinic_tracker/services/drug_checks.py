"""The check of patient, product, dose and expiry before a start, each by a person with a name (R-55)."""

import uuid
from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.drug_check import Product, check_agreement, check_person
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.treatment import DrugCheck
from clinic_tracker.queries.drug_checks import standing_checks
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.accounts import verify_colleague
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import already_recorded
from clinic_tracker.services.infusion_parts import Target, add_part, started_today
from clinic_tracker.services.infusion_rules import check_course_open, find_course_row
from clinic_tracker.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another person at the same screen, who says who they are."""

    email: str
    password: str

    def __repr__(self) -> str:
        return "Colleague(...)"


def record_drug_check(
    scope: Scope,
    patient: uuid.UUID,
    course: uuid.UUID,
    product: Product,
    *,
    patient_confirmed: bool,
    colleague: Colleague | None = None,
    form_token: str | None = None,
) -> None:
    """Record that a person checked today's drug: the one who is signed in, or a colleague at the same screen.

    The row waits for today's infusion of the course. RuleViolation once that has started, for a colleague who cannot
    be verified, a person who has checked already, a product that differs from what another one read, and one that has
    expired.
    """
    scope.require(Permission.RECORD_TREATMENT)
    person = scope.user_id if colleague is None else verify_colleague(scope, colleague.email, colleague.password)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        if already_recorded(scope, DrugCheck, form_token):
            return
        course_row = find_course_row(scope, owner, course)
        check_course_open(scope, course_row)
        if started_today(scope, course_row.id) is not None:
            message = "Today's infusion has started: a check comes before the start."
            raise RuleViolation("already_started", None, message)
        assert person is not None
        expires_on = _check_product(scope, product, patient_confirmed=patient_confirmed)
        before = standing_checks(scope, course_row.id, scope.today)
        check_person(person, before)
        check_agreement(product, before)
        row = DrugCheck(
            checked_at=scope.now,
            checked_by_id=person,
            dose_mg=product.dose_mg,
            lot_number=product.lot_number.strip(),
            lot_expires_on=expires_on,
        )
        add_part(scope, owner, Target(patient, course=course), row, form_token)
        audit.record(scope, AuditAction.DRUG_CHECKED, row, patient_id=owner.id)


def _check_product(scope: Scope, product: Product, *, patient_confirmed: bool) -> date:
    if not patient_confirmed:
        message = "Ask for name and date of birth, and compare them with the page."
        raise RuleViolation("patient_not_confirmed", "patient_confirmed", message)
    if not product.lot_number.strip():
        raise RuleViolation("no_lot", "lot_number", "Enter the lot number on the vial.")
    if product.lot_expires_on is None:
        raise RuleViolation("no_expiry", "lot_expires_on", "Enter the expiry date on the vial.")
    if product.lot_expires_on < scope.today:
        raise RuleViolation("lot_expired", "lot_expires_on", "This lot has expired. It is not to be given.")
    return product.lot_expires_on
