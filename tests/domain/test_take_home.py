"""The sheet to take home: what to do comes first, in words that anybody can read."""

import re
from dataclasses import replace
from datetime import date

import pytest

from clinic_tracker.domain.course_forms.take_home import TakeHome, TakeHomeFacts, take_home

pytestmark = pytest.mark.no_database

FACTS = TakeHomeFacts(
    clinic="Northside",
    clinic_phone="555-0100",
    prescriber="Dr. Tomas Rey",
    emergency_number="911",
    course=1,
    day_number=2,
    planned_days=5,
    infused_on=date(2026, 1, 30),
    antiviral="acyclovir",
    next_infusion_on=date(2026, 1, 31),
    next_test_on=date(2026, 2, 27),
)
JARGON = re.compile(
    r"dissection|autoimmun|hypersensitiv|thrombocyt|anaphyla|cervicocephalic|hemorrh|infect|sclerosis|prophyla|"
    r"contraindic|symptom|reaction|monitor|dyspnea|urticaria|physician|medication",
    re.IGNORECASE,
)


def everything(sheet: TakeHome) -> str:
    lines = [sheet.about]
    for part in sheet.parts:
        lines += [part.title, part.lead, *part.points, *part.blanks, part.after]
    return "\n".join(line for line in lines if line)


def syllables(word: str) -> int:
    bare = re.sub(r"(?:[^laeiouy]es|ed|[^laeiouy]e)$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]{1,2}", bare)))


def grade(text: str) -> float:
    """The Flesch-Kincaid grade: years of school needed to read it. A line of a list is a sentence."""
    sentences = [part for part in re.split(r"[.!?:\n]", text) if re.search("[A-Za-z]", part)]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def test_emergencies_come_first_and_say_until_when_to_watch():
    first = take_home(FACTS).parts[0]
    assert first.urgent
    assert first.title == "Call 911 right away if"
    assert "until 02-Feb-2026" in first.lead, "three days, into the next month"
    assert "one side of your face droops" in first.points


def test_it_reads_at_the_level_of_a_sixth_grade_and_names_no_disease():
    text = everything(take_home(FACTS))
    assert grade(text) <= 6
    assert JARGON.findall(text) == []


def test_every_part_reads_plainly():
    for part in take_home(FACTS).parts:
        assert grade("\n".join([part.lead, *part.points, part.after])) <= 6, part.title


def test_whom_to_call_and_when_to_come_again():
    text = everything(take_home(FACTS))
    for words in ("Northside: 555-0100", "Ask for Dr. Tomas Rey.", "Your next infusion: 31-Jan-2026",
                  "Your next blood and urine tests: 27-Feb-2026", "take your acyclovir each day"):  # fmt: skip
        assert words in text


def test_what_is_not_known_is_a_line_to_write_on():
    bare = replace(FACTS, clinic_phone=None, prescriber=None, next_infusion_on=None, next_test_on=None, antiviral=None)
    blanks = [label for part in take_home(bare).parts for label in part.blanks]
    assert blanks == [
        "Phone of Northside:",
        "At night and on weekends:",
        "Your next infusion:",
        "Your next blood and urine tests:",
    ]


def test_after_the_last_day_no_further_infusion_is_promised():
    last = replace(FACTS, day_number=5, next_infusion_on=None)
    assert "next infusion" not in everything(take_home(last))
