"""Commands of the group ``schedule``: the engine by hand; see ``stored_schedule`` for check and rebuild."""

import json

import click

from clinic_tracker.cli.stored_schedule import check, rebuild
from clinic_tracker.cli.support import PlainGroup, fail, read_json_file
from clinic_tracker.domain.answer import Answer, answer
from clinic_tracker.domain.history_json import InvalidHistory, read_day, read_history
from clinic_tracker.queries.protocols import packaged_protocols

group = PlainGroup("schedule", help="Compute, check and rebuild schedules.")
group.add_command(check)
group.add_command(rebuild)


@group.command("forecast", with_appcontext=False)
@click.argument("file", default="")
@click.option("--as-of", "as_of", default="", metavar="YYYY-MM-DD", help="The date the answer is for.")
def forecast_command(file: str, as_of: str) -> None:
    """Print the schedule of the patient histories in FILE (- for standard input) as JSON.

    FILE holds one history, or an array of them; the answer is one, or an array. No database is needed.
    Example: flask schedule forecast chart.json --as-of 2026-01-20
    """
    try:
        day, value = _as_of(as_of), read_json_file(file)
        if isinstance(value, list):
            printed: object = [_answer(item, f"[{place}]", day) for place, item in enumerate(value)]
        elif isinstance(value, dict):
            printed = _answer(value, "", day)
        else:
            raise InvalidHistory("history", "must be an object or an array")  # noqa: TRY301 - refused like the rest
    except InvalidHistory as error:
        fail(str(error))
    click.echo(json.dumps(printed))


def _as_of(text: str) -> int:
    try:
        return read_day(text)
    except InvalidHistory as error:
        raise error.inside("--as-of") from error


def _answer(value: object, path: str, as_of: int) -> Answer:
    try:
        history = read_history(value)
    except InvalidHistory as error:
        raise error.inside(path) from error
    return answer(history, packaged_protocols()[history.protocol], as_of)
