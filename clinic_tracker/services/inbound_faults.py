"""What goes wrong with a message, told to the log by its place in the code, never by words that may name a patient."""

import logging
import traceback
from pathlib import Path

from sqlalchemy.exc import OperationalError

from clinic_tracker.queries.scope import Scope

_PACKAGE = Path(__file__).resolve().parents[1]
_MOST_PLACES = 6
_TOO_LARGE = "54"  # the class of PostgreSQL's errors about a value or statement that is too large
_log = logging.getLogger(__name__)


def is_of_the_database(_scope: Scope, error: Exception) -> bool:
    """Whether the database and not a message is at fault: it is locked, full or away. The file is left for later."""
    if not isinstance(error, OperationalError):
        return False
    return not (getattr(error.orig, "sqlstate", None) or "").startswith(_TOO_LARGE)


def note_fault(scope: Scope, error: Exception, what: str) -> None:
    """Log that something could not be taken: the kind of error and where it arose, and nothing that it says."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in inside[-_MOST_PLACES:]]
    words = "Refused %s in request %s: %s at %s"
    _log.error(words, what, scope.request_id, type(error).__name__, " > ".join(places))
