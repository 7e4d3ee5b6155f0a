"""What the commands share: the scope of a command, and failing with one line and exit status 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.history_json import InvalidHistory, read_json
from clinic_tracker.domain.permissions import ROLE_PERMISSIONS
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.accounts import scope_of_command
from clinic_tracker.queries.scope import Scope

BAD_INPUT = 2


def fail(message: str) -> NoReturn:
    """Say what is wrong in one line on standard error; exit 2."""
    click.echo(" ".join(message.split()), err=True)
    sys.exit(BAD_INPUT)


class PlainCommand(click.Command):
    """A command that answers a wrong option or argument in one line."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the arguments; exit 2 with one line instead of the usage text."""
        try:
            return super().make_context(*args, **extra)
        except click.UsageError as error:
            fail(error.format_message())


class PlainGroup(AppGroup):
    """A group of such commands, which answers a command that is missing or unknown in one line, too."""

    command_class = PlainCommand

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.no_args_is_help = False

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the options of the group; exit 2 with one line instead of the usage text."""
        try:
            return super().make_context(*args, **extra)
        except click.UsageError as error:
            self._refuse(error)

    def invoke(self, ctx: click.Context) -> Any:
        """Find the command and run it; exit 2 with one line if there is none of that name."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            self._refuse(error)

    def _refuse(self, error: click.UsageError) -> NoReturn:
        fail(f"{error.format_message()} The commands of {self.name}: {', '.join(sorted(self.commands))}.")


def read_json_file(file: str) -> object:
    """The JSON in a file, or in standard input for "-"; InvalidHistory if it cannot be read."""
    if not file:
        raise InvalidHistory("FILE", "is required: the name of a file with histories, or - for standard input")
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return read_json(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidHistory("FILE", "is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        raise InvalidHistory(
            "FILE", f"cannot be read: {getattr(error, 'strerror', None) or 'not a file name'}"
        ) from error


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn a refused input and a database that is not there into one line and exit 2."""
    try:
        yield
    except RuleViolation as violation:
        fail(f"{violation.field}: {violation.message}" if violation.field else violation.message)
    except NotFound as error:
        fail(f"There is no such {error}.")
    except (OperationalError, ProgrammingError) as error:
        reason = str(error.orig).splitlines()[0]
        fail(f"The database cannot be used ({reason}). Run: flask db upgrade")


def clinic_scope(slug: str, actor: str) -> Scope:
    """The scope of a command in a clinic; exit 2 if there is no clinic with this slug."""
    scope = scope_of_command(None, slug, actor, current_app.extensions["clock"]())
    if scope is None:
        fail(f"--clinic: there is no clinic with the slug {slug!r}. See: flask clinics list")
    return scope


def system_scope(actor: str) -> Scope:
    """The scope of a command that belongs to no clinic yet."""
    return Scope(
        clinic_id=0,
        clinic_slug="",
        clinic_name="",
        time_zone="UTC",
        protocol_id="",
        role=Role.ADMINISTRATOR,
        actor_name=actor,
        now=current_app.extensions["clock"](),
        system_actor=actor,
        permissions=ROLE_PERMISSIONS[Role.ADMINISTRATOR],
    )
