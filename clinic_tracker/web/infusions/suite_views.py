"""The board of the infusion suite: as a list, by chairs, and on the wall."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.readiness import readiness_of_many
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.queries.suite import suite as suite_of
from clinic_tracker.queries.suite_details import suite_details
from clinic_tracker.queries.suite_version import clinic_version
from clinic_tracker.web.access import current_scope, is_background, requires, shown_patients
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.suite_presenters import Board, board, events
from clinic_tracker.web.infusions.suite_shared import shared
from clinic_tracker.web.infusions.suite_tags import Seen, is_current, screen_version, seen, sent_tag

LAYOUTS = {"list": "infusions/suite_list.html", "chairs": "infusions/suite_chairs.html"}
WALL = "infusions/wall_board.html"


@blueprint.get("/infusions")
@requires(Permission.VIEW_PATIENTS)
def suite() -> ResponseReturnValue:
    """Today's board: planned, being infused, in observation, to be signed out, discharged."""
    scope, layout = current_scope(), _layout()
    made = _made(scope, layout)
    shown_patients(made.people)
    return render_template(
        "infusions/suite.html",
        board=made.board,
        events=events(made.board, with_names=True),
        tag=made.tag(scope),
        layout=layout,
        fragment=LAYOUTS[layout],
    )


@blueprint.get("/infusions/board")
@requires(Permission.VIEW_PATIENTS)
def suite_board() -> ResponseReturnValue:
    """The board alone, for a page that keeps itself current. Opened by itself: the page."""
    layout = _layout()
    if not is_background():
        return redirect(url_for(".suite", layout=layout if "layout" in request.args else None))
    scope = current_scope()

    def render(found: Board) -> str:
        return render_template(LAYOUTS[layout], board=found, events=events(found, with_names=True))

    return _refreshed(scope, layout, render)


@blueprint.get("/infusions/wall")
@requires(Permission.VIEW_PATIENTS)
def wall() -> ResponseReturnValue:
    """The board for a screen on the wall: chairs and times, no names, and nothing else that tells who it is."""
    scope = current_scope()
    made = _made(scope, "wall")
    told = events(made.board, with_names=False)
    return render_template("infusions/wall.html", board=made.board, events=told, tag=made.tag(scope), fragment=WALL)


@blueprint.get("/infusions/wall/board")
@requires(Permission.VIEW_PATIENTS)
def wall_board() -> ResponseReturnValue:
    """The chairs alone, for the screen on the wall. Opened by itself: the screen."""
    if not is_background():
        return redirect(url_for(".wall"))

    def render(found: Board) -> str:
        return render_template(WALL, board=found, events=events(found, with_names=False))

    return _refreshed(current_scope(), "wall", render)


def _refreshed(scope: Scope, layout: str, render: Callable[[Board], str]) -> Response:
    """304 while nothing was recorded and no time has run out; 204 where the board is the same all the same."""
    had = sent_tag(request.if_none_match)
    if had is not None and is_current(had, _version(scope, layout), scope.now):
        return _answer(scope, had, make_response("", HTTPStatus.NOT_MODIFIED))

    def make() -> tuple[Made, str]:
        made = _made(scope, layout)
        return made, render(made.board)

    made, text = shared((scope.clinic_id, layout, scope.role), make)
    tag = made.tag(scope)
    if had is not None and (had.content, had.people) == (tag.content, tag.people):
        return _answer(scope, tag, make_response("", HTTPStatus.NO_CONTENT))
    if layout != "wall" and (had is None or had.people != tag.people):
        shown_patients(made.people)  # once for each group of people: a screen left on does not look at them again
    return _answer(scope, tag, make_response(text))


def _answer(scope: Scope, tag: Seen, answer: Response) -> Response:
    """With the tag, and with the clock of the server, which every answer sets anew."""
    answer.set_etag(str(tag))
    answer.headers["X-Now"] = scope.now.isoformat()
    return answer


class Made(NamedTuple):
    """A board, the version of the clinic from before it was read, a digest of it, and whom it shows."""

    board: Board
    version: str
    content: str
    people: list[int]

    def tag(self, scope: Scope) -> Seen:
        """Its tag for the session."""
        return seen(self.version, scope, self.board.changes_at, self.content, self.people)


def _made(scope: Scope, layout: str) -> Made:
    version = _version(scope, layout)  # asked before the board, so that what is recorded in between is not missed
    found = suite_of(scope)
    asked = [(row.course_id, scope.today) for row in found.planned]
    known = readiness_of_many(scope, asked) if asked else {}
    ready = {course: readiness.summary for (course, _on), readiness in known.items()}
    made = board(scope, found, suite_details(scope, found), protocol_in_force(scope), ready)
    shown = (layout, scope.role, made.here, made.planned, made.discharged, made.chairs)
    content = hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
    return Made(made, version, content, found.patient_ids)


def _version(scope: Scope, layout: str) -> str:
    return screen_version(clinic_version(scope), layout, scope.role.value)


def _layout() -> str:
    asked = request.args.get("layout", "list")
    return asked if asked in LAYOUTS else "list"
