"""Commands of the group ``users``."""

from flask.cli import AppGroup

group = AppGroup("users", help="")
