"""A look up from a long reading: whoever makes a file is asked now and then whether to go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from clinic_tracker.queries.scope import Scope

_LOOK: ContextVar[Callable[[], None] | None] = ContextVar("look", default=None)


@contextmanager
def watched(_scope: Scope, look: Callable[[], None]) -> Iterator[None]:
    """Inside the block a long reading calls ``look`` now and then; what that raises ends the reading."""
    token = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(token)


def look_up(_scope: Scope) -> None:
    """Called by a long reading between two patients."""
    look = _LOOK.get()
    if look is not None:
        look()
