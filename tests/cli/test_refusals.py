"""Wrong commands and bad files: one line that names what is wrong, exit 2, never a traceback."""

import json
import random

import pytest
from sqlalchemy import select

from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from tests.imports import IDENTITY, plain
from tests.mutations import mutated


def mrns() -> set[str]:
    return set(db.session.execute(select(Patient.mrn)).scalars())


@pytest.mark.parametrize(
    "group", ["schedule", "clinics", "users", "histories", "clinic-sheet", "results", "worklist", "demo", "assets"]
)
@pytest.mark.parametrize("words", [["frob"], [], ["--frob"], ["frob", "--help"]])
def test_a_command_that_is_unknown_or_missing_is_told_in_one_line(run, group, words):
    status, output, complaint = run(group, *words)

    assert (status, output) == (2, "")
    assert len(complaint.splitlines()) == 1
    assert f"The commands of {group}: " in complaint


@pytest.mark.parametrize("words", [["--frob"], ["a", "b", "c"], ["--as-of"]])
def test_wrong_arguments_are_told_in_one_line(run, words):
    status, output, complaint = run("schedule", "forecast", *words)

    assert (status, output, len(complaint.splitlines())) == (2, "", 1)


def test_a_group_explains_itself(run):
    status, output, _complaint = run("schedule", "--help")

    assert status == 0
    assert "forecast" in output


BAD = {
    "labs[0].test": [
        {"labs": [{"test": "\ud800", "collected_on": "2025-12-03"}]},
        {"labs": [{"test": "a\0b", "collected_on": "2025-12-03"}]},
    ],
    "labs[0].value": [{"labs": [{"test": "cd4", "collected_on": "2025-12-03", "value": 10**400}]}],
    "courses[0].number": [{"courses": [{"number": 2**31}]}, {"courses": [{"number": 2**63}]}],
    "identity.mrn": [{"identity": {**IDENTITY, "mrn": mrn}} for mrn in ("\ud800", "a\0b", 5, "x" * 201, "a\nb")],
    "identity.family_name": [{"identity": {**IDENTITY, "mrn": "77", "family_name": "\ud800"}}],
    "identity.a?b": [{"identity": {**IDENTITY, "mrn": "77", "a\nb": 1}}],
    "forms[0].course": [
        {"forms": [{"kind": "infusion_checklist", "submitted_on": "2025-12-03", "course": course}]}
        for course in (2, 2**31, 10**400)
    ],
    "exams[1].on": [{"exams": [{"kind": "skin_exam", "on": on} for on in ("2025-12-03", "2026-12-03")]}],
    "courses[0].infusions": [{"courses": [{"number": 1, "infusions": [{"started_at": "2026-02-03T09:00-05:00"}]}]}],
    "time_zone": [{"time_zone": "localtime"}],
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("field, change", [(field, change) for field, changes in BAD.items() for change in changes])
def test_what_cannot_be_kept_is_refused_by_name_and_the_others_load(run, field, change, form):
    first, last = (plain(identity={**IDENTITY, "mrn": mrn}) for mrn in ("A", "Z"))
    text = json.dumps([first, plain(**change), last])

    status, output, complaint = run("histories", "import", "-", "--clinic", "northside", "--format", form, text=text)

    assert status == 2
    assert complaint.startswith(f"[1].{field}: ")
    assert len(complaint.splitlines()) == 1
    assert output
    assert mrns() == {"A", "Z"}


def test_the_greatest_course_number_can_be_kept(run, load):
    assert load([plain(courses=[{"number": 2**31 - 1}])])[0] == 0
    assert load(json.loads(run("histories", "export", "--clinic", "northside")[1]))[1]["unchanged"] == 1


@pytest.mark.parametrize("command", ["forecast", "import"])
@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"{", b"[" * 100_000, b"5"])
def test_a_file_that_is_none_is_told_in_one_line(run, tmp_path, command, content):
    path = tmp_path / "histories.json"
    path.write_bytes(content)

    assert_one_line(*ask(run, command, str(path)))


@pytest.mark.parametrize("command", ["forecast", "import"])
@pytest.mark.parametrize("name", ["no-such-file.json", ".", "\0"])
def test_a_file_that_cannot_be_read_is_told_in_one_line(run, command, name):
    assert "FILE" in assert_one_line(*ask(run, command, name))


def ask(run, command, file):
    if command == "forecast":
        return run("schedule", "forecast", file, "--as-of", "2026-01-20")
    return run("histories", "import", file, "--clinic", "northside")


def assert_one_line(status, output, complaint):
    assert (status, output) == (2, "")
    assert len(complaint.splitlines()) == 1
    return complaint


def test_a_file_with_a_byte_order_mark_is_read(run, tmp_path):
    path = tmp_path / "histories.json"
    path.write_text(json.dumps([plain()]), encoding="utf-8-sig")

    assert ask(run, "import", str(path))[0] == 0


def test_spoiled_histories_are_answered_or_refused_each_for_itself(run):
    rng = random.Random(20260122)  # noqa: S311 - not for secrets
    spoiled = [mutated(rng, most=2).replace('"mrn": "77"', f'"mrn": "S{place}"') for place in range(300)]
    text = f"[{', '.join(spoiled)}]"

    status, output, complaint = run("histories", "import", "-", "--clinic", "northside", "--format", "json", text=text)

    report = json.loads(output)
    assert (status, len(complaint.splitlines())) == (2, 1)
    assert len(report["patients"]) == 300
    assert report["loaded"] > 5
    for entry in report["patients"]:
        assert (entry["reason"] is None) == (entry["outcome"] != "refused")
        assert entry["reason"] is None or entry["reason"].startswith(f"[{entry['position']}].")
        assert entry["reason"] is None or entry["reason"].isprintable()
    assert run("schedule", "check")[0] == 0


def test_spoiled_histories_never_break_the_forecast(run):
    rng = random.Random(20260123)  # noqa: S311 - not for secrets
    statuses = set()
    for _ in range(150):
        history = json.loads(mutated(rng, most=1).replace("9" * 5000, "1e400"))
        history.pop("identity", None)
        status, output, complaint = ask_text(run, json.dumps(history))
        statuses.add(status)
        if status == 0:
            assert (complaint, bool(json.loads(output))) == ("", True)
        else:
            assert_one_line(status, output, complaint)
    assert statuses == {0, 2}


def ask_text(run, text):
    return run("schedule", "forecast", "-", "--as-of", "2026-01-20", text=text)
