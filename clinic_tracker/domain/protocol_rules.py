"""The invariants of a protocol's requirements, checked on load: windows stay apart, every field counts."""

from clinic_tracker.domain.protocol_table import Table
from clinic_tracker.domain.requirement import Anchor, Closes, EvidenceKind, Period, Requirement, Unit

_SHORTEST_MONTH = 28

# (anchor, repeats?) -> the kind of evidence the engine can match there, and what a slot's name must be made of.
_SHAPES: dict[tuple[Anchor, bool], tuple[EvidenceKind, tuple[str, ...]]] = {
    (Anchor.COURSE_END, True): (EvidenceKind.LAB, ("{course}", "{n}")),
    (Anchor.COURSE_END, False): (EvidenceKind.FORM, ("{course}",)),
    (Anchor.FIRST_INFUSION, True): (EvidenceKind.FORM, ("{n}",)),
    (Anchor.LAST_EVIDENCE, True): (EvidenceKind.EXAM, ("{n}",)),
}


def check_requirement(requirement: Requirement, table: Table) -> None:
    """ProtocolError naming the field if the requirement means nothing that the engine can compute."""
    shape = _SHAPES.get((requirement.anchor, requirement.every is not None))
    if shape is None:
        raise table.error("every", f"is needed with the anchor {requirement.anchor}")
    kind, placeholders = shape
    if requirement.evidence_kind is not kind:
        raise table.error("evidence", f"must be a {kind} with this anchor and cadence")
    if not all(placeholder in requirement.slot for placeholder in placeholders):
        raise table.error("slot", f"must contain {' and '.join(placeholders)}")
    if requirement.opens.unit is not Unit.DAYS:
        raise table.error("opens", "must be in days")
    if (requirement.closes is Closes.NEXT_OPENS) != (kind is EvidenceKind.LAB):
        raise table.error("closes", "is next_opens for the slots of a course and never for the rest")
    if requirement.every is None:
        _check_single(requirement, table)
    else:
        _check_cadence(requirement, requirement.every, table)


def _check_single(requirement: Requirement, table: Table) -> None:
    if requirement.until is not None:
        raise table.error("until", "belongs to requirements that repeat; without every it has no meaning")
    if requirement.first_due.unit is Unit.MONTHS:
        raise table.error("first_due", "must be in days or business days")


def _check_cadence(requirement: Requirement, every: Period, table: Table) -> None:
    if every.unit is not Unit.MONTHS or every.count < 1:
        raise table.error("every", "must be one month or more")
    if requirement.opens.count >= every.count * _SHORTEST_MONTH:
        raise table.error("opens", "must be shorter than the cadence, or windows would overlap")
    if requirement.until is None:
        raise table.error("until", "is missing")
