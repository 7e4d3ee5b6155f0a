"""What waits of the results that laboratories send, on My clinic today: nothing where nothing waits."""

from flask import url_for

from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.queries.inbound import waiting_counts
from clinic_tracker.queries.lab_orders import nothing_back
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.home.tile import Tile


def inbound_tiles(scope: Scope) -> list[Tile]:
    """Results on no chart, results not understood, and specimens that never came back."""
    counts, lost = waiting_counts(scope), nothing_back(scope)
    tiles = []
    if unmatched := counts[InboundState.UNMATCHED]:
        href = url_for("inbound.unmatched")
        tiles.append(Tile("Unmatched results", unmatched, "on no chart yet", href, "amber"))
    if unread := counts[InboundState.NOT_UNDERSTOOD]:
        href = url_for("inbound.not_understood")
        tiles.append(Tile("Results not understood", unread, "a code or a unit is unknown", href, "amber"))
    if lost:
        oldest = max((scope.today - row.collected_on).days for row in lost if row.collected_on)
        sub, href = f"oldest collected {oldest} d ago", url_for("inbound.no_result_back")
        tiles.append(Tile("No result back", len(lost), sub, href, "amber"))
    return tiles
