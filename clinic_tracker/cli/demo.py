"""``flask demo``: synthetic clinics to try the tracker with."""

from datetime import datetime

import click

from clinic_tracker.cli.support import PlainGroup, fail, plain_errors, system_scope
from clinic_tracker.services.demo.load import ACTOR, is_empty, load_demo
from clinic_tracker.services.demo.people import LAKESIDE, NORTHSIDE, PASSWORD

group = PlainGroup("demo", help="Synthetic clinics for demonstration and training.")


@group.command("load")
@click.option(
    "--patients", type=int, default=60, show_default=True, help="How many patients, in both clinics together."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another number makes other patients.")
@click.option("--as-of", "as_of", default=None, metavar="YYYY-MM-DD", help="The day of the demonstration; today.")
@click.option("--if-empty", is_flag=True, help="Do nothing where there is a clinic already.")
def load(patients: int, seed: int, as_of: str | None, *, if_empty: bool) -> None:
    """Load two synthetic clinics, with one person for each role. Never into a database with real patients.

    Example: flask demo load --patients 200 --seed 7
    """
    day = None
    if as_of is not None:
        try:
            day = datetime.strptime(as_of, "%Y-%m-%d").date()  # noqa: DTZ007 - a date, no instant
        except ValueError:
            fail(f"--as-of: {as_of!r} is not a date such as 2026-03-31.")
    with plain_errors():
        scope = system_scope(ACTOR)
        if if_empty and not is_empty(scope):
            return
        loaded = load_demo(scope, patients=patients, seed=seed, as_of=day)
    for clinic in loaded:
        click.echo(f"{clinic.slug}: {clinic.name}, {clinic.patients} patients")
    people = ", ".join(person.email for plan in (NORTHSIDE, LAKESIDE) for person in plan.people)
    click.echo(f"Sign in as {people} with the password {PASSWORD}")
