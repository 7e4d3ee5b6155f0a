"""``flask schedule check`` and ``rebuild``: what is stored, held against the facts."""

import json
import sys
from dataclasses import asdict
from typing import Any

import click
from flask.cli import with_appcontext

from clinic_tracker.cli.support import PlainCommand, clinic_scope, plain_errors, system_scope
from clinic_tracker.queries.clinics import all_clinics
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import projection
from clinic_tracker.services.schedules import rebuild_schedule

ACTOR = "schedule check"
DRIFT = 1


@click.command("check", cls=PlainCommand)
@click.option("--clinic", "slug", default=None, help="Slug of one clinic; all of them by default.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_appcontext
def check(slug: str | None, form: str) -> None:
    """Compute every schedule from the facts and compare it with what is stored; exit 1 and list the rows that differ.

    Example: flask schedule check --clinic northside
    """
    with plain_errors():
        drift = [(scope.clinic_slug, row) for scope in _scopes(slug) for row in projection.check(scope)]
    if form == "json":
        click.echo(json.dumps([{"clinic": clinic, **asdict(row)} for clinic, row in drift], default=str))
    else:
        for clinic, row in drift:
            click.echo(f"{clinic}: {row.table} {row.key}: {_difference(row)}")
        if not drift:
            click.echo("Every stored schedule agrees with the facts.")
    if drift:
        click.echo(f"{len(drift)} stored rows differ from the facts. Run: flask schedule rebuild", err=True)
        sys.exit(DRIFT)


@click.command("rebuild", cls=PlainCommand)
@click.option("--clinic", "slug", default=None, help="Slug of one clinic; all of them by default.")
@with_appcontext
def rebuild(slug: str | None) -> None:
    """Compute every schedule from the facts and store what differs.

    Example: flask schedule rebuild
    """
    with plain_errors():
        for scope in _scopes(slug):
            click.echo(f"{scope.clinic_slug}: {rebuild_schedule(scope)} rows written.")


def _scopes(slug: str | None) -> list[Scope]:
    """The scope of the named clinic, or of every clinic."""
    slugs = [slug] if slug else [clinic.slug for clinic in all_clinics(system_scope(ACTOR))]
    return [clinic_scope(name, ACTOR) for name in slugs]


def _difference(row: projection.Drift) -> str:
    """What differs, in words: dates and codes, no identity."""
    if row.stored is None:
        return "is missing"
    if row.expected is None:
        return "should not be there"
    stored: dict[str, Any] = row.stored
    changed = {name: (stored.get(name), value) for name, value in row.expected.items() if stored.get(name) != value}
    return ", ".join(f"{name} is {was}, should be {value}" for name, (was, value) in changed.items())
