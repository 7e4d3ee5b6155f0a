"""Commands of the group ``worklist``."""

from flask.cli import AppGroup

group = AppGroup("worklist", help="")
