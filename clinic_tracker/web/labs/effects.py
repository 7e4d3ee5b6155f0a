"""What an entry did to the schedule: worked out for the reports that an address names."""

from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.queries.effects import antiviral_of, effects_of
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_reports import reports_by_id
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.addresses import uuids_in
from clinic_tracker.web.effects import EffectLine
from clinic_tracker.web.labs.presenters import effect_lines


def entered_effects(scope: Scope, header: PatientHeader) -> list[EffectLine]:
    """What the reports named in the address did to the schedule, as it stands now."""
    entered = uuids_in("entered")
    if not entered:
        return []
    rows = reports_by_id(scope, header.id, entered)
    panels = {row.id: row.panel for row in rows}
    effects = effects_of(scope, header.id, header.protocol_id, EvidenceKind.LAB, panels)
    stop = antiviral_of(scope, header.id, header.protocol_id) if Panel.CD4 in panels.values() else None
    return effect_lines(lab_catalog(scope), rows, effects, stop)
