"""What has to be in place before an infusion starts, as notes of a verdict (one source: the list of readiness)."""

from collections.abc import Iterable

from clinic_tracker.domain.drug_check import Product, check_of_start
from clinic_tracker.domain.notes import Note, Severity, Verdict, deviation
from clinic_tracker.domain.readiness import Answers, Group, Readiness, check_answers, readiness
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.drug_checks import checks_of_infusion, people_needed, standing_checks
from clinic_tracker.queries.readiness import facts_of
from clinic_tracker.queries.scope import Scope

# What the rules of the day judge themselves, with what the page states and is not stored yet.
_JUDGED_BY_DAY = frozenset({"course_gap", "course_days", "steroid", "vital_signs"})
# What those rules let anybody explain, and a prescriber has to decide while the infusion has not started.
_FOR_PRESCRIBER = frozenset({"no_steroid", "steroid_late", "no_vitals_before", "days_not_consecutive"})
_DRUG_CHECK = "drug_check"


def readiness_notes(
    scope: Scope, patient: Patient, course: TreatmentCourse, infusion: Infusion, *, live: bool
) -> list[Note]:
    """What stands in the way of an infusion that is being recorded: refused or for a prescriber to decide while it is
    a live start; after the fact every one is a departure with a reason.
    """
    on, excluding = infusion.infused_on, infusion.id
    found = readiness(facts_of(scope, patient.id, patient.protocol_id, course.id, on, excluding))
    notes = [item.note for item in found.blockers if item.code not in _JUDGED_BY_DAY]
    if not live:
        return [note._replace(severity=Severity.DEVIATION, needs_prescriber=False) for note in notes]
    return notes + _unchecked_drug(found)


def start_verdict_of(
    scope: Scope, patient: Patient, course: TreatmentCourse, infusion: Infusion, answers: Answers
) -> Verdict:
    """What follows from the questions asked before each start, and from the checks of the drug (R-34, R-55)."""
    facts = facts_of(scope, patient.id, patient.protocol_id, course.id, infusion.infused_on)
    product = Product(infusion.dose_mg or 0.0, infusion.lot_number or "", infusion.lot_expires_on)
    checked = check_of_start(product, standing_checks(scope, course.id, infusion.infused_on))
    return check_answers(answers, may_be_pregnant=facts.may_be_pregnant) + checked


def checks_lacking(scope: Scope, patient: Patient, infusion_id: int) -> Verdict:
    """An infusion that started with fewer checks of the drug than the clinic wants is a deviation (R-55)."""
    people = people_needed(scope, patient.protocol_id)
    done = len({check.checked_by_id for check in checks_of_infusion(scope, infusion_id)})
    if done >= people:
        return Verdict()
    words = f"Fewer checks of the drug before the start than the clinic wants: {done} of {people}."
    return Verdict((deviation("drug_not_checked", None, words, "R-55"),))


def decided_by_prescriber(_scope: Scope, notes: Iterable[Note]) -> list[Note]:
    """The notes of a live start: what would need a reason from anybody needs a prescriber's where it is a soft stop."""
    return [
        note._replace(needs_prescriber=True)
        if note.severity is Severity.DEVIATION and note.code in _FOR_PRESCRIBER
        else note
        for note in notes
    ]


def _unchecked_drug(found: Readiness) -> list[Note]:
    """Where the clinic wants the drug checked by named people, a start without it is for a prescriber (R-55)."""
    return [
        deviation(item.breach, None, f"{item.title}: {item.words}", item.requirement, by_prescriber=True)
        for item in found.items
        if item.group is Group.DAY and item.code == _DRUG_CHECK and item.is_open
    ]
