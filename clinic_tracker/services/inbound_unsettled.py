"""What an earlier version of a report said, beside the newer one: what that leaves open stands until it is settled."""

from collections.abc import Collection, Iterable, Mapping

from clinic_tracker.domain.lab_entry import ReadPanel, ReadValue
from clinic_tracker.domain.lab_meaning import CodeTable
from clinic_tracker.domain.lab_merging import version
from clinic_tracker.domain.lab_reading import LabReader
from clinic_tracker.domain.messages import ReportState, SentReport
from clinic_tracker.domain.other_lines import other_lines
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.other_lines import also_sent
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_chart import APPLIED, Chart, Prior
from clinic_tracker.services.lab_sheets import values_of

Values = Mapping[str, ReadValue]


def earlier_values(
    _scope: Scope, reader: LabReader, chart: Chart, report: SentReport, unread: Collection[str], priors: Iterable[Prior]
) -> Values:
    """What earlier versions of a report, of the same day, say of the analytes that nobody can read in this one.

    They are read as codes and units are mapped now. A version that the laboratory took back ends the search.
    """
    found: dict[str, ReadValue] = {}
    newest_first = sorted(priors, key=lambda prior: (version(prior.sent, prior.issued_at), prior.id), reverse=True)
    for prior in newest_first if unread else ():
        if prior.patient_id != chart.id or prior.state not in APPLIED or prior.sent.collected_on != report.collected_on:
            continue
        if prior.sent.state is ReportState.CANCELLED:
            break
        for panel in reader.understand(prior.sent, chart.sex).panels:
            for value in panel.values:
                if value.analyte in unread:
                    found.setdefault(value.analyte, value)
    return found


def with_values_before(
    scope: Scope, reader: LabReader, panel: ReadPanel, old: LabReport | None, earlier: Values
) -> ReadPanel:
    """The panel with those earlier values that still stand on the chart in the version before."""
    if old is None or not earlier:
        return panel
    stand = {value.analyte for value in values_of(scope, old)}
    values = (*panel.values, *(value for analyte, value in earlier.items() if analyte in stand))
    missing = reader.catalog.missing_for_complete(panel.panel, [value.analyte for value in values], panel.problem)
    return panel._replace(values=values, missing=missing)


def same_others(scope: Scope, codes: CodeTable, old: LabReport, report: SentReport) -> bool:
    """Whether a newer version has the same lines of tests that are not followed here."""
    before = also_sent(scope, [old.inbound_result_id])
    return {line for lines in before.values() for line in lines} == set(other_lines(codes, [report]))
