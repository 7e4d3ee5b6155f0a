"""Commands of the group ``clinics``."""

from flask.cli import AppGroup

group = AppGroup("clinics", help="")
