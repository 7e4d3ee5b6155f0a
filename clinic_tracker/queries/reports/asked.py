"""Which obligations a report is about: those that fell due in a period, and of them the ones asked for."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from clinic_tracker.domain.compliance import YEARS, Outcome
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.queries.knowledge import Knowledge, Named, Person
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope

ANY, EXPECTED, NOBODY = "any", "expected", "none"
TAKES = frozenset({Takes.PERIOD, Takes.AS_OF, Takes.KNOWN_AT, Takes.REQUIREMENT, Takes.PRESCRIBER})
OUTCOME_WORDS = {
    Outcome.ON_TIME.value: "On time",
    Outcome.LATE.value: "Late",
    Outcome.MISSED.value: "Missed",
    Outcome.OWED.value: "Still owed",
    Outcome.WAIVED.value: "Waived",
}
OUTCOMES = Choice("outcome", "Outcome", {ANY: "Any", EXPECTED: "Expected: all but waived", **OUTCOME_WORDS}, ANY)
YEAR = Choice(
    "year",
    "Year since the last infusion",
    {ANY: "Any", **{year: f"Year {year}" if year.isdigit() else "Year 4 and later" for year in YEARS}},
    ANY,
)
PROTOCOL = Choice(
    "protocol",
    "Protocol",
    {ANY: "Any", **{name: f"{one.title}, version {one.version}" for name, one in packaged_protocols().items()}},
    ANY,
)
ASSIGNED = Choice("assigned", "Patients", {ANY: "All", NOBODY: "Without a prescriber"}, ANY)

#: The first columns of a line about a patient, told as of the instant asked about.
PERSON = (
    Column("mrn", "MRN", Kind.TEXT, "Medical record number in this clinic.", Privacy.PATIENT),
    Column("patient", "Patient", Kind.TEXT, "Family name and given name, as in the chart then.", Privacy.IDENTITY),
    Column("prescriber", "Prescriber", Kind.TEXT, "Who answered for the patient then.", Privacy.IDENTITY),
)
TWO_TIMES = (
    "“As of” is the day asked about: only facts dated by then count, whenever they were recorded. “As known at” holds "
    "back, in addition, what was recorded after an instant, and keeps what was withdrawn after it; settings, patients "
    "and prescribers are those of that instant. Without it everything known now counts. An extension of monitoring has "
    "no day from which it counts: once it is known it does on every day asked about."
)
GRACE = (
    "On time means done by the due date plus the grace set in the clinic's settings (report_on_time_grace_days, 7 days "
    "unless changed: a local convention, grade C; the label gives no tolerance)."
)
SIGN_OFF = "What fell due after the prescriber's sign-off counts only if it was done."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; None where anything is."""

    first: date
    last: date
    requirement: str | None = None
    prescriber: UUID | None = None
    patient: UUID | None = None
    nobody: bool = False  # patients without a prescriber
    protocol: str | None = None
    year: str | None = None
    outcomes: frozenset[Outcome] = frozenset(Outcome)

    @classmethod
    def of(cls, parameters: Parameters) -> "Asked":
        """What parameters ask for. Nothing that falls due after the day asked about."""
        first, last = parameters.period
        chosen = {name: value for name, value in parameters.choices.items() if value != ANY}
        return cls(
            first,
            min(last, parameters.as_of),
            parameters.requirement,
            parameters.prescriber,
            parameters.patient,
            chosen.get(ASSIGNED.name) == NOBODY,
            chosen.get(PROTOCOL.name),
            chosen.get(YEAR.name),
            _outcomes(chosen.get(OUTCOMES.name)),
        )

    def people(self, known: Knowledge) -> list[Person]:
        """The patients asked about, by name."""
        prescriber = _key(known.prescribers(), self.prescriber)
        return sorted(
            (
                person
                for person in known.people().values()
                if (self.prescriber is None or person.prescriber_id == prescriber)
                and (self.patient is None or person.public_id == self.patient)
                and (self.protocol is None or person.protocol_id == self.protocol)
                and not (self.nobody and person.prescriber_id is not None)
            ),
            key=lambda person: person.place,
        )


def is_live(scope: Scope, parameters: Parameters) -> bool:
    """Whether the schedules as stored answer it: today, and nothing held back (a file is made after its asking)."""
    return parameters.as_of == scope.today and parameters.known_at is None


def _outcomes(name: str | None) -> frozenset[Outcome]:
    if name is None:
        return frozenset(Outcome)
    return frozenset(Outcome) - {Outcome.WAIVED} if name == EXPECTED else frozenset({Outcome(name)})


def _key(prescribers: dict[int, Named], public_id: UUID | None) -> int | None:
    return next((key for key, one in prescribers.items() if one.public_id == public_id), -1)
