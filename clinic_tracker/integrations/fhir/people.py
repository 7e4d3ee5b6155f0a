"""Who a result is about: a Patient in the file, or no more than a reference to one."""

from datetime import date

from clinic_tracker.domain.messages import Identifier, Identity, Problem
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.integrations.fhir.bundle import (
    Contents,
    Entry,
    Found,
    absolute_id,
    conditional_identifier,
    kind_of_address,
)
from clinic_tracker.integrations.fhir.document import Json, item, items, text_of

_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_SEXES = {"F": Sex.FEMALE, "M": Sex.MALE, "female": Sex.FEMALE, "male": Sex.MALE}
_SOCIAL_SECURITY = frozenset({"http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1"})
_NOT_OF_THE_PATIENT = frozenset({"SS", "AN", "VN", "XX"})
_NAME_USES = ("official", "usual", "", "temp")


class NotAPatient(ValueError):
    """A result that is about a group, a device or a place, or about nobody."""


def subject_of(contents: Contents, entry: Entry, resource: Json) -> Found:
    """What the subject of a result points at. Raises ``NotAPatient``."""
    reference = item(resource, "subject")
    found = contents.resolve(reference, entry)
    if found is None:
        number = item(reference, "identifier")
        if not text_of(number, "value"):
            raise NotAPatient("Nobody is named as the subject.")
        found = Found(f"{text_of(number, 'system')}|{text_of(number, 'value')}")
    kind = text_of(found.resource, "resourceType") or kind_of_address(found.key) or text_of(reference, "type")
    if kind not in ("", "Patient"):
        raise NotAPatient("The subject is not a patient.")
    return found


def identity_of(found: Found, reference: Json) -> tuple[Identity, Problem | None]:
    """What is known of the patient, and what is wrong with it. Without a Patient in the file there are only numbers.

    A relative address of a patient who is not in the file is no number: another server may have the same.
    """
    numbers = [found.entry.full_url if found.entry else found.key]
    known = [Identifier(*given) for one in numbers if (given := absolute_id(one) or conditional_identifier(one))]
    known += list(_identifiers([item(reference, "identifier")]))
    if found.entry and found.entry.problem:
        return Identity(tuple(known)), Problem(found.entry.problem.where, "The patient could not be read.")
    if found.resource is None:
        missing = None if known else Problem(found.key, "The patient is not in the file.")
        return Identity(tuple(known)), missing
    patient = found.resource
    name = _name(patient)
    given = name.get("given")
    return Identity(
        identifiers=tuple(dict.fromkeys([*_identifiers(items(patient, "identifier")), *known])),
        family_name=text_of(name, "family"),
        given_name=text_of({"given": given[0]}, "given") if isinstance(given, list) and given else "",
        birth_date=_birth_date(patient),
        sex=_sex(patient),
    ), None


def _identifiers(sent: list[Json]) -> list[Identifier]:
    found = []
    for one in sent:
        value, system = text_of(one, "value"), text_of(one, "system")
        kinds = [text_of(coding, "code") for coding in items(item(one, "type"), "coding")]
        private = system in _SOCIAL_SECURITY or not _NOT_OF_THE_PATIENT.isdisjoint(kinds)
        if value and not private and text_of(one, "use") != "old":
            found.append(Identifier(value, system, kinds[0] if kinds else ""))
    return found


def _name(patient: Json) -> Json:
    """The official name, or else the usual one; never an old one, a maiden name or a nickname."""
    names = items(patient, "name")
    return next((name for use in _NAME_USES for name in names if text_of(name, "use") == use), {})


def _birth_date(patient: Json) -> date | None:
    """A birth date with its day; a year or month alone is not one."""
    try:
        return date.fromisoformat(text_of(patient, "birthDate"))
    except ValueError:
        return None


def _sex(patient: Json) -> Sex:
    """The sex at birth where US Core says it, and otherwise the administrative one."""
    for extension in items(patient, "extension"):
        if text_of(extension, "url") == _BIRTH_SEX:
            return _SEXES.get(text_of(extension, "valueCode"), Sex.UNKNOWN)
    return _SEXES.get(text_of(patient, "gender"), Sex.UNKNOWN)
