"""Forms of courses, authorization and prophylaxis, and what every form of treatment shares."""

import uuid
from dataclasses import replace
from typing import Any

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.notes import Note
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import prescriber_choices
from clinic_tracker.services.courses import CoursePlan
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.prophylaxis import ProphylaxisFacts
from clinic_tracker.web.forms import (
    DateField,
    Form,
    IdempotencyField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    VersionField,
)

VERIFICATION_METHODS = (("web", "REMS web site"), ("phone", "REMS by phone"), ("fax", "REMS by fax"))
# What becomes of vials is the facility's own business; no document of the REMS lists it (R-53, unconfirmed).
DISPOSITIONS = (
    ("", "Not known yet"),
    ("returned", "Returned to the supplier"),
    ("destroyed", "Destroyed on site"),
    ("kept", "Kept apart until it is decided"),
    ("other", "Something else (say it in the reason)"),
)
VIALS_HINT = "Vials of this course that were delivered and not used (R-53, unconfirmed)."
REASON_MISSING = "give the reason for departing from the protocol"
PRESCRIBER_MISSING = "give the name of the prescriber who decided this"


class DeviationForm(Form):
    """A form whose facts may depart from the protocol: then it asks why, and who decided."""

    deviation_reason = TextAreaField("Reason for departing from the protocol", max_length=2000)
    decided_by = StringField(
        "Prescriber who decided", hint="The name, where a prescriber must decide and another person writes it down."
    )

    def __init__(self, *args: Any, notes: tuple[Note, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._explain(notes)

    def refuse(self, violation: RuleViolation) -> None:
        """Also remember what has to be explained, so that the page lists it."""
        if not isinstance(violation, ReasonNeeded):
            super().refuse(violation)
            return
        self._explain(violation.notes)
        missing = REASON_MISSING if violation.field == "deviation_reason" else PRESCRIBER_MISSING
        super().refuse(RuleViolation(violation.code, violation.field, _asked(violation.notes, missing)))

    def _explain(self, notes: tuple[Note, ...]) -> None:
        # Never marked optional beside a list of what must be explained; whether it is missing the rules decide.
        self.notes = notes
        self.deviation_reason.required = self.decided_by.required = bool(notes)

    @property
    def asks_reason(self) -> bool:
        """Whether the page shows the fields of the reason."""
        return bool(self.notes or self.deviation_reason.data or self.deviation_reason.errors or self.decided_by.data)

    @property
    def asks_prescriber(self) -> bool:
        """Whether a prescriber must decide something here."""
        return any(note.needs_prescriber for note in self.notes) or bool(self.decided_by.data or self.decided_by.errors)

    @property
    def reasons(self) -> Reasons:
        """What was given as reason."""
        return Reasons(self.deviation_reason.data, self.decided_by.data)


def _asked(notes: tuple[Note, ...], missing: str) -> str:
    """The first departure in words, how many more the page lists, and what is missing."""
    more = f" And {len(notes) - 1} more:" if len(notes) > 1 else ""
    return f"{notes[0].message}{more} {missing if more else missing.capitalize()}"


class ReasonForm(Form):
    """One reason: for a withdrawal, a correction, a reopening."""

    reason = TextAreaField("Reason", required="Give the reason", max_length=2000)


class CourseForm(DeviationForm):
    """The plan of a course."""

    planned_start_on = DateField("Planned first day", hint="May stay empty while it is not known.")
    prescriber = SelectField("Prescriber")
    note = TextAreaField("Note", max_length=2000)
    version = VersionField()
    token = IdempotencyField()

    def preselect(self, scope: Scope, prescriber_id: int | None) -> None:
        """Start with the patient's own prescriber, where the form was not sent yet."""
        if self.prescriber.raw_data is not None:
            return
        choices = prescriber_choices(scope)
        self.prescriber.data = next((str(one.public_id) for one in choices if one.id == prescriber_id), None)

    @property
    def plan(self) -> CoursePlan:
        """What was planned."""
        prescriber = uuid.UUID(self.prescriber.data) if self.prescriber.data else None
        return CoursePlan(planned_start_on=self.planned_start_on.data, prescriber=prescriber, note=self.note.data)


class DiscontinueForm(ReasonForm):
    """The early end of a course."""

    discontinued_on = DateField("Ended on", required=True, not_future=True)
    unused_vials = IntegerField("Unused vials", minimum=0, hint=VIALS_HINT)
    vials_disposition = SelectField("What became of them", choices=DISPOSITIONS)
    version = VersionField()


def own_prescriber(scope: Scope) -> str | None:
    """The prescriber that the person at the keyboard is, to start a form with."""
    choices = prescriber_choices(scope)
    return next((str(choice.public_id) for choice in choices if choice.user_id == scope.user_id), None)


class AuthorizeForm(DeviationForm):
    """The neurologist's authorization of a course."""

    prescriber = SelectField("Authorizing prescriber", required=True)
    authorized_on = DateField("Date of authorization", required=True, not_future=True)
    rems_reference = StringField("REMS reference", hint="The number or confirmation on the form, if there is one.")
    note = TextAreaField("Note", max_length=2000)
    token = IdempotencyField()

    @property
    def values(self) -> dict[str, Any]:
        """What was stated, by the names of the service."""
        return {
            "prescriber": uuid.UUID(self.prescriber.data),
            "authorized_on": self.authorized_on.data,
            "override_reason": self.deviation_reason.data,
            "rems_reference": self.rems_reference.data,
            "note": self.note.data,
        }


class VerifyForm(Form):
    """The facility's verification of an authorization."""

    verified_on = DateField("Verified on", required=True, not_future=True)
    method = SelectField("How", required=True, choices=(("", "Choose"), *VERIFICATION_METHODS))


class ProphylaxisForm(DeviationForm):
    """An antiviral."""

    drug = StringField("Drug", required=True, max_length=80, hint="For example aciclovir or valaciclovir.")
    dose = StringField("Dose", max_length=80, hint="For example 200 mg twice daily.")
    started_on = DateField("Started on", required=True, not_future=True)
    course = SelectField("Course")
    note = TextAreaField("Note", max_length=2000)
    token = IdempotencyField()

    @property
    def facts(self) -> ProphylaxisFacts:
        """What was stated."""
        return ProphylaxisFacts(
            drug=self.drug.data or "",
            dose=self.dose.data,
            started_on=self.started_on.data,
            course=uuid.UUID(self.course.data) if self.course.data else None,
            note=self.note.data,
        )


class CorrectProphylaxisForm(ProphylaxisForm):
    """A corrected antiviral, with the stop where there was one."""

    stopped_on = DateField("Stopped on", not_future=True)
    stop_reason = StringField("Reason of the stop", max_length=2000)
    reason = TextAreaField("Reason of the correction", required="Give the reason of the correction", max_length=2000)

    @property
    def facts(self) -> ProphylaxisFacts:
        """What was stated, the stop included."""
        return replace(super().facts, stopped_on=self.stopped_on.data, stop_reason=self.stop_reason.data)


class StopProphylaxisForm(DeviationForm):
    """The end of an antiviral."""

    stopped_on = DateField("Last day taken", required=True, not_future=True)
