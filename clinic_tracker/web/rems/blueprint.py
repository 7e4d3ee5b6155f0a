"""The blueprint of the pages about REMS forms."""

from flask import Blueprint

blueprint = Blueprint("rems", __name__)
