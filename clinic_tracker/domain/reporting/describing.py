"""The reports as a document: what docs/reports.md holds."""

from collections.abc import Iterable, Iterator

from clinic_tracker.domain.permissions import DESCRIPTIONS
from clinic_tracker.domain.reporting.columns import Column, Privacy
from clinic_tracker.domain.reporting.definition import Definition, Takes
from clinic_tracker.domain.reporting.deidentify import MOVED
from clinic_tracker.domain.reporting.words import KIND_WORDS

TAKES_WORDS: dict[Takes, str] = {
    Takes.PERIOD: "`from`, `to` (both included; the last twelve months by default)",
    Takes.AS_OF: "`as_of` (the day that is asked about; today by default)",
    Takes.KNOWN_AT: "`known_at` (only what was on record by then; everything by default)",
    Takes.COMPARED_WITH: "`compared_with` (an earlier instant to compare with; the end of `as_of` by default)",
    Takes.REQUIREMENT: "`requirement` (code of one requirement)",
    Takes.PRESCRIBER: "`prescriber` (public id of one prescriber)",
    Takes.PATIENT: "`patient` (public id of one patient)",
    Takes.PERSON: "`person` (public id of one person of the clinic)",
}
PRIVACY_WORDS = {
    Privacy.OPEN: "stays",
    Privacy.PATIENT: "becomes the study number",
    Privacy.IDENTITY: "is left out",
    Privacy.DATED: "is shifted, or counted in days from the first infusion",
}
INTRODUCTION = """\
# Reports

What each report answers, what it can be asked, and the definition of every figure. This page is written by
`flask report describe` from the definitions that the pages, files and commands use; a test compares them.

Every report is of one clinic. It is on the screen under Reports, and as a file by
`flask report NAME --clinic SLUG [--from DATE] [--to DATE] [--as-of DATE] [--known-at INSTANT] [--requirement CODE]
[--prescriber ID] [--identity full|shifted|intervals] [--set NAME=VALUE] [--format csv|xlsx|pdf|json] [--output FILE]`;
`flask report list` lists the names. A wrong option is answered in one line with exit status 2, and nothing is written.

**Two times.** `as_of` is the day that is asked about: facts dated by then count, whenever they were recorded.
`known_at` is the instant whose knowledge answers: only what was on record then counts, and corrections made later do
not. A date alone means the end of that day in the clinic's time zone.

**The same again.** The same question about the same data gives the same bytes, whatever the hour: a file holds the date
on which it was made and by whom, and no clock time but `known_at`. The checksum is the SHA-256 of the question
(canonical JSON of name, clinic, time zone, `as_of`, `known_at`, parameters, protocol, whether de-identified, names of
the columns), a line feed, and the table as CSV. It is the same for CSV, XLSX, PDF and JSON, and does not depend on who
made the file.

**Files.** CSV is a bare table (RFC 4180, UTF-8), header first; text that a spreadsheet would run as a formula gets a
leading apostrophe. Dates are 2026-11-22, months 2026-11, instants have the clinic's offset, shares go from 0 to 1. XLSX
has typed cells, and sheets that hold the question and explain each column. A PDF is tagged (PDF/UA-1); a list of more
than 500 lines is not printed, only its beginning, and the document says so.

**De-identified.** `identity=shifted` and `identity=intervals` give study numbers in place of patients and leave out
names, numbers, staff and free text. Dates of a patient are all shifted by one and the same number of days (1 to 180
either way), or are days since the first infusion; months of a patient's dates are left out, and
so are days counted up to the day asked about, which with that day would tell the date. The lines come in the order
of study numbers. Filters in force are printed as they were asked for, and a prescriber or patient is not named.
"""


def describe(definitions: Iterable[Definition]) -> str:
    """The document, the reports by name."""
    ordered = sorted(definitions, key=lambda one: one.name)
    return INTRODUCTION + "".join(f"{line}\n" for one in ordered for line in _report(one))


def _report(definition: Definition) -> Iterator[str]:
    yield from ("", f"## `{definition.name}`: {definition.title}", "", definition.question, "")
    for takes in Takes:
        if takes in definition.takes:
            yield f"- {TAKES_WORDS[takes]}"
    for choice in definition.choices:
        options = ", ".join(
            f"`{value}` {words}{' (default)' if value == choice.default else ''}"
            for value, words in choice.options.items()
        )
        yield f"- `{choice.name}` ({choice.title}): {options}"
    yield f"- For whoever may: {'; '.join(DESCRIPTIONS[one].lower() for one in definition.permissions)}"
    yield f"- As {', '.join(form.value.upper() for form in definition.formats)}"
    yield from ("", "| Column | Name | Holds | Definition | De-identified |", "| --- | --- | --- | --- | --- |")
    for column in definition.columns:
        yield f"| {' | '.join(_escaped(cell) for cell in _cells(column))} |"
    if definition.notes:
        yield ""
    for note in definition.notes:
        yield f"- {note}"


def _cells(column: Column) -> tuple[str, ...]:
    left_out = column.privacy is Privacy.DATED and column.kind not in MOVED
    privacy = PRIVACY_WORDS[Privacy.IDENTITY] if left_out else PRIVACY_WORDS[column.privacy]
    definition = column.definition
    if column.only is not None:
        definition = f"{definition} Only with {column.only[0]} {' or '.join(column.only[1])}."
    return column.title, f"`{column.name}`", KIND_WORDS[column.kind], definition, privacy


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
