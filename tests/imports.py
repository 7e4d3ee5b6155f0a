"""Histories for the import, and what the commands then say of them."""

import json

TODAY = "2026-01-22"  # where the clock of the tests stands
IDENTITY = {"family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"}


def plain(first: str = "2025-11-03", **changes) -> dict:
    """A history of one infusion."""
    made = {
        "protocol": "lemtrada-us",
        "time_zone": "America/New_York",
        "patient": {"sex_at_birth": "female"},
        "courses": [{"number": 1, "infusions": [{"started_at": f"{first}T09:05-05:00"}]}],
        "identity": {**IDENTITY, "mrn": "77"},
    }
    return {**made, **changes}


def worklist(run, as_of=TODAY):
    status, output, _complaint = run(
        "worklist", "export", "--clinic", "northside", "--as-of", as_of, "--format", "json"
    )
    assert status == 0
    return {
        (row["mrn"], row["requirement"]): (
            row["state"],
            row["next_due_on"],
            row["missed_in_a_row"],
            row["last_done_on"],
        )
        for row in json.loads(output)
    }


def engine(run, histories, as_of=TODAY):
    """What the engine says of the same histories, asked as a black box."""
    bare = [{key: value for key, value in one.items() if key != "identity"} for one in histories]
    status, output, _complaint = run("schedule", "forecast", "-", "--as-of", as_of, text=json.dumps(bare))
    assert status == 0
    return {
        (one["identity"]["mrn"], row["requirement"]): (
            row["state"],
            row["next_due_on"],
            row["missed_in_a_row"],
            row["last_done_on"],
        )
        for one, answer in zip(histories, json.loads(output), strict=True)
        for row in answer["standings"]
    }
