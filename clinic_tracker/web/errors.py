"""Error pages: what failed, that nothing was lost, and what to do."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.permissions import DESCRIPTIONS, ROLE_TITLES, roles_with
from clinic_tracker.queries.scope import PermissionDenied


@dataclass(frozen=True)
class Explanation:
    """The words of an error page."""

    title: str
    text: str


EXPLANATIONS = {
    400: Explanation("That request could not be understood", "Nothing was changed. Go back and try again."),
    401: Explanation("Sign in first", "Your session has ended. Nothing that was saved is lost."),
    403: Explanation("You may not open this page", "Ask an administrator of your clinic for access."),
    404: Explanation("Page not found", "It may have moved, or it belongs to another clinic. Nothing was changed."),
    405: Explanation("That is not possible here", "Nothing was changed. Go back and try again."),
    409: Explanation("Somebody else changed this meanwhile", "Your change was not saved, so that theirs is not lost."),
    413: Explanation("That file is too large", "Nothing was stored. Send a smaller file."),
    429: Explanation("Too many attempts", "Wait a few minutes, then try again."),
    500: Explanation("Something went wrong on our side", "Nothing of your last action was saved. Try it again."),
}


def init_app(app: Flask) -> None:
    """Answer every failure with a page that says what to do."""
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(CSRFError, answer_expired_form)
    app.register_error_handler(NotFound, answer_not_found)
    app.register_error_handler(PermissionDenied, answer_denied)
    app.register_error_handler(RuleViolation, answer_refused)
    app.register_error_handler(StaleVersion, answer_stale)


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    """The page of a status; redirects and other answers pass through."""
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if error.response is not None or code < HTTPStatus.BAD_REQUEST:
        return error
    return _page(code, headers=dict(error.get_headers()) if code == HTTPStatus.METHOD_NOT_ALLOWED else None)


def answer_expired_form(error: CSRFError) -> ResponseReturnValue:
    """A form without a valid token: usually one left open past a sign-out."""
    words = Explanation("This form has expired", "Nothing was saved. Go back, reload the page and send it again.")
    return _page(error.code or HTTPStatus.BAD_REQUEST, words)


def answer_not_found(_error: NotFound) -> ResponseReturnValue:
    """Not there, or another clinic's: the answer is the same, so that existence does not leak."""
    return _page(HTTPStatus.NOT_FOUND)


def answer_denied(error: PermissionDenied) -> ResponseReturnValue:
    """Says which permission is missing and whose role has it."""
    holders = " or ".join(ROLE_TITLES[role] for role in roles_with(error.permission))
    words = Explanation(
        "You may not do this",
        f"It needs the permission “{DESCRIPTIONS[error.permission]}”, which these roles have: {holders}. "
        "An administrator of your clinic can change your role.",
    )
    return _page(HTTPStatus.FORBIDDEN, words)


def answer_refused(error: RuleViolation) -> ResponseReturnValue:
    """A rule refused something that no form could show."""
    return _page(HTTPStatus.BAD_REQUEST, Explanation("That was refused", error.message))


def answer_stale(error: StaleVersion) -> ResponseReturnValue:
    """Two people edited the same thing: the second one sees who was first."""
    default = EXPLANATIONS[409]
    text = f"Changed by {error.changed_by} at {error.changed_at}. {default.text} Go back, reload and enter it again."
    return _page(HTTPStatus.CONFLICT, Explanation(default.title, text))


def _page(code: int, words: Explanation | None = None, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    known = words or EXPLANATIONS.get(code) or EXPLANATIONS[500 if code >= HTTPStatus.INTERNAL_SERVER_ERROR else 400]
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        return jsonify(error={"status": code, "title": known.title, "detail": known.text}), code, headers or {}
    scope = g.get("scope") or g.get("visitor")
    page = render_template("errors/error.html", code=code, words=known, reference=getattr(scope, "request_id", None))
    return page, code, headers or {}
