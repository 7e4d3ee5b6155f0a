"""The check of patient, product, dose and expiry before a start (R-55)."""

from datetime import date

import pytest

from clinic_tracker.domain.drug_check import DrugChecked, Product, check_agreement, check_of_start, check_person
from clinic_tracker.domain.errors import RuleViolation

VIAL = Product(12, "A1234", date(2027, 6, 30))
BY_NIA = DrugChecked(1, "Nia Brandt", VIAL)


def test_two_checks_are_by_two_people():
    check_person(2, [BY_NIA])
    with pytest.raises(RuleViolation, match="Another one"):
        check_person(1, [BY_NIA])


@pytest.mark.parametrize(
    "product, field, told",
    [
        (VIAL._replace(lot_number="B9"), "lot_number", "lot A1234"),
        (VIAL._replace(lot_expires_on=date(2027, 7, 31)), "lot_expires_on", "30-Jun-2027"),
        (VIAL._replace(dose_mg=10), "dose_mg", "12 mg"),
    ],
)
def test_what_two_people_read_agrees_and_is_what_is_given(product, field, told):
    with pytest.raises(RuleViolation, match=f"Nia Brandt read .*{told}") as refused:
        check_agreement(product, [BY_NIA])
    assert refused.value.field == field
    (note,) = check_of_start(product, [BY_NIA]).refusals
    assert note.field == field


def test_blanks_and_capitals_of_a_lot_make_no_difference():
    check_agreement(VIAL._replace(lot_number="a 1234"), [BY_NIA])
    assert check_of_start(VIAL, [BY_NIA]).notes == ()
