"""``flask report``: any report as a file, by the same code as its page."""

import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from clinic_tracker.cli.support import PlainCommand, PlainGroup, clinic_scope, fail, plain_errors
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.reporting.definition import Definition, Takes
from clinic_tracker.domain.reporting.describing import describe
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import COMMON, Identity, Parameters, read_parameters
from clinic_tracker.exports.reports.files import make_file
from clinic_tracker.exports.reports.writing import Made
from clinic_tracker.queries.reports.registry import SOURCES
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.reporting import note_file

ACTOR = "report command"
TEXT_FORMATS = frozenset({ReportFormat.CSV, ReportFormat.JSON})  # what a screen or a pipe can take
HELP = {
    "from": "First day of the period.",
    "to": "Last day of the period, included.",
    "as_of": "The day that is asked about; today by default.",
    "known_at": "Only what was on record by this instant or the end of this day.",
    "compared_with": "The instant, or end of a day, to compare with; the end of the day asked about by default.",
    "requirement": "Code of one requirement.",
    "prescriber": "Public id of one prescriber.",
    "patient": "Public id of one patient.",
    "person": "Public id of one person of the clinic.",
}
group = PlainGroup("report", help="Make a report as a file. List the reports: flask report list.")


@group.command("list")
def list_reports() -> None:
    """List the reports with the question that each answers."""
    width = max(len(source.definition.name) for source in SOURCES)
    for source in sorted(SOURCES, key=lambda one: one.definition.name):
        click.echo(f"{source.definition.name:{width}}  {source.definition.question}")


@group.command("describe")
def describe_reports() -> None:
    """Write docs/reports.md: every report with its parameters, columns and the definition of every figure."""
    click.echo(describe([source.definition for source in SOURCES]), nl=False)


def _command(definition: Definition) -> click.Command:
    """The command of one report, with the options that it takes."""

    def run(slug: str, form: str | None, output: str, settings: tuple[str, ...], **given: Any) -> None:
        _run(definition, slug, form, output, {**_settings(definition, settings), **given})

    formats = [form.value for form in definition.formats]
    options = [
        click.Option(["--clinic", "slug"], required=True, help="Slug of the clinic."),
        *(click.Option([f"--{_dashed(name)}", name], metavar="TEXT", help=HELP[name]) for name in _taken(definition)),
        click.Option(["--identity"], metavar="|".join(Identity), help="Whether to leave out who the patients are."),
        click.Option(
            ["--set", "settings"], multiple=True, metavar="NAME=VALUE", help=f"A choice: {_choices(definition)}."
        ),
        click.Option(["--format", "form"], metavar="|".join(formats), help=f"{formats[0]} by default."),
        click.Option(["--output"], default="-", metavar="FILE", help="The file to write; standard output by default."),
    ]
    return PlainCommand(definition.name, params=list(options), callback=with_appcontext(run), help=definition.question)


def _run(definition: Definition, slug: str, form: str | None, output: str, given: dict[str, str | None]) -> None:
    """Make the file, note it, and put it where it belongs: all or nothing."""
    with plain_errors():
        scope = clinic_scope(slug, ACTOR)
        kind = _format(definition, form, output)
        with _options_named(definition):
            values = {name: value for name, value in given.items() if value is not None}
            _refuse_empty(values)
            parameters = read_parameters(definition, values, scope.now, scope.time_zone)
            _make(scope, definition.name, parameters, kind, output)


def _make(scope: Scope, name: str, parameters: Parameters, form: ReportFormat, output: str) -> None:
    target = None if output == "-" else _target(output)
    folder = Path(tempfile.mkdtemp(prefix="report-")) if target is None else target.parent
    path = folder / f".{name}.{secrets.token_hex(6)}.part"
    try:
        written = make_file(scope, name, parameters, form, Made(scope.actor_name, scope.today), path)
        note_file(scope, name, parameters, form.value, written.checksum, written.patients)
        if target is None:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.flush()
        else:
            path.replace(target)
    except OSError as error:
        fail(f"--output: {error.strerror or error}.")
    finally:
        path.unlink(missing_ok=True)
        if target is None:
            folder.rmdir()
    click.echo(f"{written.lines} lines, checksum {written.checksum}", err=True)


def _target(output: str) -> Path:
    target = Path(output)
    if target.is_dir():
        fail(f"--output: {output} is a folder.")
    if not target.parent.is_dir():
        fail(f"--output: there is no folder {target.parent}.")
    return target


def _format(definition: Definition, given: str | None, output: str) -> ReportFormat:
    names = [form.value for form in definition.formats]
    if given is not None and given not in names:
        fail(f"--format: {given!r} is not one of {', '.join(names)}.")
    form = ReportFormat(given) if given is not None else definition.formats[0]
    if output == "-" and form not in TEXT_FORMATS:
        fail(f"--output: a file of the format {form.value} needs a name.")
    return form


def _settings(definition: Definition, settings: tuple[str, ...]) -> dict[str, str]:
    """The choices of ``--set name=value``."""
    known = {choice.name for choice in definition.choices}
    read = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or name not in known:
            fail(f"--set: {setting!r} is not NAME=VALUE with one of these names: {', '.join(sorted(known)) or 'none'}.")
        read[name] = value
    return read


@contextmanager
def _options_named(definition: Definition) -> Iterator[None]:
    """Name the option, as it was typed, whose value was refused."""
    try:
        yield
    except RuleViolation as violation:
        name = violation.field or ""
        of_set = name in {choice.name for choice in definition.choices}
        fail(f"{f'--set {name}' if of_set else f'--{_dashed(name)}' if name else 'report'}: {violation.message}")


def _refuse_empty(values: dict[str, str]) -> None:
    for name, value in values.items():
        if not value.strip():
            raise RuleViolation("missing", name, "needs a value.")


def _taken(definition: Definition) -> list[str]:
    names = {"as_of"}
    for takes in definition.takes:
        names |= {"from", "to"} if takes is Takes.PERIOD else {takes.value}
    return [name for name in COMMON if name in names]


def _choices(definition: Definition) -> str:
    return "; ".join(f"{choice.name}={'|'.join(choice.options)}" for choice in definition.choices) or "none"


def _dashed(name: str) -> str:
    return name.replace("_", "-")


for _source in SOURCES:
    group.add_command(_command(_source.definition))
