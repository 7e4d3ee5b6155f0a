"""Forms of follow-up tasks."""

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.screening import EXAM_TYPES
from clinic_tracker.domain.vocabulary import ExamKind, FindingAction, Panel
from clinic_tracker.services.tasks import TaskDetails
from clinic_tracker.web.forms import DateField, Form, SelectField, StringField, TextAreaField
from clinic_tracker.web.labs.forms import PANELS
from clinic_tracker.web.labs.review_forms import ACTION_WORDS


class TaskReasonForm(Form):
    """Why a task is closed, opened again or taken back."""

    reason = TextAreaField("Reason", required="Give the reason", max_length=2000)


class TaskForm(Form):
    """What the task should have said, and why it is changed."""

    action = SelectField("Kind", required="Choose the kind")
    words = StringField("What is to be done", required="Say what is to be done", max_length=2000)
    due_on = DateField("By which day", required="Enter the day")
    panel = SelectField("Done by a later result of")
    reason = TextAreaField("Reason of the change", required="Give the reason", max_length=2000)

    def offer(self, catalog: LabCatalog) -> None:
        """The kinds, and the panels and exams to choose from."""
        self.action.choices = [
            (action, words) for action, words in ACTION_WORDS.items() if action is not FindingAction.NO_ACTION
        ]
        panels = [panel for panel in PANELS if panel is not Panel.OTHER]
        self.panel.choices = [
            ("", "None: it is closed with a reason"),
            *((panel, panel_title(catalog, panel)) for panel in panels),
            *((kind, known.title) for kind, known in EXAM_TYPES.items()),
        ]

    @property
    def details(self) -> TaskDetails:
        """The answers."""
        wanted = self.panel.data
        panel = Panel(wanted) if wanted in set(Panel) else None
        kind = ExamKind(wanted) if wanted in set(ExamKind) else None
        return TaskDetails(FindingAction(self.action.data), self.due_on.data, self.words.data, panel, kind)
