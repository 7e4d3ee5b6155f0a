"""One board for many screens: while people record, it is made anew at most every few seconds in each process."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Any

from flask import current_app

SECONDS = 2.0


def shared(key: Hashable, make: Callable[[], Any]) -> Any:
    """What was made for the key in the last moment, or what is made now; the others wait for the one who makes it.

    Tests see each change at once, unless they set ``SUITE_SHARED_SECONDS``.
    """
    seconds = current_app.config.get("SUITE_SHARED_SECONDS", 0.0 if current_app.testing else SECONDS)
    if not seconds:
        return make()
    lock, boards = current_app.extensions.setdefault("suite_boards", (Lock(), {}))
    with lock:
        found = boards.get(key)
        if found is None or monotonic() - found[0] >= seconds:
            found = boards[key] = (monotonic(), make())
        return found[1]
