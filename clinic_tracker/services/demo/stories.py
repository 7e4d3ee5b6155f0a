"""What the patients of the demonstration have lived through: one story each, told from the day of the demonstration."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Story:
    """One patient. Months and days are counted back from the day of the demonstration.

    ``courses``: how many months ago each course ended, oldest first. ``silent_months``: no evidence for that long.
    ``today``: ``infusing``, ``observing`` or ``discharged`` on day 2 of the first course. ``ended_days_ago``: the first
    course ended so many days ago, and nobody has reached the patient since.
    """

    title: str
    courses: tuple[int, ...] = ()
    day_in_month: int = 0
    silent_months: int = 0
    days_given: int | None = None
    planned_in_days: int | None = None
    today: str | None = None
    ended_days_ago: int | None = None
    abnormal: str | None = None
    incomplete: str | None = None
    forms_owed: bool = False
    skin_late: bool = False
    signed_off: bool = False
    enrolled: bool = True
    prescriber: int | None = 0
    outreach: str | None = None
    waiver: str | None = None
    male: bool | None = None
    unreviewed: bool = False


SPECIAL: tuple[Story, ...] = (
    Story("seven months silent", (19,), silent_months=7, outreach="no_answer", forms_owed=True),
    Story("two months silent", (12,), silent_months=2, outreach="will_come"),
    Story("platelets fell", (16,), day_in_month=7, abnormal="platelets", unreviewed=True),
    Story("creatinine rose with hematuria", (28,), day_in_month=7, abnormal="kidney", unreviewed=True),
    Story("thyroid", (22,), day_in_month=8, abnormal="tsh", unreviewed=True),
    Story("liver enzymes", (9,), day_in_month=8, abnormal="liver", unreviewed=True),
    Story("waiting for course 1", planned_in_days=12),
    Story("waiting, not authorized yet", planned_in_days=5),
    Story("enrolled, no course planned"),
    Story("being infused today", today="infusing"),
    Story("in observation", today="observing"),
    Story("discharged today", today="discharged"),
    Story("CBC without differential", (14,), day_in_month=12, incomplete="cbc_diff"),
    Story("dipstick only", (8,), day_in_month=9, incomplete="urinalysis_cells"),
    Story("three of five days given", (4,), days_given=3),
    Story("third course", (31, 17, 3)),
    Story("finished, signed off", (63, 50), signed_off=True),
    Story("finished, not signed off", (51,)),
    Story("prescriber left", (11,), prescriber=2),
    Story("no prescriber", (7,), prescriber=None, day_in_month=20),
    Story("status form owed", (6,), day_in_month=25, forms_owed=True),
    Story("skin exam late", (25, 12), skin_late=True),
    Story("TSH waived", (15,), waiver="tsh"),
    Story("declined twice", (20,), silent_months=3, outreach="declined"),
    Story("gap of two weeks", (10,), silent_months=1, day_in_month=12, outreach="left_message"),
    Story("lost for a year", (30, 17), silent_months=12, outreach="wrong_number", forms_owed=True),
    Story("registered, not enrolled", enrolled=False),
    Story("second course planned", (12,), planned_in_days=20),
    Story("due this week", (5,), day_in_month=27),
    Story("on prophylaxis", (2,), day_in_month=3),
    Story("to be called today", ended_days_ago=2),
    Story("called in vain", ended_days_ago=5),
)


def stories(count: int, random: Random) -> list[Story]:
    """The stories of ``count`` patients: the special ones first, then people who come every month, give or take."""
    told = list(SPECIAL[:count])
    while len(told) < count:
        first = random.randint(2, 46)
        courses = (first + random.randint(12, 15), first) if random.random() < 0.55 else (first,)  # noqa: PLR2004
        late = random.random()
        told.append(
            Story(
                "comes every month",
                courses,
                day_in_month=random.randint(0, 27),
                silent_months=1 if late > 0.88 else 0,  # noqa: PLR2004
                skin_late=late < 0.06,  # noqa: PLR2004
                prescriber=random.choice((0, 0, 1)),
            )
        )
    return told
