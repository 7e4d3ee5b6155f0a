"""The application for a WSGI server and for the ``flask`` command."""

import gc
import sys

import click

from clinic_tracker import create_app
from config import Config, ConfigError

command = click.get_current_context(silent=True)
try:
    config = Config.from_environ(serving=command is None or command.info_name == "run")
except ConfigError as error:
    print(f"Clinic Tracker cannot start. {error}", file=sys.stderr)  # noqa: T201 - there is no log yet
    sys.exit(2 if command else 4)  # 4 tells gunicorn not to try again
app = create_app(config)
gc.freeze()  # what was made at the start stays: the collector need not look through it again and again
