"""Commands of the group ``demo``."""

from flask.cli import AppGroup

group = AppGroup("demo", help="")
