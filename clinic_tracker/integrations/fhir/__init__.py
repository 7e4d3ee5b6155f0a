"""FHIR R4 in JSON: results as a Bundle, a DiagnosticReport or an Observation, and the answers to them."""

from clinic_tracker.integrations.fhir.answer import answer
from clinic_tracker.integrations.fhir.messages import parse

__all__ = ["answer", "parse"]
