"""Forms that a script sends and sends again: a script cannot see where an answer redirects to, so it is told."""

from http import HTTPStatus

from flask import Flask, Response, request

HEADER = "X-Kept-Form"


def init_app(app: Flask) -> None:
    """Answer such forms with the address to go on to."""
    app.after_request(tell_where)


def tell_where(response: Response) -> Response:
    """The redirection of a recorded form as an answer that a script can read; everything else as it is."""
    if HEADER in request.headers and response.status_code == HTTPStatus.SEE_OTHER:
        response.headers["X-Go"] = response.headers.pop("Location")
        response.status_code = HTTPStatus.NO_CONTENT
        response.set_data("")
    return response
