"""``flask worklist``: the worklists for scripts."""

import json
from datetime import datetime

import click

from clinic_tracker.cli.support import PlainGroup, clinic_scope, fail, plain_errors
from clinic_tracker.exports.tables import cell, csv_lines
from clinic_tracker.queries.worklists import EXPORT_STATES, WorklistItem, worklist_rows
from clinic_tracker.services.exporting import note_export

ACTOR = "worklist export"
COLUMNS = tuple(WorklistItem.__dataclass_fields__)
group = PlainGroup("worklist", help="Export the worklists.")


@group.command("export")
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
@click.option("--as-of", "as_of", default=None, metavar="YYYY-MM-DD", help="The date of the list; today by default.")
@click.option("--state", type=click.Choice(EXPORT_STATES), default="all", show_default=True)
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
def export(slug: str, as_of: str | None, state: str, form: str) -> None:
    """Write who owes what on a date, the longest overdue first.

    A past date is answered from the facts dated by then. Text that a spreadsheet would run as a formula gets a leading
    apostrophe in CSV; JSON holds it as it is.

    Example: flask worklist export --clinic northside --as-of 2026-03-31 --state overdue > overdue.csv
    """
    with plain_errors():
        scope = clinic_scope(slug, ACTOR)
        day = scope.today
        if as_of is not None:
            try:
                day = datetime.strptime(as_of, "%Y-%m-%d").date()  # noqa: DTZ007 - a date, no instant
            except ValueError:
                fail(f"--as-of: {as_of!r} is not a date such as 2026-03-31.")
        rows = [[getattr(row, name) for name in COLUMNS] for row in worklist_rows(scope, day, state)]
        note_export(scope, "worklist", {"as_of": day.isoformat(), "state": state})
    if form == "json":
        plain = [[cell(value, for_spreadsheets=False) if value is not None else None for value in row] for row in rows]
        click.echo(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in plain]))
        return
    for line in csv_lines(COLUMNS, rows):
        click.echo(line, nl=False)
