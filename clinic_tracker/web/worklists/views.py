"""Pages of worklists."""

from flask import Blueprint

blueprint = Blueprint("worklists", __name__)
