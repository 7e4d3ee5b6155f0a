"""Pages of infusions."""

from flask import Blueprint

blueprint = Blueprint("infusions", __name__)
