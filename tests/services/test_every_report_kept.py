"""Every report there is can be kept as a file by a worker, and made again with the same bytes."""

import pytest

from clinic_tracker.domain.reporting.definition import Takes
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.exports.stored_reports import Outcome
from clinic_tracker.queries.reports import evidence_pack
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.services.report_runs import ask_again
from tests.factories import MONTHLY, register
from tests.made_reports import asked_for, made, row, taken


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_it_is_made_and_made_again(scope_for, cast, clock, tmp_path, name):
    chart = register(scope_for(cast.neurologist)).enroll(cast.prescriber)
    definition = REPORTS[name].definition
    scope = scope_for(cast.administrator)
    values = {"patient": str(chart.id)} if name == evidence_pack.NAME else {}
    run = asked_for(scope, name, definition.formats[0].value, **values)
    assert made(taken(), tmp_path) is Outcome.MADE, row(run).failure
    clock.forward(days=1)
    if Takes.KNOWN_AT in definition.takes:
        later = register(scope_for(cast.neurologist)).enroll(cast.prescriber)
        later.results(clock.today, *MONTHLY)
    again = ask_again(scope_for(cast.auditor), run)
    assert made(taken(), tmp_path) is Outcome.MADE, row(again).failure
    assert ReportFormat(row(again).format) is definition.formats[0]
    assert row(again).sha256 == row(run).sha256
