"""Pages of rems."""

from flask import Blueprint

blueprint = Blueprint("rems", __name__)
