"""My clinic today: the numbers that matter to a role, each a link, and the rows that cannot wait."""

from dataclasses import dataclass

from flask import url_for

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.adverse_events import open_reports
from clinic_tracker.queries.duplicates import count_duplicate_pairs
from clinic_tracker.queries.follow_ups import owed_count
from clinic_tracker.queries.review_queue import QueueFilter, WaitingRow, review_queue, unseen_reds, waiting_count
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite import suite
from clinic_tracker.queries.tallies import QUEUES, Tally, tally_counts
from clinic_tracker.queries.tasks import task_counts
from clinic_tracker.queries.today import Ending, FacilityWarning, certifications_ending, facility_warning, owed_forms
from clinic_tracker.queries.worklist_filter import Band, View, WorklistFilter
from clinic_tracker.queries.worklist_pages import worklist_page, worklist_totals
from clinic_tracker.web.filters import clock, plural
from clinic_tracker.web.home.inbound_tiles import inbound_tiles
from clinic_tracker.web.home.tile import Tile
from clinic_tracker.web.navigation import link_to
from clinic_tracker.web.worklists.address import address_of
from clinic_tracker.web.worklists.presenters import ShownRow, shown_rows
from clinic_tracker.web.worklists.tally_words import TALLY_WORDS

MOST_ROWS = 10
MOST_RED = 5


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of a worklist with a heading and a way to all of them."""

    title: str
    rows: list[ShownRow]
    total: int
    href: str
    empty: str


@dataclass(frozen=True, slots=True)
class Today:
    """The page."""

    tiles: list[Tile]
    red: tuple[WaitingRow, ...]
    sections: list[Section]
    gaps: list[tuple[int, str, str | None]]
    endings: list[Ending]
    facility: FacilityWarning | None


def today_page(scope: Scope) -> Today:
    """The home page of the person's role, worst first."""
    is_doctor, is_administrator = scope.role is Role.NEUROLOGIST, scope.role is Role.ADMINISTRATOR
    own, counts = WorklistFilter(mine=is_doctor), tally_counts(scope)
    tiles = [_overdue(scope, own), _due(scope, own), _review(scope)]
    tiles += [_forms(scope), _suite(scope)] if is_administrator else [_suite(scope), _calls(scope), _forms(scope)]
    if is_doctor:
        tiles.insert(3, _authorize(counts))
    tiles += [_tasks(scope, mine=is_doctor), *inbound_tiles(scope)]
    tiles[0:0] = [*_unseen(scope, mine=is_doctor), *_reactions(scope)]
    sections = [_section(scope, own, "My patients, worst first" if is_doctor else "Worst first")]
    if is_doctor:
        due = WorklistFilter(view=View.DUE, mine=True, requirement="labs")
        sections.append(_section(scope, due, "My patients, labs due now"))
    if is_administrator:
        sections.insert(0, _section(scope, WorklistFilter(view=View.OWED, requirement="forms"), "Forms owed"))
    return Today(
        tiles=tiles,
        red=_red(scope) if scope.may(Permission.REVIEW_RESULTS) else (),
        sections=sections,
        gaps=_gaps(scope, counts),
        endings=certifications_ending(scope) if scope.may(Permission.VIEW_ADMINISTRATION) else [],
        facility=facility_warning(scope),
    )


def _list(chosen: WorklistFilter) -> str:
    return url_for("worklists.index", **address_of(chosen))


def _overdue(scope: Scope, chosen: WorklistFilter) -> Tile:
    totals = worklist_totals(scope, chosen)
    sub = "everything is in"
    if totals.oldest_due_on is not None:
        sub = f"{plural(totals.items, 'item')}, oldest {(scope.today - totals.oldest_due_on).days} d"
    label = "Overdue, my patients" if chosen.mine else "Overdue"
    return Tile(label, totals.patients, sub, _list(chosen), "red" if totals.patients else "green")


def _due(scope: Scope, own: WorklistFilter) -> Tile:
    chosen = WorklistFilter(view=View.DUE, mine=own.mine, band=Band.NEXT_WEEK)
    totals = worklist_totals(scope, chosen)
    return Tile("Due in 7 days", totals.patients, plural(totals.items, "item"), _list(chosen))


def _review(scope: Scope) -> Tile:
    counts = waiting_count(scope)
    red, amber, total = counts.get("red", 0), counts.get("amber", 0), sum(counts.values())
    sub = f"{red} red, {amber} amber" if total else "all are reviewed"
    return Tile("To review", total, sub, link_to("labs.review_queue"), "red" if red else "amber" if amber else "")


def _unseen(scope: Scope, *, mine: bool) -> list[Tile]:
    """Red results that nobody has seen on their day: of one's own and covered patients, for others of everybody."""
    count = unseen_reds(scope, mine=mine)
    if not count:
        return []
    href = link_to("labs.review_queue", late="1", mine="1" if mine else None)
    return [Tile("Red, not seen in time", count, "same-day review was missed", href, "red")]


def _tasks(scope: Scope, *, mine: bool) -> Tile:
    counts = task_counts(scope, mine=mine)
    sub = f"{counts.overdue} overdue, {counts.due} due in 7 days" if counts.open else "none is open"
    label = "Follow-up tasks, mine" if mine else "Follow-up tasks"
    href = link_to("tasks.index", mine="1" if mine else None)
    return Tile(label, counts.open, sub, href, "red" if counts.overdue else "")


def _suite(scope: Scope) -> Tile:
    board = suite(scope)
    parts = []
    if board.present:
        parts.append(f"{len(board.observing) + len(board.observed)} observed")
    if board.next_out_at is not None:
        parts.append(f"next out {clock(board.next_out_at, scope.time_zone)}")
    if board.never_signed_out:
        since = min(row.infused_on for row in board.never_signed_out)
        parts.append(f"{len(board.never_signed_out)} never signed out, since {show_date(since)}")
    words = ", ".join(parts) or "nobody is being infused"
    return Tile(
        "In the suite", board.present, words, link_to("infusions.suite"), "red" if board.never_signed_out else ""
    )


def _forms(scope: Scope) -> Tile:
    forms = owed_forms(scope)
    href = _list(WorklistFilter(view=View.OWED, requirement="forms"))
    sub = f"{forms.overdue} overdue" if forms.open else "all are sent"
    return Tile("Forms owed", forms.open, sub, href, "red" if forms.overdue else "")


def _reactions(scope: Scope) -> list[Tile]:
    """Serious reactions whose report was not sent yet (R-80)."""
    waiting, late = open_reports(scope)
    if not waiting:
        return []
    sub = f"{late} late" if late else "none late"
    return [Tile("Reactions to report", waiting, sub, link_to("infusions.adverse_events"), "red" if late else "amber")]


def _calls(scope: Scope) -> Tile:
    owed = owed_count(scope)
    sub = f"{owed.late} late" if owed.open else "none is owed"
    return Tile("Calls after a course", owed.open, sub, link_to("worklists.calls"), "red" if owed.late else "")


def _authorize(counts: dict[Tally, int]) -> Tile:
    href = url_for("worklists.tally", code=Tally.TO_AUTHORIZE.value)
    return Tile("To authorize", counts[Tally.TO_AUTHORIZE], "planned courses", href)


def _section(scope: Scope, chosen: WorklistFilter, title: str) -> Section:
    rows = shown_rows(scope, worklist_page(scope, chosen, size=MOST_ROWS), only_listed=chosen.requirement is not None)
    total = worklist_totals(scope, chosen).patients
    return Section(title, rows, total, _list(chosen), "Nothing is owed here.")


def _red(scope: Scope) -> tuple[WaitingRow, ...]:
    return review_queue(scope, QueueFilter(level="red"), limit=MOST_RED).rows


def _gaps(scope: Scope, counts: dict[Tally, int]) -> list[tuple[int, str, str | None]]:
    """People on no list: how many, in which words, and where they are named."""
    found = [
        (counts[tally], words.short, url_for("worklists.tally", code=tally))
        for tally, words in TALLY_WORDS.items()
        if counts[tally] and tally not in QUEUES
    ]
    pairs = count_duplicate_pairs(scope)
    if pairs:
        words = "possible duplicate" if pairs == 1 else "possible duplicates"
        found.append((pairs, words, link_to("patients.duplicates") or url_for("worklists.tallies")))
    return list(found)
