"""The blueprint of the result pages."""

from flask import Blueprint

blueprint = Blueprint("labs", __name__)
