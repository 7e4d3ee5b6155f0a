"""The spreadsheet of a clinic that begins with the tracker: patients, courses, infusions and past results as histories.

A patient of whom one cell cannot be read is left out whole, with every such cell named; the others go on.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from clinic_tracker.domain.table_cells import CellError, DateOrder, Table, read_day, read_sex
from clinic_tracker.domain.vocabulary import ExamKind, FormKind, Panel, ResultStatus

Found = TypeVar("Found")


class SheetColumn(NamedTuple):
    """A column of the template: its title, whether it must be filled in, what it holds, and an example."""

    title: str
    required: bool
    words: str
    example: str


_MRN = SheetColumn("MRN", True, "The medical record number, the same on every sheet.", "A-1001")
_COURSE = "The number of the course: 1 for the first one."
_DAY = "A date cell, or year-month-day."
RESULTS = {
    **{panel.value: "labs" for panel in Panel if panel not in (Panel.UPCR, Panel.OTHER)},
    **dict.fromkeys((ExamKind.SKIN_EXAM.value, ExamKind.HPV_SCREEN.value), "exams"),
    **dict.fromkeys((FormKind.PATIENT_STATUS_FORM.value, FormKind.INFUSION_CHECKLIST.value), "forms"),
}
SHEETS: dict[str, tuple[SheetColumn, ...]] = {
    "Patients": (
        _MRN,
        SheetColumn("Family name", required=True, words="As on the chart.", example="Example"),
        SheetColumn("Given name", required=True, words="As on the chart.", example="Erin"),
        SheetColumn("Birth date", required=True, words=_DAY, example="1984-05-17"),
        SheetColumn("Sex at birth", required=True, words="F, M or unknown.", example="F"),
        SheetColumn("Has cervix", required=False, words="yes or no; empty: by sex at birth.", example=""),
        SheetColumn("Monitoring closed on", required=False, words=f"{_DAY} Empty while it goes on.", example=""),
    ),
    "Courses": (
        _MRN,
        SheetColumn("Course", required=True, words=_COURSE, example="1"),
        SheetColumn("Monitoring extended to", required=False, words=f"{_DAY} Usually empty.", example=""),
    ),
    "Infusions": (
        _MRN,
        SheetColumn("Course", required=True, words=_COURSE, example="1"),
        SheetColumn("Date", required=True, words=f"The day of the infusion. {_DAY}", example="2024-01-08"),
        SheetColumn(
            "Start time", required=True, words="Hours:minutes; 12:00 where it is not on record.", example="09:15"
        ),
        SheetColumn(
            "End time", required=False, words="Hours:minutes, on the same day; empty if not known.", example="13:40"
        ),
    ),
    "Results": (
        _MRN,
        SheetColumn("Test", required=True, words="One of: " + ", ".join(RESULTS) + ".", example="cbc_diff"),
        SheetColumn(
            "Date", required=True, words=f"Of collection, of the exam, or of the form. {_DAY}", example="2024-02-05"
        ),
        SheetColumn("Status", required=False, words="Of a laboratory test: final if empty.", example=""),
        SheetColumn("CD4 count", required=False, words="Of cd4 only, cells per microliter.", example=""),
        SheetColumn("Course", required=False, words="Of an infusion_checklist only.", example=""),
    ),
}


class CellProblem(NamedTuple):
    """What is wrong with which cell; ``column`` is empty for a whole row."""

    sheet: str
    line: int
    column: str
    message: str


@dataclass(slots=True)
class SheetPatient:
    """One patient as a history to import. ``places`` say from which row each part of it came."""

    mrn: str
    line: int
    history: dict[str, Any]
    problems: list[CellProblem] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)

    def problem(self, path: str, message: str) -> CellProblem:
        """A complaint about a part of the history as one about a row of the sheet."""
        wanted = max((place for place in self.places if path.startswith(place)), key=len, default="")
        sheet, line = self.places.get(wanted, ("Patients", self.line))
        return CellProblem(sheet, line, "", f"{message[:1].upper()}{message[1:]}")


def read_sheets(tables: Iterable[Table], zone: str, protocol: str) -> tuple[list[SheetPatient], list[CellProblem]]:
    """The patients of a workbook, and the rows that belong to none of them."""
    sheets = {table.name.strip().lower(): table for table in tables}
    reader = _SheetReader(ZoneInfo(zone), protocol)
    if "patients" not in sheets:
        return [], [CellProblem("Patients", 1, "", "There is no sheet of this name with titles in its first row.")]
    for name, columns in SHEETS.items():
        table = sheets.get(name.lower())
        if table is None:
            continue
        titles = {title.lower(): place for place, title in enumerate(table.header)}
        gone = [column.title for column in columns if column.required and column.title.lower() not in titles]
        if gone:
            reader.orphans.append(CellProblem(name, 1, gone[0], "There is no column of this name."))
            continue
        for row in table.rows:
            cells = {
                column.title: row.cells[place]
                for column in columns
                if (place := titles.get(column.title.lower(), -1)) >= 0 and place < len(row.cells)
            }
            reader.read(name, row.line, cells)
    return list(reader.patients.values()), reader.orphans


@dataclass(slots=True)
class _SheetReader:
    """Puts the rows of all sheets together, patient by patient."""

    zone: ZoneInfo
    protocol: str
    patients: dict[str, SheetPatient] = field(default_factory=dict)
    orphans: list[CellProblem] = field(default_factory=list)

    def read(self, sheet: str, line: int, cells: Mapping[str, str]) -> None:
        """One row of a sheet."""
        row = _Cells(sheet, line, cells, self.zone)
        mrn = cells.get("MRN", "")
        if sheet == "Patients" and mrn:
            self._patient(row, mrn)
            return
        patient = self.patients.get(mrn)
        if patient is None:
            words = "is not on the sheet Patients" if mrn else "is empty"
            self.orphans.append(CellProblem(sheet, line, "MRN", words))
            return
        {"Courses": self._course, "Infusions": self._infusion, "Results": self._result}[sheet](row, patient)
        patient.problems += row.problems

    def _patient(self, row: "_Cells", mrn: str) -> None:
        if mrn in self.patients:
            known = self.patients[mrn]
            known.problems.append(CellProblem("Patients", row.line, "MRN", f"is on line {known.line} too"))
            return
        names = {"mrn": mrn, "family_name": row.text("Family name"), "given_name": row.text("Given name")}
        history: dict[str, Any] = {
            "protocol": self.protocol,
            "time_zone": self.zone.key,
            "identity": {**names, "birth_date": row.day("Birth date")},
            "patient": {"sex_at_birth": row.read("Sex at birth", lambda text: read_sex(text).value)},
            **{kind: [] for kind in ("courses", "labs", "exams", "forms")},
        }
        cervix = row.read("Has cervix", _yes_or_no, optional=True)
        if cervix is not None:
            history["patient"]["has_cervix"] = cervix
        if closed := row.day("Monitoring closed on", optional=True):
            history["monitoring_closed_on"] = closed
        self.patients[mrn] = SheetPatient(mrn, row.line, history, row.problems)

    def _course(self, row: "_Cells", patient: SheetPatient) -> None:
        number = row.whole("Course")
        if number is None:
            return
        if any(course["number"] == number for course in patient.history["courses"]):
            row.wrong("Course", "comes twice for this patient")
            return
        course = self._course_of(row, patient, number)
        if extended := row.day("Monitoring extended to", optional=True):
            course["monitoring_extended_to"] = extended

    def _course_of(self, row: "_Cells", patient: SheetPatient, number: int) -> dict[str, Any]:
        """The course of that number; one that only its infusions name begins with them."""
        courses: list[dict[str, Any]] = patient.history["courses"]
        known = next((course for course in courses if course["number"] == number), None)
        if known is None:
            known = {"number": number, "infusions": []}
            patient.places[f"courses[{len(courses)}]"] = (row.sheet, row.line)
            courses.append(known)
        return known

    def _infusion(self, row: "_Cells", patient: SheetPatient) -> None:
        number, day = row.whole("Course"), row.day("Date")
        start = row.read("Start time", _clock)
        end = row.read("End time", _clock, optional=True)
        if number is None or day is None or start is None:
            return
        course = self._course_of(row, patient, number)
        infusion = {"started_at": self._instant(day, start)}
        if end:
            infusion["ended_at"] = self._instant(day, end)
        place = patient.history["courses"].index(course)
        patient.places[f"courses[{place}].infusions[{len(course['infusions'])}]"] = (row.sheet, row.line)
        course["infusions"].append(infusion)

    def _instant(self, day: str, clock: str) -> str:
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=self.zone).isoformat()

    def _result(self, row: "_Cells", patient: SheetPatient) -> None:
        test = re.sub(r"[\s-]+", "_", row.text("Test").lower())
        day = row.day("Date")
        kind = RESULTS.get(test)
        if kind is None:
            row.wrong("Test", "is none of " + ", ".join(RESULTS))
        if kind is None or day is None:
            return
        facts: list[dict[str, Any]] = patient.history[kind]
        patient.places[f"{kind}[{len(facts)}]"] = (row.sheet, row.line)
        facts.append(getattr(self, f"_{kind}")(row, test, day))

    def _labs(self, row: "_Cells", test: str, day: str) -> dict[str, Any]:
        lab: dict[str, Any] = {"test": test, "collected_on": day}
        if status := row.read("Status", _status, optional=True):
            lab["status"] = status
        count = row.read("CD4 count", float, optional=True)
        if count is not None:
            lab["value"] = count
            if test != Panel.CD4:
                row.wrong("CD4 count", "belongs to cd4 only")
        return lab

    def _exams(self, _row: "_Cells", test: str, day: str) -> dict[str, Any]:
        return {"kind": test, "on": day}

    def _forms(self, row: "_Cells", test: str, day: str) -> dict[str, Any]:
        form: dict[str, Any] = {"kind": test, "submitted_on": day}
        if test == FormKind.INFUSION_CHECKLIST:
            form["course"] = row.whole("Course")
        return form


@dataclass(slots=True)
class _Cells:
    """The cells of one row; what cannot be read is noted and becomes ``None``."""

    sheet: str
    line: int
    cells: Mapping[str, str]
    zone: ZoneInfo
    problems: list[CellProblem] = field(default_factory=list)

    def wrong(self, title: str, message: str) -> None:
        self.problems.append(CellProblem(self.sheet, self.line, title, message))

    def text(self, title: str, *, optional: bool = False) -> str:
        found = self.cells.get(title, "").strip()
        if not found and not optional:
            self.wrong(title, "is empty")
        return found

    def read(self, title: str, reader: Callable[[str], Found], *, optional: bool = False) -> Found | None:
        text = self.text(title, optional=optional)
        if not text:
            return None
        try:
            return reader(text)
        except CellError as error:
            self.wrong(title, str(error))
        except ValueError:
            self.wrong(title, "is not a number")
        return None

    def day(self, title: str, *, optional: bool = False) -> str | None:
        return self.read(
            title, lambda text: read_day(text, DateOrder.YEAR_FIRST, self.zone).on.isoformat(), optional=optional
        )

    def whole(self, title: str) -> int | None:
        return self.read(title, int)


def _yes_or_no(text: str) -> bool:
    found = {"yes": True, "y": True, "no": False, "n": False}.get(text.lower())
    if found is None:
        raise CellError("is neither yes nor no")
    return found


def _status(text: str) -> str:
    if text.lower() not in set(ResultStatus):
        raise CellError("is none of " + ", ".join(ResultStatus))
    return text.lower()


def _clock(text: str) -> str:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:  # noqa: PLR2004 - the hours and minutes of a day
        raise CellError("is not a time of day: write it as hours:minutes")
    return f"{int(found[1]):02}:{found[2]}"
