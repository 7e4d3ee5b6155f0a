"""The words of the baseline set: what is met until when, what is missing, what a move makes lapse."""

from dataclasses import dataclass
from datetime import date, timedelta

from clinic_tracker.domain.baseline import Baseline, BaselineItem, BaselineState, Weight
from clinic_tracker.queries.baseline import baseline_settings, course_baseline, start_to_authorize
from clinic_tracker.queries.treatment import regimen_of
from clinic_tracker.queries.treatment_rows import CourseRow
from clinic_tracker.web.patients.pages import OpenChart

STATE_WORDS = {
    BaselineState.MET: ("done", "Met"),
    BaselineState.MISSING: ("overdue", "Missing"),
    BaselineState.EXPIRED: ("overdue", "Expired"),
    BaselineState.EXPIRES_BEFORE_START: ("due", "Expires before the start"),
    BaselineState.NOT_APPLICABLE: ("waived", "Not needed"),
    BaselineState.TOO_SOON: ("overdue", "Too soon"),
    BaselineState.CONTRAINDICATED: ("overdue", "Contraindication"),
    BaselineState.TO_CONFIRM: ("due", "To decide"),
    BaselineState.EXCEEDED: ("overdue", "Too many"),
}
WEIGHT_WORDS = {Weight.BLOCK: "Required", Weight.WARN: "Recommended", Weight.ADVISORY: "Optional"}


@dataclass(frozen=True, slots=True)
class BaselineLine:
    """One item of the set."""

    item: BaselineItem

    @property
    def shape(self) -> str:
        """The shape of the state; what is only recommended never shows red."""
        shape = STATE_WORDS[self.item.state][0]
        return "due" if shape == "overdue" and self.item.weight is not Weight.BLOCK else shape

    @property
    def state(self) -> str:
        """The state in words."""
        return STATE_WORDS[self.item.state][1]

    @property
    def weight(self) -> str:
        """Whether it is required."""
        return WEIGHT_WORDS[self.item.weight]


@dataclass(frozen=True, slots=True)
class BaselinePage:
    """The baseline set of a course for a planned first day."""

    start_on: date
    baseline: Baseline
    window_days: int
    today: date

    @property
    def lines(self) -> list[BaselineLine]:
        """The items, what is open first."""
        return sorted((BaselineLine(item) for item in self.baseline.items), key=lambda line: not line.item.is_unmet)

    @property
    def open_required(self) -> int:
        """How many required items are open."""
        return sum(item.weight is Weight.BLOCK for item in self.baseline.unmet)

    @property
    def expires_on(self) -> date:
        """When an authorization of today would expire: the earliest lapse."""
        end = self.today + timedelta(days=self.window_days)
        holds = self.baseline.holds_until
        return min(end, holds) if holds is not None and holds >= self.today else end


def baseline_page(chart: OpenChart, course: CourseRow) -> BaselinePage | None:
    """The set for the day that an authorization of today is for; None while no day is planned."""
    scope, header = chart.scope, chart.header
    resume_days = regimen_of(scope, header.protocol_id).resume_same_course_days
    start_on = start_to_authorize(scope, course.id, resume_days, scope.today)
    if start_on is None:
        return None
    baseline = course_baseline(scope, header.id, header.protocol_id, course.number, start_on)
    window = baseline_settings(scope, header.protocol_id).baseline_window_days
    return BaselinePage(start_on, baseline, window, scope.today)
