"""What a message says of its patient beside the charts that may be meant."""

from dataclasses import dataclass
from uuid import UUID

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.matching import Candidate, compare
from clinic_tracker.domain.messages import Identity
from clinic_tracker.queries.inbound_likely import LikelyChart
from clinic_tracker.web.patients.presenters import SEX_WORDS

MOST_CHARTS = 4
NOT_SAID = "not said"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a chart says, and whether it agrees: "agrees", "differs" or nothing where the message does not say."""

    text: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One part of the identity: in the message, and on each chart."""

    title: str
    said: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A chart that may be meant."""

    patient: UUID
    chart: Candidate
    differs: int


def compared(identity: Identity, charts: list[LikelyChart]) -> list[Compared]:
    """The parts of an identity in the order of the page."""
    numbers = ", ".join(f"{one.value} ({one.system or one.kind or 'no name'})" for one in identity.identifiers)
    said = {
        "identifier": ("Numbers", numbers),
        "family_name": ("Family name", identity.family_name),
        "given_name": ("Given names", identity.given_name),
        "birth_date": ("Date of birth", show_date(identity.birth_date) if identity.birth_date else ""),
        "sex": ("Sex", SEX_WORDS[identity.sex] if identity.sex != "unknown" else ""),
    }
    return [
        Compared(title, text or NOT_SAID, tuple(_cell(part, chart, said=bool(text)) for chart in charts))
        for part, (title, text) in said.items()
    ]


def side_by_side(identity: Identity, patient: UUID, chart: Candidate) -> LikelyChart:
    """A chart that a person found, compared like a likely one."""
    return LikelyChart(patient, chart, compare(identity, chart))


def choices(charts: list[LikelyChart]) -> list[Choice]:
    """The charts of the columns."""
    return [Choice(one.patient, one.chart, len(one.likely.differs)) for one in charts]


def _cell(part: str, found: LikelyChart, *, said: bool) -> Cell:
    chart = found.chart
    numbers = [f"MRN {chart.mrn}", *([f"REMS {chart.rems_patient_id}"] if chart.rems_patient_id else [])]
    numbers += sorted(f"{value} ({system})" for system, value in chart.identifiers)
    texts = {
        "identifier": ", ".join(numbers),
        "family_name": chart.family_name,
        "given_name": chart.given_name,
        "birth_date": show_date(chart.birth_date),
        "sex": SEX_WORDS[chart.sex],
    }
    verdict = "agrees" if part in found.likely.agrees else "differs" if part in found.likely.differs else ""
    if part == "identifier" and said and not verdict:
        verdict = "none agrees"
    return Cell(texts[part], verdict)
