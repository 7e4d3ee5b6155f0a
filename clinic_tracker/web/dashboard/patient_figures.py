"""Where the patients are, how safe their infusion days were, and how clinics compare."""

from collections.abc import Sequence

from flask import url_for

from clinic_tracker.domain.compliance import Outcome
from clinic_tracker.domain.observation import Observed
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.span import Span, last_of
from clinic_tracker.domain.vocabulary import ReactionGrade
from clinic_tracker.queries.dashboard.clinics import ClinicFigures
from clinic_tracker.queries.dashboard.funnel import Funnel
from clinic_tracker.queries.patient_lists import Group
from clinic_tracker.queries.safety import SafetyMonth
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tallies import Tally
from clinic_tracker.web.charts.bars import Stack, lying_bars, standing_bars
from clinic_tracker.web.charts.canvas import month_name
from clinic_tracker.web.charts.figure import Cell, Figure, Key, table_of
from clinic_tracker.web.dashboard.links import patients_url, report_url
from clinic_tracker.web.dashboard.on_time_figures import percent
from clinic_tracker.web.filters import plural, words

NO_DAYS = "Without times on record"


def funnel_figure(scope: Scope, found: Funnel) -> Figure:
    """Patients at each stage from registration to the end of monitoring."""
    stages = _stages(scope, found)
    share = found.registered or 1
    stacks = [Stack(name, ((kind, "patients", count),), f"({count / share:.0%})") for name, count, kind, _ in stages]
    told = "; ".join(f"{name.lower()} {count:,}" for name, count, _, _ in stages)
    return Figure(
        title="From enrollment to the end of monitoring",
        definition=(
            "Patients who ever came so far, and below, where those who were treated are today: years count from the "
            "last infusion, and every treated patient is in exactly one of these stages."
        ),
        svg=lying_bars(f"Patients at each stage: {told}", stacks, found.registered or None),
        table=table_of(
            ("Stage", "Patients", "Of those registered"),
            [
                (Cell(name), Cell(f"{count:,}", url if count else None), percent(count / share))
                for name, count, _, url in stages
            ],
        ),
        legend=(
            Key("segment--come", "Came so far"),
            Key("segment--stay", "In monitoring"),
            Key("segment--wait", "Monitoring ended, nobody signed it off"),
            Key("segment--done", "Signed off"),
            Key("segment--lost", "Lost: not signed off, nothing for too long (setting); also in their stage above"),
        ),
    )


Stage = tuple[str, int, str, str | None]  # its name, how many, how it is drawn, where they are listed


def _stages(scope: Scope, found: Funnel) -> list[Stage]:
    lost_url = None
    if scope.may(Permission.VIEW_PATIENTS):
        lost_url = url_for("worklists.tally", code=Tally.NO_EVIDENCE.value)
    return [
        ("Registered", found.registered, "come", None),
        ("Enrolled", found.enrolled, "come", None),
        ("Authorized", found.authorized, "come", None),
        ("First infusion", found.treated, "come", None),
        *((f"Monitoring, year {year}", count, "stay", None) for year, count in enumerate(found.years, 1)),
        *([("Monitoring, extended", found.later, "stay", None)] if found.later else []),
        ("Ended, not signed off", found.ended, "wait", patients_url(scope, Group.ENDED_OPEN)),
        ("Signed off", found.signed_off, "done", patients_url(scope, Group.CLOSED)),
        ("Lost to follow-up", found.lost, "lost", lost_url),
    ]


def observation_figure(span: Span, months: Sequence[SafetyMonth]) -> Figure:
    """Infusions by month, and whether the observation after them was complete."""
    kinds = (("observed", "observed in full"), ("short", "discharged early"), ("unknown", "without times on record"))
    stacks = [
        Stack(month_name(one.month), tuple((kind, told, getattr(one, kind)) for kind, told in kinds)) for one in months
    ]
    whole = sum(one.infusions for one in months)
    full, short = sum(one.observed for one in months), sum(one.short for one in months)
    share = percent(full / (full + short)) if full + short else "none"
    said = f"{plural(whole, 'infusion')}, {full:,} observed in full ({share} of those with times), {short:,} shorter"
    return Figure(
        title="Infusions and observation",
        definition=(
            "Infusions by month of the day; observed in full means discharged when the observation set for that day "
            "was over, or later."
        ),
        svg=standing_bars(f"Infusions by month: {said}", stacks),
        table=table_of(
            ("Month", "Infusions", "Observed in full", "Discharged early", "Without times", "In full, %", "Departures"),
            [_observed(span, one) for one in reversed(months)],
        ),
        legend=(
            Key("segment--observed", "Observed in full"),
            Key("segment--short", "Discharged early"),
            Key("segment--unknown", NO_DAYS),
        ),
        note="Departures from the protocol on infusion days, each with its reason, are in the last column.",
    )


def _observed(span: Span, one: SafetyMonth) -> tuple[Cell, ...]:
    first, last = one.month, min(last_of(one.month), span.today)
    departed = report_url("deviations", about="infusion", from_=first, to=last) if one.departures else None

    def cell(count: int, show: Observed | None) -> Cell:
        url = report_url("observation", from_=first, to=last, show=show or "all") if count else None
        return Cell(f"{count:,}", url)

    return (
        Cell(month_name(one.month)),
        cell(one.infusions, None),
        cell(one.observed, Observed.COMPLETE),
        cell(one.short, Observed.CUT_SHORT),
        cell(one.unknown, Observed.NOT_RECORDED),
        Cell(percent(one.share_observed)),
        Cell(f"{one.departures:,}", departed),
    )


def reaction_figure(span: Span, months: Sequence[SafetyMonth]) -> Figure:
    """Reactions by month and grade."""
    grades = list(ReactionGrade)
    stacks = [
        Stack(
            month_name(one.month),
            tuple(
                (f"grade-{place}", words(grade).lower(), one.reactions[grade]) for place, grade in enumerate(grades, 1)
            ),
        )
        for one in months
    ]
    whole, serious = sum(one.reactions_total for one in months), sum(one.serious for one in months)
    return Figure(
        title="Reactions",
        definition="Reactions to infusions by month of the infusion and by grade; serious by any of the criteria.",
        svg=standing_bars(f"Reactions by month: {plural(whole, 'reaction')}, {serious:,} serious", stacks),
        table=table_of(
            ("Month", *(words(grade) for grade in grades), "All", "Serious"),
            [_reacted(span, one, grades) for one in reversed(months)],
        ),
        legend=tuple(Key(f"segment--grade-{place}", words(grade)) for place, grade in enumerate(grades, 1)),
    )


def _reacted(span: Span, one: SafetyMonth, grades: list[ReactionGrade]) -> tuple[Cell, ...]:
    url = report_url("adverse-events", by="infusion", from_=one.month, to=min(last_of(one.month), span.today))
    counts = [*(one.reactions[grade] for grade in grades), one.reactions_total]
    serious = Cell(f"{one.serious:,}", url if one.serious else None)
    return (Cell(month_name(one.month)), *(Cell(f"{count:,}") for count in counts), serious)


def clinics_figure(clinics: Sequence[ClinicFigures], months: int) -> Figure:
    """The clinics of the person by their share on time."""
    stacks, rows = [], []
    for one in clinics:
        share = one.tally.share(Outcome.ON_TIME)
        told = f"% of {one.tally.expected:,}" if share is not None else "nothing expected"
        stacks.append(Stack(one.name, (("share", "per cent on time", int((share or 0) * 100)),), told))
        rows.append(
            (
                Cell(one.name + (", this clinic" if one.is_here else "")),
                one.monitored,
                one.tally.expected,
                percent(share),
                one.overdue,
                percent(one.overdue / one.monitored if one.monitored else None),
            )
        )
    said = "; ".join(f"{one.name} {percent(one.tally.share(Outcome.ON_TIME))}" for one in clinics)
    return Figure(
        title="Your clinics",
        definition=(
            f"The share on time of what was expected in the last {months} months, of all requirements, in each clinic "
            "where you see reports; overdue are patients with anything overdue today."
        ),
        svg=lying_bars(f"On time by clinic: {said}", stacks, 100),
        table=table_of(("Clinic", "In monitoring", "Expected", "On time, %", "Overdue", "Overdue of monitored"), rows),
        note="Choose another clinic at the top of the page to see what is behind its figures.",
    )
