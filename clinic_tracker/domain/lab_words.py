"""The words and codes that laboratories use around results: spoiled specimens, outcomes, tests not followed here.

Tables only: what is not listed is not understood, and a person is asked.
"""

import re
from functools import lru_cache
from types import MappingProxyType

from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.vocabulary import ExamKind, Panel

_S = SpecimenProblem
#: What is said of a specimen, most specific first.
SPECIMEN_PHRASES: tuple[tuple[str, SpecimenProblem], ...] = (
    ("platelet clump", _S.CLUMPED),
    ("platelets clump", _S.CLUMPED),
    ("clumped", _S.CLUMPED),
    ("clumping", _S.CLUMPED),
    ("clumps", _S.CLUMPED),
    ("hemolyzed", _S.HEMOLYZED),
    ("hemolysed", _S.HEMOLYZED),
    ("gross hemolysis", _S.HEMOLYZED),
    ("marked hemolysis", _S.HEMOLYZED),
    ("moderate hemolysis", _S.HEMOLYZED),
    ("hemolysis interferes", _S.HEMOLYZED),
    ("clotted", _S.CLOTTED),
    ("clot detected", _S.CLOTTED),
    ("clots detected", _S.CLOTTED),
    ("specimen contaminated", _S.CONTAMINATED),
    ("contaminated specimen", _S.CONTAMINATED),
    ("sample contaminated", _S.CONTAMINATED),
    ("contaminated", _S.CONTAMINATED),
    ("quantity not sufficient", _S.QUANTITY_NOT_SUFFICIENT),
    ("quantity insufficient", _S.QUANTITY_NOT_SUFFICIENT),
    ("insufficient quantity", _S.QUANTITY_NOT_SUFFICIENT),
    ("insufficient specimen", _S.QUANTITY_NOT_SUFFICIENT),
    ("insufficient sample", _S.QUANTITY_NOT_SUFFICIENT),
    ("insufficient volume", _S.QUANTITY_NOT_SUFFICIENT),
    ("qns", _S.QUANTITY_NOT_SUFFICIENT),
)
_NOT_BEFORE = frozenset({"no", "not", "non", "without", "slight", "slightly", "minimal", "minimally", "trace", "mild"})
_NOT_AFTER = frozenset({"none", "absent", "not", "negative", "no"})
_WORD = re.compile(r"[a-z]+")
_NEAR = 3
_SCREEN = re.compile("clump|hemoly|clot|contamin|qns|insufficient|not sufficient")

#: Which panels a spoiled specimen spoils; all of the report where it is not said.
SPOILS: MappingProxyType[SpecimenProblem, frozenset[Panel]] = MappingProxyType(
    {
        _S.CLUMPED: frozenset({Panel.CBC_DIFF}),
        _S.CLOTTED: frozenset({Panel.CBC_DIFF, Panel.CD4}),
        _S.HEMOLYZED: frozenset(Panel) - {Panel.URINALYSIS_CELLS, Panel.UPCR},
        _S.CONTAMINATED: frozenset(Panel),
        _S.QUANTITY_NOT_SUFFICIENT: frozenset(Panel),
    }
)

_OF_THE_TUBE = frozenset({_S.CLUMPED, _S.CLOTTED, _S.HEMOLYZED})

NEGATIVE_WORDS = frozenset(
    {
        "negative", "neg", "not detected", "none detected", "undetected", "non reactive", "nonreactive", "not reactive",
        "absent", "negative for hpv", "hpv negative",
    }
)  # fmt: skip
POSITIVE_WORDS = frozenset(
    {"positive", "pos", "detected", "reactive", "present", "repeatedly reactive", "hpv positive", "positive for hpv"}
)
INDETERMINATE_WORDS = frozenset(
    {"indeterminate", "equivocal", "borderline", "inconclusive", "indeterminate result", "gray zone", "grayzone"}
)
IMMUNE_WORDS = frozenset({"immune", "consistent with immunity", "evidence of immunity"})
NOT_IMMUNE_WORDS = frozenset({"not immune", "non immune", "nonimmune", "no evidence of immunity", "susceptible"})
#: The same as SNOMED CT concepts.
CONCEPTS: MappingProxyType[str, str] = MappingProxyType(
    {
        "260385009": "negative",
        "260415000": "not detected",
        "131194007": "non reactive",
        "10828004": "positive",
        "260373001": "detected",
        "11214006": "reactive",
        "82334004": "indeterminate",
        "419984006": "inconclusive",
    }
)
#: Antibodies against the surface of hepatitis B say that somebody is protected, not that somebody is ill.
PROTECTION_LOINC = frozenset({"5193-8", "22322-2"})
#: A percentage of CD4 cells is no count (R-61).
PERCENT_ONLY: MappingProxyType[str, Panel] = MappingProxyType({"8123-2": Panel.CD4})

#: Orders that hold several panels, by LOINC.
ORDERED_TOGETHER: MappingProxyType[str, tuple[Panel, ...]] = MappingProxyType(
    {
        "24323-8": (Panel.CREATININE, Panel.LIVER_PANEL),
        "24320-4": (Panel.CREATININE,),
        "24321-2": (Panel.CREATININE,),
        "51990-0": (Panel.CREATININE,),
        "24362-6": (Panel.CREATININE,),
        "24325-3": (Panel.LIVER_PANEL,),
        "24324-6": (Panel.LIVER_PANEL,),
    }
)

#: Well-known tests that come along with the panels and that nothing here asks for. Any other code is asked about.
#: In turn: chemistry; red cells, percentages and the rest of the differential; the strip; other lymphocyte subsets;
#: tubes of an IGRA, lipids and HbA1c.
_NOT_FOLLOWED = """
2951-2 2823-3 2075-0 2028-9 3094-0 2345-7 17861-6 2885-2 1751-7 10834-0 2336-6 1759-0 33037-3 10466-1 1863-0
3097-3 33914-3 48642-3 48643-1 62238-1 88293-6 88294-4 98979-8 1971-1 2324-2 2339-0 1963-8 2777-1 19123-9
3084-1
787-2 30428-7 785-6 28539-5 786-4 28540-3 788-0 21000-5 30384-2 30385-9 32623-1 28542-9 789-8 26453-1 770-8
26511-6 736-9 26478-8 742-7 26484-6 5905-5 26485-3 711-2 26449-9 713-8 26450-7 704-7 26444-0 706-2 30180-4
51584-1 53115-2 38518-7 71695-1 58413-6 771-6 19048-8
5778-6 5767-9 32167-9 5811-5 2965-2 5803-2 2756-5 5792-7 25428-4 5797-6 2514-8 5770-3 1978-6 5818-0 20405-7
5802-4 5799-2 5769-5 25145-4 11277-1 20453-7 5796-8 8247-9 2888-6 2161-8
8122-4 8124-0 14135-2 8101-8 54218-3 8116-6 8117-4
71776-9 71774-4 64084-5 46217-6 2093-3 2085-9 13457-7 18262-6 4548-4
"""
NOT_FOLLOWED = frozenset(_NOT_FOLLOWED.split())

_OUTCOMES: MappingProxyType[ExamKind, tuple[str, str, str]] = MappingProxyType(
    dict.fromkeys(ExamKind, ("negative", "positive", "indeterminate"))
    | {ExamKind.VZV_SEROLOGY: ("not_immune", "immune", "indeterminate")}
)


@lru_cache(maxsize=4096)  # laboratories print the same words over and over
def specimen_problem(text: str) -> SpecimenProblem | None:
    """What is wrong with the specimen in the words of a note or a value; ``None`` if nothing is said to be.

    "No clumps seen", "platelet clumps: none" and "slightly hemolyzed" say that nothing is.
    """
    words = text.lower()
    if not _SCREEN.search(words):
        return None
    for phrase, problem in SPECIMEN_PHRASES:
        place = words.find(phrase)
        while place >= 0:
            if not _denied(words, place, place + len(phrase)):
                return problem
            place = words.find(phrase, place + 1)
    return None


def of_the_tube(text: str) -> SpecimenProblem | None:
    """The same where a line about something else says it of the blood itself: a smear with clumps, a clotted tube.

    What concerns that line alone (not enough left for one more test, a contaminated culture) does not count here.
    """
    found = specimen_problem(text)
    return found if found in _OF_THE_TUBE else None


def outcome_of(kind: ExamKind, text: str, concepts: tuple[str, ...] = ()) -> str | None:
    """The outcome of an exam in the words of its list; ``None`` if the words or the concept are not known."""
    words = [" ".join(text.lower().replace("-", " ").replace(".", " ").split())]
    words += [CONCEPTS[code] for code in concepts if code in CONCEPTS]
    no, yes, perhaps = _OUTCOMES[kind]
    for word in words:
        if word in NEGATIVE_WORDS or (kind is ExamKind.VZV_SEROLOGY and word in NOT_IMMUNE_WORDS):
            return no
        if word in POSITIVE_WORDS or (kind is ExamKind.VZV_SEROLOGY and word in IMMUNE_WORDS):
            return yes
        if word in INDETERMINATE_WORDS and kind is not ExamKind.PREGNANCY_TEST:
            return perhaps
    return None


def _denied(words: str, begin: int, end: int) -> bool:
    """Whether the phrase is denied or played down by the words just before or just after it, in the same clause."""
    before = _WORD.findall(re.split(r"[.;]", words[:begin])[-1])[-_NEAR:]
    after = _WORD.findall(re.split(r"[.;,]", words[end:])[0])[:_NEAR]
    return bool(_NOT_BEFORE.intersection(before) or _NOT_AFTER.intersection(after))
