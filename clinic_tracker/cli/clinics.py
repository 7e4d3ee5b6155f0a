"""``flask clinics``: add and list the clinics of an installation."""

import json
from dataclasses import asdict

import click

from clinic_tracker.cli.support import PlainGroup, plain_errors, system_scope
from clinic_tracker.queries.clinics import all_clinics
from clinic_tracker.services.clinics import create_clinic

ACTOR = "command line"
group = PlainGroup("clinics", help="Add and list clinics.")


@group.command("create")
@click.option("--slug", required=True, help="Short name for commands, such as northside.")
@click.option("--name", required=True, help="Full name, as people know it.")
@click.option("--time-zone", required=True, help="IANA name; it decides which day it is in the clinic.")
@click.option("--protocol", required=True, help="lemtrada-us or lemtrada-eu.")
def create(slug: str, name: str, time_zone: str, protocol: str) -> None:
    """Add a clinic.

    Example: flask clinics create --slug northside --name "Northside MS Center" --time-zone America/New_York
    --protocol lemtrada-us
    """
    with plain_errors():
        create_clinic(system_scope(ACTOR), slug=slug, name=name, time_zone=time_zone, protocol_id=protocol)
    click.echo(f"Added {slug}. Next: flask users create --clinic {slug} --role administrator --email … --name …")


@group.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_clinics(form: str) -> None:
    """List the clinics.

    Example: flask clinics list --format json
    """
    with plain_errors():
        clinics = all_clinics(system_scope(ACTOR))
    if form == "json":
        click.echo(json.dumps([asdict(clinic) for clinic in clinics]))
        return
    for clinic in clinics:
        demo = "  (demonstration)" if clinic.is_demo else ""
        click.echo(
            f"{clinic.slug}  {clinic.name}  {clinic.time_zone}  {clinic.protocol_id}  {clinic.patients} patients{demo}"
        )
    if not clinics:
        click.echo("No clinic yet. See: flask clinics create --help", err=True)
