"""Exams, screenings and vaccines: their names, what can come of them, what a vaccine means for the treatment."""

from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note, Verdict, deviation, remark
from clinic_tracker.domain.vocabulary import ExamKind


class Outcome(NamedTuple):
    """What an exam can find. ``attention`` marks what somebody should look at."""

    code: str
    words: str
    attention: bool = False


class ExamType(NamedTuple):
    """A kind of exam as people name it, with its outcomes.

    ``by`` is who or what is asked for beside the outcome; it is kept as the ``by_field`` of the exam.
    """

    title: str
    outcomes: tuple[Outcome, ...]
    by: str
    hint: str
    by_field: Literal["examiner", "method"] = "method"

    def words(self, code: str) -> str:
        """The words of an outcome; an unknown code reads as it is."""
        return next((one.words for one in self.outcomes if one.code == code), code.replace("_", " ").capitalize())

    def needs_attention(self, code: str) -> bool:
        """Whether an outcome is one to act on."""
        return any(one.attention for one in self.outcomes if one.code == code)


NEGATIVE = Outcome("negative", "Negative")
POSITIVE = Outcome("positive", "Positive", attention=True)
INDETERMINATE = Outcome("indeterminate", "Indeterminate", attention=True)
NORMAL = Outcome("normal", "No suspicious finding")
ABNORMAL = Outcome("abnormal", "Suspicious finding", attention=True)
NOT_HIGH_RISK = Outcome("not_high_risk", "Not tested: not at high risk")
_TESTED = (NEGATIVE, POSITIVE, INDETERMINATE)

# Asked for by R-27 (skin), R-28 (varicella), R-31 (TB), R-32 (HIV), R-33 (hepatitis), R-34 (pregnancy), E-09 (ECG).
EXAM_TYPES: MappingProxyType[ExamKind, ExamType] = MappingProxyType(
    {
        ExamKind.SKIN_EXAM: ExamType(
            "Skin exam", (NORMAL, ABNORMAL), "Examiner", "Before course 1, then yearly", "examiner"
        ),
        ExamKind.HPV_SCREEN: ExamType("HPV screen", _TESTED, "Method or laboratory", "Yearly, with a cervix"),
        ExamKind.TB_SCREEN: ExamType("TB screen", _TESTED, "Method: IGRA, TST or X-ray", "Before course 1"),
        ExamKind.VZV_HISTORY: ExamType(
            "Varicella history",
            (
                Outcome("positive", "Had chickenpox or shingles"),
                Outcome("negative", "No history"),
                Outcome("unknown", "Not known"),
            ),
            "Confirmed by",
            "Or vaccination, or antibodies",
            "examiner",
        ),
        ExamKind.VZV_SEROLOGY: ExamType(
            "Varicella antibodies",
            (
                Outcome("immune", "Immune"),
                Outcome("not_immune", "Not immune", attention=True),
                Outcome("indeterminate", "Equivocal", attention=True),
            ),
            "Laboratory",
            "IgG, without history or vaccination",
        ),
        ExamKind.HIV_TEST: ExamType("HIV test", _TESTED, "Laboratory", "Negative before course 1"),
        ExamKind.HEPATITIS_B: ExamType(
            "Hepatitis B screen", (*_TESTED, NOT_HIGH_RISK), "Laboratory", "Consider at high risk"
        ),
        ExamKind.HEPATITIS_C: ExamType(
            "Hepatitis C screen", (*_TESTED, NOT_HIGH_RISK), "Laboratory", "Consider at high risk"
        ),
        ExamKind.PREGNANCY_TEST: ExamType("Pregnancy test", (NEGATIVE, POSITIVE), "Method", "Before each course"),
        ExamKind.ECG: ExamType(
            "ECG",
            (Outcome("normal", "Normal"), Outcome("abnormal", "Abnormal", attention=True)),
            "Read by",
            "Baseline in the EU",
            "examiner",
        ),
    }
)


class Vaccine(NamedTuple):
    """A vaccine as it is chosen from the list. ``is_varicella``: the one that counts for R-28."""

    code: str
    title: str
    is_live: bool = False
    is_varicella: bool = False


VACCINES: tuple[Vaccine, ...] = (
    Vaccine("varicella", "Varicella (live)", is_live=True, is_varicella=True),
    Vaccine("zoster_recombinant", "Zoster, recombinant"),
    Vaccine("zoster_live", "Zoster, live", is_live=True),
    Vaccine("influenza_inactivated", "Influenza, inactivated"),
    Vaccine("influenza_nasal", "Influenza, nasal spray (live)", is_live=True),
    Vaccine("covid_19", "COVID-19"),
    Vaccine("pneumococcal", "Pneumococcal"),
    Vaccine("hepatitis_b", "Hepatitis B"),
    Vaccine("hpv", "HPV"),
    Vaccine("tdap", "Tetanus, diphtheria, pertussis"),
    Vaccine("meningococcal", "Meningococcal"),
    Vaccine("mmr", "Measles, mumps, rubella (live)", is_live=True),
    Vaccine("yellow_fever", "Yellow fever (live)", is_live=True),
    Vaccine("typhoid_oral", "Typhoid, oral (live)", is_live=True),
    Vaccine("other_inactivated", "Other, not live"),
    Vaccine("other_live", "Other, live", is_live=True),
)
VACCINES_BY_CODE: MappingProxyType[str, Vaccine] = MappingProxyType({vaccine.code: vaccine for vaccine in VACCINES})


def exam_title(kind: str) -> str:
    """The name of an exam kind."""
    return EXAM_TYPES[ExamKind(kind)].title


def vaccine_title(code: str) -> str:
    """The name of a vaccine; one that came from elsewhere reads as it was written."""
    known = VACCINES_BY_CODE.get(code)
    return known.title if known else code


def check_vaccination(
    vaccine: Vaccine, given_on: date, first_infusion_on: date | None, planned_start_on: date | None, gap_days: int
) -> Verdict:
    """What a vaccination means for the treatment.

    A live vaccine on or after the day of the first infusion is a safety event (R-30, label 5.2) and needs the reason
    or what was done about it. A planned course that starts less than ``gap_days`` after the dose is pointed out (R-28,
    R-29).
    """
    notes: list[Note] = []
    if vaccine.is_live and first_infusion_on is not None and given_on >= first_infusion_on:
        notes.append(
            deviation(
                "live_vaccine_after_course",
                "given_on",
                f"{vaccine.title} on {show_date(given_on)} is a live vaccine after a course of LEMTRADA (first "
                f"infusion {show_date(first_infusion_on)}). Live viral vaccines are not to be given after a course.",
                "R-30",
            )
        )
    earliest = given_on + timedelta(days=gap_days)
    if planned_start_on is not None and given_on <= planned_start_on < earliest:
        notes.append(
            remark(
                "course_too_soon_after_vaccine",
                "given_on",
                f"The course planned for {show_date(planned_start_on)} starts less than {gap_days} days after the dose "
                f"of {vaccine.title} on {show_date(given_on)}: not before {show_date(earliest)}.",
                "R-28" if vaccine.is_varicella else "R-29",
            )
        )
    return Verdict(tuple(notes))
