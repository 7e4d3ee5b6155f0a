"""The questions of a Patient Status Form that the chart cannot answer (data dictionary 2.9; R-79, R-82)."""

from collections.abc import Mapping
from typing import Any

from clinic_tracker.domain.errors import RuleViolation

#: Autoimmune conditions to ask for (section 1E of the label's warnings), by code.
CONDITIONS = {
    "itp": "Immune thrombocytopenia (ITP)",
    "anti_gbm": "Anti-GBM disease or other glomerulopathy",
    "thyroid": "Hyper- or hypothyroidism",
    "other_cytopenia": "Other cytopenia",
    "autoimmune_hepatitis": "Autoimmune hepatitis",
    "hlh": "Hemophagocytic lymphohistiocytosis (HLH)",
    "aosd": "Adult-onset Still's disease (AOSD)",
    "ttp": "Thrombotic thrombocytopenic purpura (TTP)",
    "encephalitis": "Autoimmune encephalitis",
    "hemophilia_a": "Acquired hemophilia A",
    "colitis": "Immune-mediated colitis",
    "other": "Another autoimmune condition",
}
#: Why a patient is no longer under the prescriber's care.
LEFT_CARE = {
    "transferred": "Transferred to another prescriber",
    "deceased": "Deceased",
    "lost": "Lost to follow-up",
    "other": "Other",
}
YES_NO = {"yes": "Yes", "no": "No"}


def check_answers(answers: Mapping[str, Any]) -> None:
    """RuleViolation for answers that leave the next question open, or contradict each other.

    What was not answered at all is not judged: an old submission may hold its date only.
    """
    left = answers.get("left_care")
    if answers.get("under_care") == "no" and not left:
        raise RuleViolation("left_care_required", "left_care", "Choose why the patient is no longer under your care.")
    if answers.get("under_care") == "yes" and (left or answers.get("new_prescriber")):
        message = "The patient is still under your care: there is no reason for leaving it and no new prescriber."
        raise RuleViolation("still_under_care", "left_care", message)
    conditions = answers.get("conditions") or []
    if answers.get("autoimmune") == "yes" and not conditions:
        raise RuleViolation("conditions_required", "conditions", "Choose which autoimmune condition was found.")
    if answers.get("autoimmune") == "no" and conditions:
        message = "Autoimmune conditions are chosen, and the answer is that there is none."
        raise RuleViolation("no_condition", "conditions", message)
    if unknown := [code for code in conditions if code not in CONDITIONS]:
        raise RuleViolation("unknown_condition", "conditions", f"There is no condition {unknown[0]}.")


def answer_text(answers: Mapping[str, Any], name: str) -> str:
    """An answer in words; nothing where it was not given."""
    value = answers.get(name)
    match name:
        case "conditions":
            return "; ".join(CONDITIONS.get(code, str(code)) for code in value or [])
        case "left_care":
            return LEFT_CARE.get(str(value), str(value)) if value else ""
        case _:
            return YES_NO.get(str(value), str(value)) if value is not None else ""
