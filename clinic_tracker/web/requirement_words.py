"""Short names of requirements for rows and lanes; the full titles are the protocol's."""

from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.web.filters import words

SHORT_TITLES = {
    "cbc_diff": "CBC + diff",
    "creatinine": "Creatinine",
    "urinalysis_cells": "UA cells",
    "tsh": "TSH",
    "liver_panel": "Liver panel",
    "skin_exam": "Skin exam",
    "hpv_screen": "HPV screen",
    "patient_status_form": "Status form",
    "infusion_checklist": "Checklist",
}


def short_title(requirement: str) -> str:
    """The name of a requirement as it fits in a tag."""
    return SHORT_TITLES.get(requirement, words(requirement))


def title_order(requirement: str) -> int:
    """Where a requirement stands in lists: laboratory tests first, as they are drawn together."""
    order = list(SHORT_TITLES)
    return order.index(requirement) if requirement in order else len(order)


def full_title(requirement: str) -> str:
    """The name of a requirement as the protocol has it."""
    for protocol in packaged_protocols().values():
        for known in protocol.requirements:
            if known.code == requirement:
                return known.title
    return words(requirement)


def requirement_options(protocol_id: str, empty: str | None = None) -> list[tuple[str, str]]:
    """The requirements of a protocol to choose from, in the order of the short names' table."""
    known = [(item.code, item.title) for item in packaged_protocols()[protocol_id].requirements]
    known.sort(key=lambda item: title_order(item[0]))
    return [("", empty), *known] if empty is not None else known


def list_options(protocol_id: str) -> list[tuple[str, str]]:
    """What a worklist may be narrowed down to: everything, one kind of evidence, or one requirement."""
    groups = [("labs", "All laboratory tests"), ("exams", "All examinations"), ("forms", "All forms")]
    return [("", "All requirements"), *groups, *requirement_options(protocol_id)]
