"""Worklist rows in words: what is owed, how late, the last contact, and where one click leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import request, url_for
from markupsafe import Markup

from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import StandingState
from clinic_tracker.queries.outreach import ContactMark
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tasks import TaskCounts
from clinic_tracker.queries.worklist_filter import Band, Cursor, Grouping, Snoozed, Sort, View, WorklistFilter
from clinic_tracker.queries.worklist_items import OwedItem
from clinic_tracker.queries.worklist_pages import Totals, WorklistPage, WorklistRow
from clinic_tracker.web.filters import date_element, plural, words
from clinic_tracker.web.inbound.order_words import ShownOrder, orders_by_patient
from clinic_tracker.web.navigation import link_to
from clinic_tracker.web.requirement_words import full_title, short_title, title_order
from clinic_tracker.web.worklists.address import NARROWING, address_of
from clinic_tracker.web.worklists.lists import VIEW_TITLES, list_links
from clinic_tracker.web.worklists.task_words import RowTasks

BAND_TITLES = {
    Band.WEEK: "1-7 d",
    Band.MONTH: "8-30 d",
    Band.QUARTER: "31-90 d",
    Band.LONGER: "over 90 d",
    Band.NEXT_WEEK: "within 7 d",
    Band.LATER: "later",
}
SNOOZED_OPTIONS = [(Snoozed.SHOW, "Shown with a mark"), (Snoozed.HIDE, "Hidden"), (Snoozed.ONLY, "Only snoozed")]
TITLES_IN_TAG = 3
_OPEN = frozenset({StandingState.OVERDUE, StandingState.DUE})


@dataclass(frozen=True, slots=True)
class ItemTag:
    """Requirements of a row that fell due on one day. ``days`` is days overdue, or days until due."""

    title: str
    full: str
    state: StandingState
    days: int | None


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as the list shows it."""

    row: WorklistRow
    href: str
    tags: tuple[ItemTag, ...]
    late_days: int | None
    due_on: date | None
    last_done_on: date | None
    missed: int
    contact: Markup | None
    expected_on: date | None
    is_promise_broken: bool
    snoozed_until: date | None
    contact_href: str | None
    enter_href: str | None
    orders: tuple[ShownOrder, ...] = ()
    tasks: RowTasks | None = None


def shown_rows(
    scope: Scope, page: WorklistPage, tasks: Mapping[int, RowTasks] | None = None, *, only_listed: bool = False
) -> list[ShownRow]:
    """The rows of a page in words, with the links that the person may use; what else is owed only if wanted.

    Tasks stand in the first row of their patient, so that one is not read as many in a list of one row an item.
    """
    orders = orders_by_patient(scope, [row.patient_id for row in page.rows])
    left = dict(tasks or {})
    rows = []
    for row in page.rows:
        shown = shown_row(scope, row, row.listed if only_listed else row.items, orders.get(row.patient_id, ()))
        rows.append(replace(shown, tasks=left.pop(row.patient_id, None)))
    return rows


def shown_row(scope: Scope, row: WorklistRow, items: Sequence[OwedItem], orders: Sequence[ShownOrder] = ()) -> ShownRow:
    """One row in words. Its dates are those of the item that has been owed longest."""
    today, mark = scope.today, row.contact
    first = row.listed[0] if row.listed else row.items[0]
    snooze = mark.snooze_until if mark and row.is_snoozed(today) else None
    return ShownRow(
        row=row,
        href=url_for("patients.chart", patient=row.public_id),
        tags=owed_tags(items, today),
        late_days=first.days_overdue(today) or None,
        due_on=first.next_due_on,
        last_done_on=first.last_done_on,
        missed=max((item.missed_in_a_row for item in row.listed), default=0),
        contact=contact_words(mark, scope.time_zone) if mark else None,
        expected_on=mark.expected_on if mark else None,
        is_promise_broken=bool(mark and mark.expected_on and mark.expected_on < today),
        snoozed_until=snooze,
        contact_href=_contact_href(scope, row.public_id),
        enter_href=_enter_href(scope, row),
        orders=tuple(orders),
    )


def contact_words(mark: ContactMark, time_zone: str) -> Markup:
    """The latest contact as a list says it: "no answer 19-Jan-2026 (3rd)"."""
    on = date_element(local_date(mark.contacted_at, time_zone))
    times = f" ({ordinal(mark.attempts)})" if mark.attempts > 1 else ""
    return Markup('<span class="nowrap">{}</span> <span class="nowrap">{}{}</span>').format(
        words(mark.outcome).lower(), on, times
    )


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    teens = number % 100 in range(11, 14)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def owed_tags(items: Sequence[OwedItem], today: date) -> tuple[ItemTag, ...]:
    """What is owed as few tags: what fell due on the same day is drawn with one needle, and stands in one tag."""
    tags = []
    items = sorted(items, key=lambda item: (item.next_due_on or date.max, title_order(item.requirement)))
    for (state, due), same in groupby(items, key=lambda item: (item.state(today), item.next_due_on)):
        codes = [item.requirement for item in same]
        days = abs((today - due).days) if due is not None and state in _OPEN else None
        for start in range(0, len(codes), TITLES_IN_TAG):
            few = codes[start : start + TITLES_IN_TAG]
            titles, full = ", ".join(map(short_title, few)), ", ".join(map(full_title, few))
            tags.append(ItemTag(titles, full, state, days))
    return tuple(tags)


def _contact_href(scope: Scope, patient: UUID) -> str | None:
    if not scope.may(Permission.CONTACT_PATIENTS):
        return None
    return link_to("patients.record_contact", patient=patient, next=request.full_path.rstrip("?"))


def _enter_href(scope: Scope, row: WorklistRow) -> str | None:
    """Where the evidence of the row is entered: forms, exams, otherwise results."""
    owed = {item.requirement for item in row.listed}
    if owed and owed <= {"patient_status_form", "infusion_checklist"}:
        return link_to("rems.forms", patient=row.public_id) if scope.may(Permission.SUBMIT_FORMS) else None
    if not scope.may(Permission.RECORD_EVIDENCE):
        return None
    if owed and owed <= {"skin_exam", "hpv_screen"}:
        return link_to("patients.record_exams", patient=row.public_id)
    return link_to("labs.enter", patient=row.public_id)


@dataclass(frozen=True, slots=True)
class PageWords:
    """Everything around the table: headings, links that change the list, the empty state."""

    title: str
    headline: str
    columns: list[dict[str, Any]]
    lists: list[dict[str, Any]]
    bands: list[dict[str, Any]]
    groupings: list[dict[str, Any]]
    narrowed: int
    cleared: str
    empty: tuple[str, str]


def page_words(scope: Scope, chosen: WorklistFilter, totals: Totals, tasks: TaskCounts) -> PageWords:
    """What stands around the rows of a list."""
    return PageWords(
        title=VIEW_TITLES[chosen.view],
        headline=headline(chosen, totals, scope.today),
        columns=columns(chosen),
        lists=list_links(chosen, tasks, totals.patients),
        bands=bands(chosen, totals),
        groupings=groupings(chosen),
        narrowed=narrowed(chosen),
        cleared=cleared(chosen),
        empty=_empty(chosen),
    )


def _empty(chosen: WorklistFilter) -> tuple[str, str]:
    if narrowed(chosen):
        return "Nobody matches these filters", "The list may still hold others: clear the filters to see them."
    if chosen.view is View.OVERDUE:
        return "Nobody is overdue", "Everything owed until today is in."
    if chosen.view is View.DUE:
        return "Nothing is due now", "No window is open that has not been used."
    return "Nobody is monitored yet", "A schedule begins with the first infusion of a patient."


def columns(chosen: WorklistFilter) -> list[dict[str, Any]]:
    """The heads of the table; those that sort link to the list in that order."""
    by_name = Sort.NAME_BACKWARDS if chosen.sort is Sort.NAME else Sort.NAME
    by_late = Sort.LEAST_LATE if chosen.sort is Sort.LATE else Sort.LATE
    late = "Late" if chosen.view is View.OVERDUE else "Due"
    return [
        {"text": "Patient", "key": "name", "href": _href(chosen, sort=by_name)},
        {"text": "Owed", "class": "wide"},
        {"text": late, "key": "late", "href": _href(chosen, sort=by_late), "numeric": True, "class": "hide-tablet"},
        {"text": "Last done", "class": "hide-tablet"},
        {"text": "Last contact"},
        {"text": "Prescriber", "class": "hide-narrow"},
        {"text": "Actions", "hidden": True},
    ]


def bands(chosen: WorklistFilter, totals: Totals) -> list[dict[str, Any]]:
    """The lateness bands as links with their counts."""
    if not totals.bands:
        return []
    total = sum(totals.bands.values())
    everything = {"text": "Any", "href": _href(chosen, band=None), "current": chosen.band is None, "count": total}
    return [everything] + [
        {"text": BAND_TITLES[band], "href": _href(chosen, band=band), "current": band is chosen.band, "count": count}
        for band, count in totals.bands.items()
    ]


def groupings(chosen: WorklistFilter) -> list[dict[str, Any]]:
    """One row a patient, or one row an item."""
    titles = {Grouping.PATIENT: "One row a patient", Grouping.ITEM: "One row an item"}
    return [
        {"text": title, "href": _href(chosen, grouping=grouping), "current": grouping is chosen.grouping}
        for grouping, title in titles.items()
    ]


def headline(chosen: WorklistFilter, totals: Totals, today: date) -> str:
    """What the list holds: "14 patients, 27 items, oldest 61 days"."""
    told = f"{plural(totals.patients, 'patient')}, {plural(totals.items, 'item')}"
    if chosen.view is View.OVERDUE and totals.oldest_due_on is not None:
        told += f", oldest {plural((today - totals.oldest_due_on).days, 'day')}"
    return told


def neighbors(chosen: WorklistFilter, page: WorklistPage, cursor: Cursor | None) -> tuple[str | None, str | None]:
    """The addresses of the pages before and after this one."""
    parameters = address_of(chosen)
    previous = url_for("worklists.index", **parameters, before=page.previous) if page.previous else None
    if previous is None and cursor is not None and not page.rows:
        previous = url_for("worklists.index", **parameters)
    return previous, url_for("worklists.index", **parameters, after=page.next) if page.next else None


def narrowed(chosen: WorklistFilter) -> int:
    """How many filters narrow the list down."""
    return sum(name in NARROWING for name in address_of(chosen))


def cleared(chosen: WorklistFilter) -> str:
    """The address of the list without its filters."""
    return url_for(
        "worklists.index", **address_of(WorklistFilter(view=chosen.view, grouping=chosen.grouping, sort=chosen.sort))
    )


def _href(chosen: WorklistFilter, **changes: Any) -> str:
    return url_for("worklists.index", **address_of(chosen, **changes))
