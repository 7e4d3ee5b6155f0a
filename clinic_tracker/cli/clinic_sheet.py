"""``flask clinic-sheet``: the first load of a clinic from its spreadsheet."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from clinic_tracker.cli.support import BAD_INPUT, PlainGroup, clinic_scope, fail, plain_errors
from clinic_tracker.domain.clinic_sheet import CellProblem
from clinic_tracker.exports.clinic_sheet import clinic_sheet
from clinic_tracker.integrations.clinic_sheet import SheetReport, import_sheet
from clinic_tracker.integrations.tables import TableError

ACTOR = "clinic sheet import"
group = PlainGroup("clinic-sheet", help="Load a clinic from its spreadsheet.")


@group.command("template")
@click.argument("file")
def template(file: str) -> None:
    """Write the empty spreadsheet to FILE.

    Example: flask clinic-sheet template clinic.xlsx
    """
    try:
        Path(file).write_bytes(clinic_sheet())
    except OSError as error:
        fail(f"FILE: cannot be written: {error.strerror}")


@group.command("import")
@click.argument("file")
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and record nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def import_file(file: str, slug: str, form: str, *, dry_run: bool) -> None:
    """Import FILE, the filled-in spreadsheet.

    Each patient is loaded whole or not at all; what is wrong is listed by sheet, line and column, and the exit status
    is 2. A second run of the same file changes nothing.

    Example: flask clinic-sheet import clinic.xlsx --clinic northside --dry-run
    """
    try:
        raw = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        fail(f"FILE: cannot be read: {getattr(error, 'strerror', None) or 'not a file name'}")
    with plain_errors():
        try:
            report = import_sheet(clinic_scope(slug, ACTOR), raw, dry_run=dry_run)
        except TableError as error:
            fail(f"FILE: {error}")
    _print(report, form)
    if report.problems:
        click.echo(f"{len(report.problems)} cells or rows are wrong", err=True)
        sys.exit(BAD_INPUT)


def _print(report: SheetReport, form: str) -> None:
    if form == "json":
        patients = [asdict(patient) for patient in report.patients]
        rows = {"patients": patients, "orphans": [list(problem) for problem in report.orphans]}
        click.echo(json.dumps({"dry_run": report.dry_run, **report.counts, **rows}))
        return
    for problem in report.problems:
        click.echo(f"refused: {_where(problem)}: {problem.message}")
    counted = ", ".join(f"{number} {outcome}" for outcome, number in report.counts.items())
    click.echo(f"{counted}{' (dry run: nothing was recorded)' if report.dry_run else ''}")


def _where(problem: CellProblem) -> str:
    column = f", column {problem.column}" if problem.column else ""
    return f"sheet {problem.sheet}, line {problem.line}{column}"
