"""Parts of one panel that come in messages of their own: the newest of each, and which a report completes."""

from collections.abc import Collection, Sequence

from clinic_tracker.domain.lab_merging import complements, surely_drawn_together
from clinic_tracker.domain.lab_reading import LabReader, Understood
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_chart import Chart, latest_of, priors_of
from clinic_tracker.services.inbound_corrections import incomplete_parts


def other_parts(scope: Scope, source_id: int, keys: Sequence[str], but: Collection[str]) -> list[SentReport]:
    """The newest versions of the other parts of a panel, as they were sent."""
    wanted = [key for key in keys if key not in but]
    if not wanted:
        return []
    priors = priors_of(scope, source_id, wanted)
    newest = [latest_of(scope, priors.get(key, ())) for key in wanted]
    taken_back = (ReportState.CANCELLED, ReportState.REJECTED)
    return [latest.sent for latest in newest if latest is not None and latest.sent.state not in taken_back]


def completed_by(
    scope: Scope, source_id: int, via: str, reader: LabReader, chart: Chart, report: SentReport, understood: Understood
) -> tuple[str, ...]:
    """The parts that came before, in messages of their own, of a panel that this report completes.

    Only where it is certain that they are of one draw, and only one panel fits: otherwise each stays as it is.
    """
    lacking = [panel.panel for panel in understood.panels if panel.missing and panel.problem is None]
    if not lacking or report.collected_on is None:
        return ()
    found = incomplete_parts(scope, source_id, via, chart.id, report.collected_on, lacking)
    held = reader.contents(report)
    fitting = []
    for keys in found:
        parts = other_parts(scope, source_id, keys, ())
        if (
            parts
            and all(surely_drawn_together(part, report) for part in parts)
            and complements(held, [reader.contents(part) for part in parts])
        ):
            fitting.append(keys)
    return fitting[0] if len(fitting) == 1 else ()
