"""Facts for data sheets, made by hand: a whole course, and what can be left out of it."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from clinic_tracker.domain.course_forms.facts import (
    AuthorizationFacts,
    CourseFacts,
    DayFacts,
    DrugFacts,
    EnrollmentFacts,
    FacilityFacts,
    FormFacts,
    PatientFacts,
    PrescriberFacts,
    ReactionFacts,
    VitalsFacts,
)

ZONE = "America/New_York"
FIRST = date(2026, 1, 5)
PRESCRIBER = PrescriberFacts(uuid.UUID(int=1), "Dr. Tomas Rey", "1234567893", "P-77")
FACILITY = FacilityFacts("Northside MS Center", ZONE, "F-9", "555-0100", "Ana Dow", date(2025, 5, 2), date(2025, 5, 3))
PATIENT = PatientFacts("70001", "R-1", "Okafor", "Ada", date(1984, 7, 14), "female", None, "555-0199", None, None)
ENROLLMENT = EnrollmentFacts(
    PRESCRIBER, date(2025, 12, 1), *([date(2025, 12, 1)] * 5), copy_given=True, rems_reference="E-1"
)
AUTHORIZATION = AuthorizationFacts(
    uuid.UUID(int=2),
    PRESCRIBER,
    date(2025, 12, 20),
    date(2026, 1, 19),
    "A-1",
    None,
    date(2026, 1, 2),
    "web",
    "Nia Bell",
)


def reaction(onset_at: datetime, **changed: Any) -> ReactionFacts:
    """A moderate rash that is over."""
    values: dict[str, Any] = {
        "public_id": uuid.UUID(int=90),
        "onset_at": onset_at,
        "ticked": ["rash"],
        "signs": "both forearms",
        "grade": "moderate",
        "is_serious": False,
        "seriousness": [],
        "actions": ["slowed"],
        "action": None,
        "drugs": "Cetirizine 10 mg",
        "ending": "recovered",
        "outcome": None,
        "resolved_at": None,
    }
    return ReactionFacts(**{**values, **changed})


def day(number: int, **changed: Any) -> DayFacts:
    """A day with nothing missing: nine to one, discharged at ten past three."""
    start = datetime(2026, 1, 4, 14, tzinfo=UTC) + timedelta(days=number)
    whole = DayFacts(
        public_id=uuid.UUID(int=10 + number),
        day_number=number,
        infused_on=FIRST + timedelta(days=number - 1),
        time_zone=ZONE,
        dose_mg=12.0,
        lot_number="A1234",
        lot_expires_on=date(2027, 6, 30),
        started_at=start,
        ended_at=start + timedelta(hours=4),
        observation_minutes=120,
        discharged_at=start + timedelta(hours=6, minutes=10),
        discharged_by="Nia Bell",
        stroke_advice_given=True,
        late_reaction_advice_given=True,
        infection_excluded=True,
        contraindications_excluded=True,
        drugs=(DrugFacts("steroid", "Methylprednisolone", "1,000 mg", start - timedelta(hours=2), start),),
        vitals=(VitalsFacts(start - timedelta(minutes=10), 118, 72, 70, 36.7, 14, 98),),
    )
    return replace(whole, **changed)


def course(*days: DayFacts, **changed: Any) -> CourseFacts:
    """Course 1, of five days unless told which."""
    whole = CourseFacts(
        public_id=uuid.UUID(int=3),
        number=1,
        planned_days=5,
        planned_start_on=FIRST,
        discontinued_on=None,
        discontinued_reason=None,
        unused_vials=None,
        vials_disposition=None,
        prescriber=PRESCRIBER,
        authorization=AUTHORIZATION,
        days=days or tuple(day(number) for number in range(1, 6)),
    )
    return replace(whole, **changed)


def facts(*courses: CourseFacts, **changed: Any) -> FormFacts:
    """A patient with nothing missing."""
    whole = FormFacts(
        today=date(2026, 1, 22),
        reporter="Nia Bell",
        steroid_days=3,
        facility=FACILITY,
        patient=PATIENT,
        prescriber=PRESCRIBER,
        enrollment=ENROLLMENT,
        courses=courses or (course(),),
    )
    return replace(whole, **changed)
