"""The application for a WSGI server and for the ``flask`` command."""

import sys

import click

from clinic_tracker import create_app
from config import Config, ConfigError

context = click.get_current_context(silent=True)
try:
    config = Config.from_environ(serving=context is None or context.info_name == "run")
except ConfigError as error:
    print(f"Clinic Tracker cannot start. {error}", file=sys.stderr)  # noqa: T201 - there is no log yet
    sys.exit(2)
app = create_app(config)
