"""The blueprint of the worklists."""

from flask import Blueprint

blueprint = Blueprint("worklists", __name__)
