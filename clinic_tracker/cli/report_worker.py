"""``flask reports``: the worker that makes files of reports."""

from clinic_tracker.cli.support import PlainGroup
from clinic_tracker.models import reporting  # noqa: F401

group = PlainGroup("reports", help="Make the files of reports that were asked for or are due.")
