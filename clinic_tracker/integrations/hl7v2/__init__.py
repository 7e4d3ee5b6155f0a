"""HL7 version 2: results as ORU^R01, and the acknowledgments of them."""

from clinic_tracker.integrations.hl7v2.ack import acknowledge
from clinic_tracker.integrations.hl7v2.messages import parse

__all__ = ["acknowledge", "parse"]
