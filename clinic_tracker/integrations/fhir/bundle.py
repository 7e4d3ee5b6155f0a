"""The resources of a file and how they point at each other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from clinic_tracker.domain.messages import Problem, Reason
from clinic_tracker.integrations.fhir.checking import READ, check_resource
from clinic_tracker.integrations.fhir.document import Document, Doubled, Json, doubled_name, item, items, text_of

MOST_PARTS = 500_000  # Observations in all reports; one may be in several
BUNDLES = frozenset({"transaction", "batch", "collection", "searchset", "document", "message"})
_WITH_REQUEST = frozenset({"transaction", "batch"})
_NEARLY_READ = frozenset(kind.lower() for kind in READ)
_METHODS = frozenset({"POST", "PUT"})
_TYPE_AND_ID = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})$")
_BASE = re.compile(r"(https?://.+/)[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}$")
_HISTORY = re.compile(r"/_history/[^/]*$")
_CONDITIONAL = re.compile(r"Patient\?identifier=([^|&]*)\|([^&]+)$")


@dataclass(slots=True)
class Entry:
    """One resource of the file. ``problem``: it cannot be read."""

    index: int
    path: str
    resource: Json
    full_url: str = ""
    problem: Problem | None = None

    @property
    def kind(self) -> str:
        """The type of the resource, to the letter."""
        kind = self.resource.get("resourceType")
        return kind if isinstance(kind, str) else ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference points at: ``key`` is the same for all references to the same thing.

    ``resource`` is ``None`` where it is not in the file; ``entry`` where it is not an entry of its own.
    """

    key: str
    resource: Json | None = None
    entry: Entry | None = None


@dataclass(slots=True)
class Contents:
    """The entries of a file, and the index to look references up."""

    entries: list[Entry]
    control_id: str = ""
    timestamp: str = ""
    _by_url: dict[str, Entry] = field(default_factory=dict)
    _by_id: dict[str, Entry | None] = field(default_factory=dict)  # None: two have that id
    _inner: dict[int, dict[str, Json]] = field(default_factory=dict)  # what a resource contains, by id
    parts_left: int = MOST_PARTS

    def __post_init__(self) -> None:
        """Index the entries; the second of two with one address cannot be told apart from the first."""
        for entry in self.entries:
            if entry.full_url and self._by_url.setdefault(entry.full_url, entry) is not entry:
                entry.problem = entry.problem or Problem(entry.path, "Another entry has the same fullUrl.")
            if identifier := text_of(entry.resource, "id"):
                short = f"{entry.kind}/{identifier}"
                self._by_id[short] = None if short in self._by_id else entry

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries with resources of a type, good or not."""
        return [entry for entry in self.entries if entry.kind == kind]

    def resolve(self, reference: Json, within: Entry, holder: Json | None = None) -> Found | None:
        """What a reference in ``within`` points at; ``None`` if it has no address."""
        sent = _HISTORY.sub("", text_of(reference, "reference"))
        if not sent:
            return None
        if sent.startswith("#"):
            inner = self._contained(holder or within.resource, sent[1:]) or self._contained(within.resource, sent[1:])
            return Found(f"{within.path}{sent}", inner)
        base = _BASE.match(within.full_url)
        address = f"{base[1]}{sent}" if base and _TYPE_AND_ID.match(sent) and ":" not in sent else sent
        entry = self._by_url.get(address)
        if entry is None and (match := _TYPE_AND_ID.search(sent)):
            near = self._by_id.get(f"{match[1]}/{match[2]}")
            # An address of one server is not the same id on another.
            if near and (sent == match[0] or not near.full_url):
                entry = near
        return Found(address) if entry is None else Found(entry.path, entry.resource, entry)

    def _contained(self, resource: Json, identifier: str) -> Json | None:
        inner = self._inner.get(id(resource))
        if inner is None:
            inner = {text_of(one, "id"): one for one in reversed(items(resource, "contained"))}
            self._inner[id(resource)] = inner
        return inner.get(identifier)


def kind_of_address(address: str) -> str:
    """The type of resource that an address names; "" if it does not show."""
    match = _TYPE_AND_ID.search(address)
    return match[1] if match else "Patient" if address.startswith("Patient?") else ""


def absolute_id(address: str) -> tuple[str, str] | None:
    """An id and the server that gave it, from an absolute address."""
    match = _TYPE_AND_ID.search(address)
    return (match[2], address[: match.start(2) - 1]) if match and address.startswith(("http://", "https://")) else None


def conditional_identifier(address: str) -> tuple[str, str] | None:
    """The number and its system in a reference that is a search: Patient?identifier=system|number."""
    match = _CONDITIONAL.match(address)
    return (unquote(match[2]), unquote(match[1])) if match else None


def open_document(document: Document) -> Contents | Problem:
    """The resources in a file, each checked by itself; a problem if it is no file with results at all."""
    tree = document.tree
    if not isinstance(tree, dict):
        return Problem("file", "This is not a resource of FHIR.")
    kind = text_of(tree, "resourceType")
    if kind == "Bundle":
        return _open_bundle(document, tree)
    if kind not in ("DiagnosticReport", "Observation"):
        words = "A Bundle, a DiagnosticReport or an Observation is read, and this is none of them."
        return Problem(kind[:60] or "file", words, Reason.UNSUPPORTED if kind else Reason.INVALID)
    entry = Entry(0, kind, tree)
    if entry.kind != kind:
        return Problem("resourceType", "The type is not written as FHIR writes it.")
    _check(entry, tree, document)
    return Contents([entry], text_of(tree, "id"))


def _open_bundle(document: Document, bundle: Json) -> Contents | Problem:
    if isinstance(bundle, Doubled):
        return doubled_name(bundle, "Bundle") or Problem("Bundle", "A name stands twice.")
    kind = text_of(bundle, "type")
    if kind not in BUNDLES:
        return Problem("Bundle.type", "A bundle of this type is not read as results.", Reason.UNSUPPORTED)
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        return Problem("Bundle.entry", "This must be a list.")
    entries = list(_entries(document, listed, with_request=kind in _WITH_REQUEST))
    if not any(entry.problem or entry.kind in ("DiagnosticReport", "Observation") for entry in entries):
        return Problem("Bundle.entry", "There is no result in it.", Reason.MISSING)
    control_id = text_of(item(bundle, "identifier"), "value") or text_of(bundle, "id")
    return Contents(entries, control_id, text_of(bundle, "timestamp"))


def _entries(document: Document, listed: list[Any], *, with_request: bool) -> Iterator[Entry]:
    for index, sent in enumerate(listed):
        path = f"Bundle.entry[{index}]"
        resource = item(sent, "resource")
        entry = Entry(index, f"{path}.resource", resource, text_of(sent, "fullUrl"))
        if text_of(item(sent, "search"), "mode") == "outcome":  # what the server says of the search
            entry.resource = {}
        elif with_request and text_of(item(sent, "request"), "method") not in _METHODS:
            where = f"{path}.request.method"
            entry.problem = Problem(where, "Results are taken with POST or PUT.", Reason.UNSUPPORTED)
        elif not entry.kind:
            entry.problem = Problem(entry.path, "The resource or its type is missing.", Reason.MISSING)
        elif entry.kind not in READ and entry.kind.strip().lower() in _NEARLY_READ:
            entry.problem = Problem(f"{entry.path}.resourceType", "The type is not written as FHIR writes it.")
        else:
            _check(entry, sent, document)
        yield entry


def _check(entry: Entry, sent: Json, document: Document) -> None:
    """Note what is wrong with an entry; types of resources that are not read are not looked into."""
    if document.has_doubles:
        outer = entry.path.removesuffix(".resource") if sent is not entry.resource else entry.path
        entry.problem = doubled_name(sent, outer)
    if entry.problem is None and entry.kind in READ:
        entry.problem = check_resource(entry.resource, entry.path)
