"""What the outcome of an exam calls for: the rule, how loud, what to do, and where the rule comes from."""

from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from clinic_tracker.domain.lab_findings import Finding
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.panels import Level
from clinic_tracker.domain.screening import EXAM_TYPES
from clinic_tracker.domain.vocabulary import ExamKind, Grade

CONVENTION = "Local convention"
_REPEAT = "Repeat the test, or decide without it and say why."


class ExamRule(NamedTuple):
    """What one outcome of one kind of exam calls for; its code is ``kind_outcome``."""

    kind: ExamKind
    outcome: str
    level: Level
    action: str
    source: str = CONVENTION
    grade: Grade = Grade.C

    @property
    def code(self) -> str:
        """The name under which the finding is answered."""
        return f"{self.kind.value}_{self.outcome}"


# HIV infection is a contraindication (label 4, R-32), pregnancies are reported, screening follows.
# How loud an outcome is, other than HIV infection, is nobody's rule but the clinics' own.
_RULES = (
    ExamRule(
        ExamKind.HIV_TEST,
        "positive",
        Level.RED,
        "No infusion: HIV infection is a contraindication. Confirm the result and refer.",
        "Label 4: contraindications",
        Grade.A,
    ),
    ExamRule(
        ExamKind.HIV_TEST,
        "indeterminate",
        Level.AMBER,
        "Confirm the result: the test must be negative before the first infusion.",
        "Local convention; HIV infection is a contraindication (label 4)",
    ),
    ExamRule(
        ExamKind.PREGNANCY_TEST,
        "positive",
        Level.RED,
        "No infusion. Decide with the patient what follows, and report the pregnancy; thyroid tests go on.",
        "Local convention; that pregnancies are reported is safety information",
    ),
    ExamRule(
        ExamKind.TB_SCREEN,
        "positive",
        Level.AMBER,
        "Look for active and latent tuberculosis before any infusion.",
        "Local convention; tuberculosis under treatment is safety information",
    ),
    ExamRule(ExamKind.TB_SCREEN, "indeterminate", Level.AMBER, _REPEAT),
    ExamRule(
        ExamKind.HEPATITIS_B,
        "positive",
        Level.AMBER,
        "Clarify whether the infection is active or past before any infusion; refer.",
        "Local convention; that screening is considered at high risk is safety information",
    ),
    ExamRule(ExamKind.HEPATITIS_B, "indeterminate", Level.AMBER, _REPEAT),
    ExamRule(
        ExamKind.HEPATITIS_C,
        "positive",
        Level.AMBER,
        "Clarify whether the infection is active or past before any infusion; refer.",
        "Local convention; that screening is considered at high risk is safety information",
    ),
    ExamRule(ExamKind.HEPATITIS_C, "indeterminate", Level.AMBER, _REPEAT),
    ExamRule(
        ExamKind.HPV_SCREEN,
        "positive",
        Level.AMBER,
        "Refer to gynecology.",
        "Local convention; yearly screening is safety information",
    ),
    ExamRule(ExamKind.HPV_SCREEN, "indeterminate", Level.AMBER, _REPEAT),
    ExamRule(
        ExamKind.SKIN_EXAM,
        "abnormal",
        Level.AMBER,
        "See that the finding is clarified: melanoma is one of the risks.",
        "Local convention; yearly skin exams are safety information",
    ),
    ExamRule(
        ExamKind.VZV_SEROLOGY,
        "not_immune",
        Level.AMBER,
        "Consider vaccination, six weeks or more before the first infusion; no live vaccine after a course.",
        "Local convention; the label has vaccination considered (secondary source)",
    ),
    ExamRule(ExamKind.VZV_SEROLOGY, "indeterminate", Level.AMBER, _REPEAT),
    ExamRule(ExamKind.ECG, "abnormal", Level.AMBER, "Have the heart assessed before any infusion."),
)
EXAM_RULES: MappingProxyType[tuple[str, str], ExamRule] = MappingProxyType(
    {(rule.kind.value, rule.outcome): rule for rule in _RULES}
)


def exam_level(kind: str, outcome: str) -> str | None:
    """How loud the outcome of an exam is; None for one that calls for nothing."""
    rule = EXAM_RULES.get((kind, outcome))
    return rule.level.value if rule is not None else None


def exam_findings(kind: str, outcome: str, on: date) -> tuple[Finding, ...]:
    """The finding of an exam, with its value and date in words; none for an outcome that calls for nothing."""
    rule = EXAM_RULES.get((kind, outcome))
    if rule is None:
        return ()
    known = EXAM_TYPES[rule.kind]
    words = f"{known.title} of {show_date(on)}: {known.words(outcome).lower()}"
    return (Finding(rule.code, rule.level, words, rule.action, (), rule.source, rule.grade),)
