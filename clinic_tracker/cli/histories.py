"""Commands of the group ``histories``."""

from flask.cli import AppGroup

group = AppGroup("histories", help="")
