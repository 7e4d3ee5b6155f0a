"""Checks of patient, product, dose and expiry before an infusion, each by a person with a name (R-55)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Verdict, refuse


class Product(NamedTuple):
    """What is read off the order and the vial."""

    dose_mg: float
    lot_number: str
    lot_expires_on: date | None


class DrugChecked(NamedTuple):
    """One person's check."""

    person_id: int
    person: str
    product: Product


def check_person(person_id: int, before: Iterable[DrugChecked]) -> None:
    """RuleViolation when this person has checked already: two checks are by two people."""
    if any(check.person_id == person_id for check in before):
        raise RuleViolation("same_person", "email", "This person has checked already. Another one must check, too.")


def check_agreement(product: Product, before: Iterable[DrugChecked]) -> None:
    """RuleViolation when the product read now is not the one that another person read."""
    for check in before:
        for field, words in _differences(product, check.product):
            message = f"{check.person} read {words}. Look at the vial again; withdraw the check that is wrong."
            raise RuleViolation("checks_differ", field, message)


def check_of_start(product: Product, checks: Sequence[DrugChecked]) -> Verdict:
    """What the checks say about a start: what is given is what was checked. How many are wanted is readiness."""
    return Verdict(
        tuple(
            refuse(
                "start_differs_from_check",
                field,
                f"{check.person} checked {words}; that is not what is to be given.",
                "R-55",
            )
            for check in checks
            for field, words in _differences(product, check.product)
        )
    )


def _differences(product: Product, other: Product) -> list[tuple[str, str]]:
    """The fields in which ``other`` differs, with what it says there."""
    found = []
    if _plain(product.lot_number) != _plain(other.lot_number):
        found.append(("lot_number", f"lot {other.lot_number}"))
    if product.lot_expires_on != other.lot_expires_on:
        expiry = show_date(other.lot_expires_on) if other.lot_expires_on else "unknown"
        found.append(("lot_expires_on", f"expiry {expiry}"))
    if product.dose_mg != other.dose_mg:
        found.append(("dose_mg", f"a dose of {other.dose_mg:g} mg"))
    return found


def _plain(lot: str) -> str:
    return "".join(lot.split()).upper()
