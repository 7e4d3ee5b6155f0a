"""The tallies of people on no list in words: what is counted, why it matters, what to do, what the date is."""

from dataclasses import dataclass

from clinic_tracker.queries.tallies import Tally


@dataclass(frozen=True, slots=True)
class TallyWords:
    """What a tally says. ``short`` fits after a count: "3 without a prescriber"."""

    title: str
    short: str
    why: str
    todo: str
    since: str
    endpoint: str


TALLY_WORDS = {
    Tally.NOT_SIGNED_OUT: TallyWords(
        title="Infusion on an earlier day, never signed out",
        short="infused and never signed out",
        why="An infusion of an earlier day has no discharge time, so nobody can tell whether the patient was observed.",
        todo="Open the infusion and record when the patient left, or why the observation was shorter.",
        since="Infused on",
        endpoint="infusions.courses",
    ),
    Tally.PLANNED_START_PASSED: TallyWords(
        title="Planned start passed, no infusion",
        short="past the planned start of a course",
        why="The planned first day has passed without an infusion: it was not entered, or the course did not begin.",
        todo="Enter the infusion, move the planned start, or discontinue the course with a reason.",
        since="Planned for",
        endpoint="infusions.courses",
    ),
    Tally.COURSE_UNFINISHED: TallyWords(
        title="Course begun and not finished",
        short="with a course begun and not finished",
        why="Days of the course are left, and none was given for a week: they were not entered, or the course ended.",
        todo="Enter the missing days, give them, or discontinue the course with a reason.",
        since="Last infusion",
        endpoint="infusions.courses",
    ),
    Tally.NO_COURSE_PLANNED: TallyWords(
        title="Enrolled, no course planned",
        short="enrolled with no course planned",
        why="An enrolled patient without a planned course waits for something that nobody has written down.",
        todo="Plan the course, or end the enrollment with a reason.",
        since="Enrolled on",
        endpoint="infusions.courses",
    ),
    Tally.NO_MONITORING: TallyWords(
        title="Treated, nothing is scheduled",
        short="treated with nothing scheduled",
        why="The patient was infused and monitoring has not ended, yet nothing falls due: everything may be waived.",
        todo="Look at the waivers of the chart. If there are none, have the schedule rebuilt (flask schedule rebuild).",
        since="",
        endpoint="patients.chart",
    ),
    Tally.NO_EVIDENCE: TallyWords(
        title="No evidence for a long time",
        short="without any evidence for a long time",
        why="Not one result, exam, form or infusion has reached the chart for longer than the clinic's settings allow "
        "(90 days unless changed, local convention).",
        todo="Ask the patient and the laboratory. If the patient moved away or died, have monitoring signed off.",
        since="Last evidence",
        endpoint="patients.chart",
    ),
    Tally.NO_PRESCRIBER: TallyWords(
        title="No active prescriber",
        short="without an active prescriber",
        why="Nobody reviews the results or decides: there is no prescriber, or one who no longer works here.",
        todo="Choose a certified prescriber for the patient.",
        since="",
        endpoint="patients.prescriber",
    ),
    Tally.NOT_SIGNED_OFF: TallyWords(
        title="Monitoring ended, not signed off",
        short="ended and not signed off",
        why="The last due date has passed. A prescriber confirms the end, or extends monitoring where it is indicated.",
        todo="Ask the prescriber to close or to extend monitoring.",
        since="Ended on",
        endpoint="patients.close",
    ),
    Tally.TO_AUTHORIZE: TallyWords(
        title="Courses to authorize",
        short="waiting for the authorization of a course",
        why="A planned course cannot begin without an authorization of a certified prescriber that is still in force.",
        todo="Look at the baseline set of the course, then authorize it.",
        since="Planned for",
        endpoint="infusions.courses",
    ),
}
