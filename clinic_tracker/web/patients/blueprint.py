"""The blueprint of patients' pages. View modules attach their routes to it; ``views`` imports them all."""

from flask import Blueprint

blueprint = Blueprint("patients", __name__)
