"""Answers to FHIR: a response for every entry of a transaction or batch, an OperationOutcome for everything else.

To be sent only after the results are kept. A transaction is answered entry by entry too: one that cannot be read does
not keep the others out of the charts.
"""

from collections.abc import Sequence

from clinic_tracker.domain.messages import Outcome, Problem, Reason
from clinic_tracker.integrations.fhir.document import Json, item, read_document, text_of
from clinic_tracker.integrations.wire import safe

_ISSUES = {
    Reason.MISSING: "required",
    Reason.INVALID: "invalid",
    Reason.UNSUPPORTED: "not-supported",
    Reason.TOO_LARGE: "too-long",
    Reason.NOT_STORED: "transient",
}
_RESPONSES = {"transaction": "transaction-response", "batch": "batch-response"}
_RESULTS = frozenset({"DiagnosticReport", "Observation"})
_PATHS = ("Bundle", "DiagnosticReport", "Observation")
_LOST = Problem("", "This was not kept: send it again.", Reason.NOT_STORED)


def answer(raw: bytes, outcomes: Sequence[Outcome]) -> Json:
    """The resource to answer with: a Bundle for a Bundle of type transaction or batch, or an OperationOutcome.

    An entry with a result that no outcome tells of was not kept, and the sender is asked to send it again.
    """
    document = read_document(raw)
    tree = None if isinstance(document, Problem) else document.tree
    kind = text_of(tree, "type") if text_of(tree, "resourceType") == "Bundle" else ""
    of_file = [one for one in outcomes if not one.entries]
    if kind not in _RESPONSES or of_file or not isinstance(tree, dict) or not isinstance(tree.get("entry"), list):
        return operation_outcome(outcomes)
    by_entry: dict[int, list[Outcome]] = {}
    for one in outcomes:
        for index in one.entries:
            by_entry.setdefault(index, []).append(one)
    entries = [{"response": _response(sent, by_entry.get(index, []))} for index, sent in enumerate(tree["entry"])]
    return {"resourceType": "Bundle", "type": _RESPONSES[kind], "entry": entries}


def operation_outcome(outcomes: Sequence[Outcome]) -> Json:
    """What was wrong with a file, as errors and warnings; a remark if nothing was."""
    issues = [_issue(problem, taken=one.taken) for one in outcomes for problem in one.problems]
    if not outcomes:
        issues = [_issue(_LOST, taken=False)]
    taken = sum(one.taken for one in outcomes)
    if taken or not issues:
        words = f"Results taken: {taken}."
        issues.append({"severity": "information", "code": "informational", "diagnostics": words})
    return {"resourceType": "OperationOutcome", "issue": issues}


def _response(sent: object, outcomes: list[Outcome]) -> Json:
    method = text_of(item(sent, "request"), "method")
    good = "201 Created" if method == "POST" else "200 OK"
    if not outcomes:
        if text_of(item(sent, "resource"), "resourceType") not in _RESULTS:
            return {"status": good}
        return {"status": "500 Internal Server Error", "outcome": operation_outcome([])}
    refused = [one for one in outcomes if not one.taken]
    reasons = {problem.reason for one in refused for problem in one.problems}
    status = "500 Internal Server Error" if Reason.NOT_STORED in reasons else "422 Unprocessable Entity"
    response: Json = {"status": status if refused else good}
    if any(one.problems for one in outcomes):
        issues = [_issue(problem, taken=one.taken) for one in outcomes for problem in one.problems]
        response["outcome"] = {"resourceType": "OperationOutcome", "issue": issues}
    return response


def _issue(problem: Problem, *, taken: bool) -> Json:
    issue: Json = {
        "severity": "warning" if taken else "error",
        "code": _ISSUES[problem.reason],
        "diagnostics": safe(f"{problem.where}: {problem.message}" if problem.where else problem.message),
    }
    if problem.where.startswith(_PATHS) and problem.where.isprintable():
        issue["expression"] = [problem.where]
    return issue
