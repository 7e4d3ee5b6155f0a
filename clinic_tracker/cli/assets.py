"""Commands of the group ``assets``."""

from flask.cli import AppGroup

group = AppGroup("assets", help="")
