"""The sheet that a patient takes home after an infusion: plain words, large print (R-49 to R-51, R-13, R-35).

The words are meant to be read by anybody: short sentences, no names of diseases, and what to do comes first.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from clinic_tracker.domain.local_time import show_date

#: Nearly all strokes after the drug came within three days (label 5.3).
WATCH_DAYS = 3
LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class TakeHomeFacts:
    """What the clinic knows for the sheet. ``next_infusion_on`` is the next day that is booked."""

    clinic: str
    clinic_phone: str | None
    prescriber: str | None
    emergency_number: str
    course: int
    day_number: int
    planned_days: int
    infused_on: date
    antiviral: str | None = None
    next_infusion_on: date | None = None
    next_test_on: date | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A block of the sheet. ``urgent`` stands out; ``blanks`` are labels of lines to write on."""

    title: str
    lead: str = ""
    points: tuple[str, ...] = ()
    blanks: tuple[str, ...] = ()
    after: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class TakeHome:
    """The whole sheet. The page and the PDF draw this."""

    title: str
    about: str
    parts: tuple[Part, ...]


def take_home(facts: TakeHomeFacts) -> TakeHome:
    """What to watch for, whom to call, and when to come again."""
    return TakeHome(
        "After your infusion",
        f"You got LEMTRADA on {show_date(facts.infused_on)}. This was day {facts.day_number} of {facts.planned_days}.",
        (_emergency(facts), _same_day(), _infection(facts), _whom(facts), _next(facts)),
    )


def _emergency(facts: TakeHomeFacts) -> Part:
    until = show_date(facts.infused_on + timedelta(days=WATCH_DAYS))
    return Part(
        f"Call {facts.emergency_number} right away if",
        f"Watch for these signs most of all for the next 3 days, until {until}. Do not wait. Do not drive.",
        (
            "one side of your face droops",
            "one arm or leg gets weak or numb",
            "you cannot speak well, or words make no sense",
            "your sight gets bad all at once",
            "you cannot walk well, or you feel very dizzy",
            "your head hurts very badly all at once",
            "your neck hurts all at once",
            "your chest hurts, or you cannot breathe well",
            "your mouth, tongue or throat swells",
            "you cough up blood",
        ),
        after=f"Tell them: “I had LEMTRADA on {show_date(facts.infused_on)}.” Show your safety card.",
        urgent=True,
    )


def _same_day() -> Part:
    return Part(
        "Call us the same day if",
        "You can still feel ill hours or days after you go home. Call us if",
        (
            "you have a rash, or your skin itches",
            "your heart beats fast, or skips a beat",
            "you feel weak, or you throw up",
            "you bruise or bleed more than you should",
            "your belly hurts a lot",
            "you just do not feel right",
        ),
    )


def _infection(facts: TakeHomeFacts) -> Part:
    pills = f"take your {facts.antiviral} each day, as you were told" if facts.antiviral else (
        "take the pills that we gave you, each day, as you were told"
    )  # fmt: skip
    return Part(
        "Stay safe from germs",
        "It is easier to get sick from germs now. To stay safe:",
        (
            pills,
            "wash your hands often, and stay away from sick people",
            "do not eat raw meat, raw fish or soft cheese, and do not drink raw milk",
            "do not get a shot (vaccine) till you ask us",
        ),
        after="Call us the same day if you feel hot, have chills or a cough, have a sore, or it burns to pass water.",
    )


def _whom(facts: TakeHomeFacts) -> Part:
    points = [f"{facts.clinic}: {facts.clinic_phone}"] if facts.clinic_phone else []
    if facts.prescriber:
        points.append(f"Ask for {facts.prescriber}.")
    blanks = () if facts.clinic_phone else (f"Phone of {facts.clinic}:",)
    return Part("Who to call", "", tuple(points), (*blanks, "At night and on weekends:"))


def _next(facts: TakeHomeFacts) -> Part:
    points = []
    if facts.next_infusion_on is not None:
        points.append(f"Your next infusion: {show_date(facts.next_infusion_on)}")
    blanks = [] if facts.next_infusion_on or facts.day_number >= facts.planned_days else ["Your next infusion:"]
    if facts.next_test_on is not None:
        points.append(f"Your next blood and urine tests: {show_date(facts.next_test_on)}")
    else:
        blanks.append("Your next blood and urine tests:")
    return Part(
        "When to come again",
        "",
        tuple(points),
        tuple(blanks),
        after="You need blood and urine tests each month, even if you feel well. They find harm early.",
    )
