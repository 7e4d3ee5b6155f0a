"""``flask results``: take results of laboratories from files and folders, and go on with what was interrupted."""

import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from clinic_tracker.cli.support import BAD_INPUT, PlainGroup, clinic_scope, fail, plain_errors, system_scope
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.inbox import Received, go_on, receive, rehearsed
from clinic_tracker.queries.clinics import all_clinics
from clinic_tracker.queries.inbound import MessageRow, Origin, find_source, message
from clinic_tracker.queries.inbound_uploads import ready
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_sources import add_source

ACTOR = "results import"
PAUSE = 2.0
KINDS = [kind.value for kind in InboundKind]
group = PlainGroup("results", help="Take results of laboratories from files and folders.")


@group.command("import")
@click.argument("file")
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
@click.option("--channel", required=True, help="Name of the source; one that is new is added.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and record nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def import_file(file: str, slug: str, channel: str, form: str, *, dry_run: bool) -> None:
    """Import FILE ("-" is standard input): HL7 v2, FHIR in JSON, CSV or XLSX.

    What cannot be read is listed with the reason, and the exit status is 2; the rest is recorded. The same file again
    records nothing twice, and goes on where it was interrupted.

    Example: flask results import results.hl7 --clinic northside --channel "City Lab" --dry-run
    """
    with plain_errors():
        scope = clinic_scope(slug, f"{ACTOR}: {channel}")
        raw = _bytes_of(file)
        name = None if file == "-" else Path(file).name
        if dry_run:
            known = _known(scope, channel)
            received = rehearsed(scope, known.public_id if known else _kind_of(raw), raw, name)
        else:
            received = receive(scope, _channel(scope, channel, raw), raw, name)
    _print(received, form, dry_run=dry_run)
    _exit_if_refused(received)


@group.command("replay")
@click.option("--clinic", "slug", help="Slug of a clinic; without it, every clinic.")
@click.option("--message", "public_id", type=click.UUID, help="Only this message.")
def replay(slug: str | None, public_id: uuid.UUID | None) -> None:
    """Go on with messages that were kept and not finished; nothing is recorded twice.

    Example: flask results replay --clinic northside
    """
    with plain_errors():
        total: Counter[str] = Counter()
        for scope in [clinic_scope(one, ACTOR) for one in ([slug] if slug else _every_clinic())]:
            for row in _to_replay(scope, public_id, only=slug is not None):
                done = go_on(scope, row)
                total.update(done.counts)
                click.echo(f"{row.public_id}: {_counted(done.counts)}")
    click.echo(f"replayed: {_counted(total)}")


@group.command("watch")
@click.argument("folder")
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
@click.option("--channel", required=True, help="Name of the source; one that is new is added.")
@click.option("--once", is_flag=True, help="Take what is there and stop.")
def watch(folder: str, slug: str, channel: str, *, once: bool) -> None:
    """Take every file that is put into FOLDER; finished ones go to done/, unreadable ones to refused/ with the reason.

    Files whose name begins with a dot or ends in .tmp or .part are still being written and left alone.
    """
    place = Path(folder)
    if not place.is_dir():
        fail(f"FOLDER: {folder} is not a folder.")
    while True:
        with plain_errors():
            taken = sum(_take(path, slug, channel) for path in _ready(place))
        if taken or once:
            click.echo(f"{taken} files taken")
        if once:
            return
        time.sleep(PAUSE)


def _take(path: Path, slug: str, channel: str) -> int:
    """One file of a watched folder: taken, then moved away."""
    scope = clinic_scope(slug, f"{ACTOR}: {channel}")
    raw = path.read_bytes()
    try:
        received = receive(scope, _channel(scope, channel, raw), raw, path.name)
    except RuleViolation as violation:
        _move(path, "refused", violation.message)
        return 0
    if received.refused:
        _move(path, "refused", "\n".join(_reasons(received)))
        return 0
    _move(path, "done", "\n".join(_reasons(received)))
    return 1


def _ready(place: Path) -> list[Path]:
    files = (path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in files if path.suffix not in {".tmp", ".part", ".reason"})


def _move(path: Path, where: str, reason: str) -> None:
    """Put a file away in one step, under a name that is free; beside it what was wrong with it."""
    folder = path.parent / where
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    number = 1
    while target.exists():
        target = folder / f"{path.stem}-{number}{path.suffix}"
        number += 1
    if reason:
        note = target.with_name(f"{target.name}.reason")
        half = note.with_name(f".{note.name}.tmp")
        half.write_text(reason + "\n", encoding="utf-8")
        half.replace(note)
    path.rename(target)


def _bytes_of(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        fail(f"FILE: cannot be read: {getattr(error, 'strerror', None) or 'not a file name'}")


def _known(scope: Scope, name: str) -> Origin | None:
    return find_source(scope, " ".join(name.split()))


def _channel(scope: Scope, name: str, raw: bytes) -> uuid.UUID:
    """The source of that name, added for the format of the file if there is none yet."""
    known = _known(scope, name)
    return known.public_id if known is not None else add_source(scope, name, _kind_of(raw))


def _every_clinic() -> list[str]:
    return [clinic.slug for clinic in all_clinics(system_scope(ACTOR))]


def _kind_of(raw: bytes) -> InboundKind:
    """The format of a file by how it begins."""
    begin = raw.lstrip(b"\xef\xbb\xbf \t\r\n\x0b")[:4]
    if begin[:3] in (b"MSH", b"FHS", b"BHS"):
        return InboundKind.HL7
    if begin[:1] in (b"{", b"["):
        return InboundKind.FHIR
    return InboundKind.TABLE


def _to_replay(scope: Scope, public_id: uuid.UUID | None, *, only: bool) -> Iterator[MessageRow]:
    if public_id is None:
        yield from ready(scope)
    elif only or any(row.public_id == public_id for row in ready(scope)):
        yield message(scope, public_id)


def _print(received: Received, form: str, *, dry_run: bool) -> None:
    if form == "json":
        report = {
            "dry_run": dry_run,
            "known": received.known,
            "counts": dict(received.counts),
            "messages": [_as_json(outcome) for outcome in received.outcomes],
        }
        click.echo(json.dumps(report))
        return
    for line in _reasons(received):
        click.echo(line)
    known = " (received before)" if received.known else ""
    click.echo(f"{_counted(received.counts)}{known}{' (dry run: nothing was recorded)' if dry_run else ''}")


def _as_json(outcome: Any) -> dict[str, Any]:
    problems = [{"where": one.where, "message": one.message} for one in outcome.problems]
    return {"position": outcome.position, "taken": outcome.taken, "problems": problems}


def _reasons(received: Received) -> list[str]:
    return [
        f"{'note' if outcome.taken else 'refused'}: message {outcome.position + 1}: "
        + (f"{problem.where}: " if problem.where else "")
        + problem.message
        for outcome in received.outcomes
        for problem in outcome.problems
    ]


def _counted(counts: Any) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(counts.items()) if number) or "nothing"


def _exit_if_refused(received: Received) -> None:
    refused = [outcome for outcome in received.outcomes if not outcome.taken]
    if refused or not received.outcomes:
        click.echo(f"{len(refused)} of {len(received.outcomes)} messages were refused", err=True)
        sys.exit(BAD_INPUT)
