"""What a rule says when it refuses."""


class RuleViolation(Exception):
    """A clinical or administrative rule refused the input.

    ``code`` is stable for programs, ``field`` names the form field (or ``None`` for the whole form), ``message`` is
    one sentence for people.
    """

    def __init__(self, code: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message


class NotFound(Exception):
    """The thing asked for does not exist in this clinic, or belongs to another one."""


class StaleVersion(Exception):
    """Somebody else changed the row after it was read. ``changed_by`` and ``changed_at`` say who and when."""

    def __init__(self, changed_by: str, changed_at: str) -> None:
        super().__init__(f"Changed by {changed_by} at {changed_at}")
        self.changed_by = changed_by
        self.changed_at = changed_at
