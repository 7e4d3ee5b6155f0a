"""The ETag of a board: says what the screen has seen, so that asking again costs next to nothing.

``version.until.content.people``: the clinic's version, the moment from which the board differs although nobody did
anything, a digest of what was shown, and a keyed digest of whom it showed to this session.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import current_app
from flask_login import current_user
from werkzeug.datastructures import ETags

from clinic_tracker.queries.scope import Scope

LONGEST = timedelta(hours=1)  # the version changes with the hour


class Seen(NamedTuple):
    """What a screen has."""

    version: str
    until: int
    content: str
    people: str

    def __str__(self) -> str:
        return ".".join(map(str, self))


def seen(version: str, scope: Scope, changes_at: datetime | None, content: str, patient_ids: list[int]) -> Seen:
    """The tag of a board made now."""
    until = changes_at or scope.now + LONGEST
    # The whole second before: a screen that asks in the second of the change must not be told that nothing changed.
    return Seen(version, int(until.timestamp()), content, _people(scope, patient_ids))


def sent_tag(etags: ETags) -> Seen | None:
    """The tag that the screen sent, or None."""
    for tag in etags.as_set(include_weak=True):
        version, _, rest = tag.partition(".")
        parts = rest.split(".")
        if len(parts) == 3 and parts[0].isdecimal():  # noqa: PLR2004 - the other three
            return Seen(version, int(parts[0]), parts[1], parts[2])
    return None


def screen_version(version: str, layout: str, role: str) -> str:
    """The version of what a screen shows: the clinic's, in a layout, to a role."""
    return f"{version}-{layout}-{role}"


def is_current(tag: Seen | None, version: str, now: datetime) -> bool:
    """Whether nothing was recorded and no moment has passed since."""
    return tag is not None and tag.version == version and now.timestamp() < tag.until


def _people(scope: Scope, patient_ids: list[int]) -> str:
    """Whom a session was shown on a day. Keyed, so that nobody can claim to have been logged already."""
    words = f"{current_user.get_id()}|{scope.today}|{patient_ids}"
    return hmac.new(str(current_app.secret_key).encode(), words.encode(), hashlib.sha256).hexdigest()[:24]
