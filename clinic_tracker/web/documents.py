"""Documents that leave the tracker: whose they are, who made them, and how they are answered."""

from flask import Response

from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.filters import clock, date_text, person_name_text


def person_line(header: PatientHeader) -> str:
    """Whose document it is, for the head of each sheet of paper."""
    return f"{person_name_text(header)}, born {date_text(header.birth_date)}, MRN {header.mrn}"


def made_by(scope: Scope) -> str:
    """Who made a document, and when on the clinic's clock."""
    return f"Made by {scope.actor_name}, {date_text(scope.today)} {clock(scope.now, scope.time_zone)}"


def pdf_answer(content: bytes, name: str) -> Response:
    """A PDF to save, kept by no cache; its file name holds no name of a person."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "no-store"}
    return Response(content, mimetype="application/pdf", headers=headers)
