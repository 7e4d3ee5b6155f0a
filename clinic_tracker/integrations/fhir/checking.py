"""Whether a resource is FHIR: its elements by the library, its code lists by the lists here (the library has none)."""

from functools import cache
from typing import Any

from clinic_tracker.domain.messages import Problem, Reason
from clinic_tracker.integrations.fhir.document import Json, item, items, text_of
from clinic_tracker.integrations.fhir.values import codes_of
from clinic_tracker.integrations.wire import safe

READ = frozenset({"DiagnosticReport", "Observation", "Patient", "Specimen"})
OBSERVATION_STATUS = frozenset(
    {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"}
)
REPORT_STATUS = OBSERVATION_STATUS | {"partial", "appended"}
GENDER = frozenset({"male", "female", "other", "unknown"})
COMPARATOR = frozenset({"<", "<=", ">=", ">"})
SPECIMEN_STATUS = frozenset({"available", "unavailable", "unsatisfactory", "entered-in-error"})
_STATUS = {
    "DiagnosticReport": REPORT_STATUS,
    "Observation": OBSERVATION_STATUS,
    "Specimen": SPECIMEN_STATUS,
}
_LONGEST_PLACE = 200


def check_resource(resource: Json, path: str) -> Problem | None:
    """What is wrong with a resource of a kind in ``READ``, the first thing found; ``None`` if it is good."""
    kind = str(resource.get("resourceType"))
    model = _models()[kind]
    try:
        model.model_validate(resource)
    except RecursionError:
        return Problem(path, "The objects are nested too deeply.")
    except Exception as error:  # noqa: BLE001 - the library raises what its code stumbles over; all of it means: no FHIR
        return _explain(error, path)
    return _check_codes(resource, path)


@cache
def _models() -> dict[str, Any]:
    """The classes of the library; imported when first needed, because that takes a while."""
    from fhir.resources.R4B.diagnosticreport import DiagnosticReport  # noqa: PLC0415
    from fhir.resources.R4B.observation import Observation  # noqa: PLC0415
    from fhir.resources.R4B.patient import Patient  # noqa: PLC0415
    from fhir.resources.R4B.specimen import Specimen  # noqa: PLC0415

    return {model.__name__: model for model in (DiagnosticReport, Observation, Patient, Specimen)}


def _explain(error: Exception, path: str) -> Problem:
    """The first complaint of the library as a place and a sentence; it never quotes what was sent."""
    errors = error.errors(include_input=False, include_url=False) if hasattr(error, "errors") else []
    if not errors:
        return Problem(path, "This cannot be read as a resource of FHIR R4.")
    first = errors[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first.get("loc", ()))
    where = safe(f"{path}{place}")[:_LONGEST_PLACE]
    kind = str(first.get("type", ""))
    if "missing" in kind:
        return Problem(where, "A value is required here.", Reason.MISSING)
    if kind == "extra_forbidden":
        return Problem(where, "There is no such element in FHIR R4.")
    if not first.get("loc"):
        return Problem(where, "Of several kinds of value only one may be sent.")
    return Problem(where, "The value is not of the type that belongs here.")


def _check_codes(resource: Json, path: str) -> Problem | None:
    kind = str(resource.get("resourceType"))
    status = text_of(resource, "status")
    if kind in _STATUS and (status or kind != "Specimen") and status not in _STATUS[kind]:
        return Problem(f"{path}.status", "This is not one of the codes of FHIR for it.")
    if kind == "Patient" and resource.get("gender") not in (None, *GENDER):
        return Problem(f"{path}.gender", "This is not one of the codes of FHIR for it.")
    if kind in ("Observation", "DiagnosticReport") and not codes_of(item(resource, "code")):
        return Problem(f"{path}.code", "What was measured is missing.", Reason.MISSING)
    places = [
        (resource, path),
        *((one, f"{path}.component[{n}]") for n, one in enumerate(items(resource, "component"))),
    ]
    for holder, where in places:
        if item(holder, "valueQuantity").get("comparator") not in (None, *COMPARATOR):
            return Problem(f"{where}.valueQuantity.comparator", "This is not one of the codes of FHIR for it.")
    for number, inner in enumerate(items(resource, "contained")):
        found = _check_codes(inner, f"{path}.contained[{number}]") if inner.get("resourceType") in READ else None
        if found:
            return found
    return None
