"""Whatever bytes arrive, parsers answer: nothing raises, nothing is lost quietly, all of it can be stored."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.messages import ResultMessage
from clinic_tracker.integrations import fhir, hl7v2
from tests.integrations import fhir_corpus, hl7_corpus, table_corpus
from tests.integrations.checks import check_fhir, check_hl7, check_sheet, check_table, mutated
from tests.integrations.hl7_corpus import msh, obr, obx, oru

pytestmark = pytest.mark.no_database
ZONES = ("America/New_York", "Australia/Lord_Howe", "UTC")


@given(st.binary(max_size=400))
def test_any_bytes(raw):
    check_hl7(raw)
    check_hl7(b"MSH|^~\\&|" + raw)
    check_fhir(raw)


@given(st.sampled_from(sorted(hl7_corpus.CORPUS)), st.integers(0, 2**32), st.integers(1, 12), st.sampled_from(ZONES))
def test_spoiled_messages_of_hl7(name, seed, times, zone):
    check_hl7(mutated(hl7_corpus.CORPUS[name], seed, times), zone)


@given(st.sampled_from(sorted(fhir_corpus.CORPUS)), st.integers(0, 2**32), st.integers(1, 12), st.sampled_from(ZONES))
def test_spoiled_resources_of_fhir(name, seed, times, zone):
    check_fhir(mutated(fhir_corpus.CORPUS[name], seed, times), zone)


@given(
    st.sampled_from(sorted(table_corpus.CSV_CORPUS)), st.integers(0, 2**32), st.integers(1, 12), st.sampled_from(ZONES)
)
def test_spoiled_tables(name, seed, times, zone):
    check_table(mutated(table_corpus.CSV_CORPUS[name], seed, times), zone)


@given(st.sampled_from(sorted(table_corpus.SHEET_CORPUS)), st.integers(0, 2**32), st.integers(1, 12))
def test_spoiled_sheets_and_workbooks(name, seed, times):
    check_sheet(mutated(table_corpus.SHEET_CORPUS[name], seed, times))
    check_table(mutated(table_corpus.WORKBOOK, seed, times))


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
    ["Observation", "Patient/p1", "#p1", "final", "", "2026-01-20", "\ud800", "\x00", "urn:uuid:observation-o1"]
)  # fmt: skip
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every place in a tree where something else could stand."""
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    return [place for key in keys for place in ((tree, key), *places(tree[key]))]


@given(st.sampled_from([fhir_corpus.COUNT, fhir_corpus.LOOSE]), st.data())
def test_resources_with_anything_in_any_place(tree, data):
    tree = json.loads(json.dumps(tree))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(tree)))
        holder[key] = data.draw(TREES)
    check_fhir(json.dumps(tree).encode())


PLAIN = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=20).filter(
    lambda text: text != '""'
)


def escaped(text: str) -> str:
    letters = {"\\": "E", "|": "F", "^": "S", "~": "R", "&": "T"}
    return "".join(f"\\{letters[one]}\\" if one in letters else one for one in text)


@given(PLAIN, PLAIN, st.sampled_from(["utf-8", "utf-16"]))
def test_what_was_escaped_comes_back(value, family, encoding):
    raw = oru(f"PID|1||7||{escaped(family)}", obr(), obx(escaped(value), "ST"), header=msh(), encoding=encoding)
    (message,) = hl7v2.parse(raw, "UTC")
    assert message.reports[0].values[0].text == value
    assert message.identity.family_name == family


@given(st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=20))
def test_text_of_json_comes_back(value):
    raw = fhir_corpus.dump(fhir_corpus.observation(valueString=value))
    assert fhir.parse(raw, "UTC")[0].reports[0].values[0].text == value


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_every_message_of_a_file_has_its_answer_in_order(good):
    raw = b"".join(
        oru(obr(), obx("1"), header=msh(f"M{number}")) if fine else f"{msh(f'M{number}')}\r".encode()
        for number, fine in enumerate(good)
    )
    found = hl7v2.parse(raw, "UTC")
    assert [isinstance(part, ResultMessage) for part in found] == good
    assert [(part.control_id, part.entries) for part in found] == [(f"M{n}", (n,)) for n in range(len(good))]
    check_hl7(raw)
