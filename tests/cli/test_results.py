"""``flask results``: files and folders of results without a browser."""

import json

import pytest

from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource
from clinic_tracker.services.inbound import store
from clinic_tracker.services.inbound_sources import add_source, keep_mapping
from tests.factories import register
from tests.inbound import reports_of
from tests.inbound_texts import oru


@pytest.fixture
def patient(scope_for, cast):
    return register(scope_for(cast.staff)).row


@pytest.fixture
def run(runner):
    def invoke(*arguments, **values):
        return runner.invoke(args=["results", *map(str, arguments)], **values)

    return invoke


@pytest.fixture
def file(tmp_path, patient):
    path = tmp_path / "results.hl7"
    path.write_bytes(oru(patient))
    return path


def imported(run, file, *more):
    return run("import", file, "--clinic", "northside", "--channel", "City Lab", *more)


def test_a_file_is_recorded_once(run, file, patient):
    first, second = imported(run, file), imported(run, file)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "1 recorded" in first.output
    assert "(received before)" in second.output
    assert len(reports_of(patient, None)) == 1


def test_a_rehearsal_keeps_nothing(run, file, patient):
    done = imported(run, file, "--dry-run", "--format", "json")
    said = json.loads(done.output)
    assert (said["dry_run"], said["counts"]) == (True, {"recorded": 1})
    assert reports_of(patient, None) == []
    for model in (InboundMessage, InboundSource, InboundResult):
        assert db.session.query(model).count() == 0


@pytest.mark.parametrize("text", [b"what is this", b"MSH|^~\\&|A", b""])
def test_what_cannot_be_read_exits_2_and_says_why(run, tmp_path, cast, text):
    path = tmp_path / "odd.hl7"
    path.write_bytes(text)
    add = run("import", path, "--clinic", "northside", "--channel", "Odd", "--dry-run")
    assert add.exit_code == 2


def test_a_missing_file_and_an_unknown_clinic_are_one_line_each(run, file, tmp_path):
    missing = imported(run, tmp_path / "none.hl7")
    other = run("import", file, "--clinic", "nowhere", "--channel", "X")
    for done in (missing, other):
        assert done.exit_code == 2
        assert len(done.stderr.strip().splitlines()) == 1


def test_replay_goes_on_with_what_was_kept(run, scope_for, cast, patient):
    admin = scope_for(cast.administrator)
    source = add_source(admin, "City Lab", InboundKind.HL7)
    store(scope_for(cast.staff), source, oru(patient))
    assert reports_of(patient) == []
    done = run("replay", "--clinic", "northside")
    assert done.exit_code == 0, done.output
    assert "1 recorded" in done.output
    assert len(reports_of(patient)) == 1
    assert "nothing" in run("replay").output


def test_a_watched_folder_is_emptied(run, tmp_path, patient):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.hl7").write_bytes(oru(patient))
    (folder / "bad.hl7").write_bytes(b"MSH|^~\\&|")
    (folder / "half.hl7.part").write_bytes(b"MSH")
    done = run("watch", folder, "--clinic", "northside", "--channel", "City Lab", "--once")
    assert done.exit_code == 0, done.output
    assert [path.name for path in (folder / "done").iterdir()] == ["good.hl7"]
    assert sorted(path.name for path in (folder / "refused").iterdir()) == ["bad.hl7", "bad.hl7.reason"]
    assert (folder / "half.hl7.part").exists()
    assert len(reports_of(patient)) == 1


def test_two_files_of_one_name_are_both_put_away(run, tmp_path, patient):
    folder = tmp_path / "in"
    folder.mkdir()
    for filler in ("F1", "F2"):
        (folder / "same.hl7").write_bytes(oru(patient, filler=filler, day="2026011" + filler[1]))
        run("watch", folder, "--clinic", "northside", "--channel", "City Lab", "--once")
    assert sorted(path.name for path in (folder / "done").iterdir()) == ["same-1.hl7", "same.hl7"]


def test_a_table_is_read_by_the_columns_that_its_source_remembers(run, tmp_path, scope_for, cast, patient):
    source = add_source(scope_for(cast.administrator), "Sheet", InboundKind.TABLE)
    file = tmp_path / "sheet.csv"
    file.write_text(f"MRN,Drawn,LOINC,Value,Unit\n{patient.mrn},12-Jan-2026,2160-0,0.8,mg/dL\n", encoding="utf-8")
    command = ("import", file, "--clinic", "northside", "--channel", "Sheet")
    unknown = run(*command)
    assert unknown.exit_code == 2
    assert "has not been chosen" in unknown.stderr
    meanings = {"MRN": "mrn", "Drawn": "collected", "LOINC": "loinc", "Value": "value", "Unit": "unit"}
    mapping = {"layout": "long", "dates": "mdy", "names": "family_first", "columns": meanings, "tests": {}}
    keep_mapping(scope_for(cast.staff), source, mapping)
    assert "1 recorded" in run(*command, "--dry-run").output
    assert reports_of(patient) == []
    assert "1 recorded" in run(*command).output
    assert [row.panel for row in reports_of(patient)] == ["creatinine"]
