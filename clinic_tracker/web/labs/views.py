"""Pages of labs."""

from flask import Blueprint

blueprint = Blueprint("labs", __name__)
