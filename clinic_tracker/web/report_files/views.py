"""Every page of files of reports; the views are in modules of their own."""

from clinic_tracker.web.report_files import run_views, schedule_views, verify_views
from clinic_tracker.web.report_files.blueprint import blueprint

__all__ = ["blueprint", "run_views", "schedule_views", "verify_views"]
