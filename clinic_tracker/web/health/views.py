"""Is the process up, and is the database there?"""

from flask import Blueprint
from flask.typing import ResponseReturnValue

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer 200 while the process serves; says nothing of the clinic."""
    return {"status": "ok"}
