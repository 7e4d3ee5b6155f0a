"""``flask users``: give people a role in a clinic."""

import sys

import click

from clinic_tracker.cli.support import PlainGroup, clinic_scope, fail, plain_errors, system_scope
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.services.people import invite, reset_password_anywhere

ACTOR = "command line"
group = PlainGroup("users", help="Give people a role in a clinic.")


@group.command("create")
@click.option("--email", required=True, help="The address to sign in with.")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(email: str, name: str, slug: str, role: str, *, password_stdin: bool) -> None:
    """Give a person a role; print a one-time password for a new account unless a password is given.

    Example: flask users create --email ana@clinic.example --name "Ana Lee" --clinic northside --role staff
    """
    password = None
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            fail("--password-stdin: nothing came on standard input.")
    with plain_errors():
        scope = clinic_scope(slug, ACTOR)
        invited = invite(scope, email=email, name=name, role=Role(role), password=password)
    if invited.one_time_password is not None:
        click.echo(invited.one_time_password)
    click.echo(f"{email} has the role {role} in {slug}.", err=True)


@group.command("password")
@click.option("--email", required=True, help="The address that the person signs in with.")
def password_command(email: str) -> None:
    """Print a new one-time password; it unlocks the account and ends every session of the person.

    For somebody who works in several clinics, whose password no administrator may reset, and for the first one of a
    clinic. Example: flask users password --email ana@clinic.example
    """
    with plain_errors():
        click.echo(reset_password_anywhere(system_scope(ACTOR), email))
