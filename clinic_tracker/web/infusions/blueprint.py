"""The blueprint of the treatment pages. View modules attach their routes to it; ``views`` imports them all."""

from flask import Blueprint

blueprint = Blueprint("infusions", __name__)
