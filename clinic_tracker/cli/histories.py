"""``flask histories``: take over what happened before the tracker, and give it back in the same form."""

import json
import sys
from typing import Any

import click

from clinic_tracker.cli.support import BAD_INPUT, PlainGroup, clinic_scope, fail, plain_errors, read_json_file
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.history_json import InvalidHistory
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.domain.json_values import printable
from clinic_tracker.queries.history_export import exported_histories
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.exporting import note_export
from clinic_tracker.services.histories import import_history

ACTOR = "history import"
EXPORT_ACTOR = "history export"
group = PlainGroup("histories", help="Import and export patient histories.")


@group.command("import")
@click.argument("file")
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and record nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def import_file(file: str, slug: str, form: str, *, dry_run: bool) -> None:
    """Import FILE, a JSON array of histories with identities ("-" is standard input).

    Each patient is loaded whole or not at all; those refused are listed with the reason, and the exit status is 2. A
    second run of the same file changes nothing.

    Example: flask histories import patients.json --clinic northside --dry-run
    """
    with plain_errors():
        scope = clinic_scope(slug, ACTOR)
        values = _array(file)
        report = [_import_one(scope, value, position, dry_run=dry_run) for position, value in enumerate(values)]
    _print(report, form, dry_run=dry_run)
    refused = [entry for entry in report if entry["outcome"] == "refused"]
    if refused:
        first = refused[0]
        more = f" ({len(refused)} of {len(report)} patients were refused)" if len(refused) > 1 else ""
        click.echo(" ".join(f"{first['reason']}{more}".split()), err=True)
        sys.exit(BAD_INPUT)


@group.command("export")
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
def export(slug: str) -> None:
    """Write every patient of the clinic as JSON, in the form that import reads.

    Example: flask histories export --clinic northside > patients.json
    """
    with plain_errors():
        scope = clinic_scope(slug, EXPORT_ACTOR)
        histories = exported_histories(scope)
        note_export(scope, "histories", {"patients": len(histories)})
    click.echo(json.dumps(histories))


def _array(file: str) -> list[Any]:
    """The elements of the file; exit 2 before anything is loaded if it is not a JSON array of objects."""
    try:
        value = read_json_file(file)
    except InvalidHistory as error:
        fail(str(error))
    if not isinstance(value, list):
        fail("FILE: must be a JSON array of histories")
    for position, element in enumerate(value):
        if not isinstance(element, dict):
            fail(f"[{position}]: must be an object")
    return value


def _import_one(scope: Scope, value: Any, position: int, *, dry_run: bool) -> dict[str, Any]:
    path = f"[{position}]"
    identity = value.get("identity")
    stated = identity.get("mrn") if isinstance(identity, dict) else None
    mrn = printable(stated) if isinstance(stated, str) else None
    entry: dict[str, Any] = {"position": position, "mrn": mrn, "outcome": "refused", "facts": 0, "reason": None}
    try:
        done = import_history(scope, read_imported(value), dry_run=dry_run)
    except InvalidHistory as error:
        entry["reason"] = str(error.inside(path))
    except RuleViolation as violation:
        entry["reason"] = str(InvalidHistory(violation.field or "", violation.message).inside(path))
    else:
        entry.update(mrn=done.mrn, outcome=done.outcome, facts=done.facts)
    return entry


def _print(report: list[dict[str, Any]], form: str, *, dry_run: bool) -> None:
    counts = {
        outcome: sum(entry["outcome"] == outcome for entry in report)
        for outcome in ("loaded", "updated", "unchanged", "refused")
    }
    if form == "json":
        click.echo(json.dumps({"dry_run": dry_run, **counts, "patients": report}))
        return
    for entry in report:
        if entry["outcome"] != "unchanged":
            what = entry["reason"] or f"{entry['facts']} facts"
            click.echo(f"{entry['outcome']}: {entry['mrn'] or '(no MRN)'}: {what}")
    summary = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    click.echo(f"{summary}{' (dry run: nothing was recorded)' if dry_run else ''}")
