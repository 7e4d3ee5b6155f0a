"""Pages of patients: importing this module registers every route of the blueprint."""

from clinic_tracker.web.patients.blueprint import blueprint

__all__ = ["blueprint"]
