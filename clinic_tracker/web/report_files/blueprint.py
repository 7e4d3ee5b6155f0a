"""Files of reports: asked for, made, taken out, verified; and reports that come by themselves."""

from flask import Blueprint

blueprint = Blueprint("report_files", __name__, url_prefix="/reports")
