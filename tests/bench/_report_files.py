"""How long a report of 100,000 lines takes as CSV and XLSX beside the bare writer, and how much memory it takes.

Each measurement is a process of its own, which makes its lines as it goes. The bare writer writes the same values and
nothing else: no checksum, no safe text, no local time, no sheets that explain. The lines are the same few over and
over, so that making them costs next to nothing on either side.
"""

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.exports.reports.writing import write
from tests.report_samples import COLUMNS, MADE, line, sample

FEW, MANY, ROUNDS = 10_000, 100_000, 5
MOST_TIME, MOST_MEMORY = 1.5, 1.2
ROOT = Path(__file__).resolve().parents[2]


def lines(count: int) -> Iterator[Line]:
    """So many lines, made as they are asked for."""
    return islice(cycle([line(number) for number in range(1000)]), count)


def bare_csv(path: Path, count: int) -> None:
    """The writer of the standard library."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in COLUMNS])
        writer.writerows(one.cells for one in lines(count))


def bare_xlsx(path: Path, count: int) -> None:
    """XlsxWriter with flat memory, each value as the library takes it."""
    import xlsxwriter  # noqa: PLC0415

    options = {"constant_memory": True, "default_date_format": "dd-mmm-yyyy", "remove_timezone": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [column.name for column in COLUMNS])
        for row, one in enumerate(lines(count), start=1):
            sheet.write_row(row, 0, one.cells)


def ours(form: ReportFormat) -> Callable[[Path, int], None]:
    """The file as people get it."""

    def make(path: Path, count: int) -> None:
        with path.open("wb") as file:
            write(sample(lines(count)), form, file, MADE)

    return make


MAKERS: dict[str, dict[str, Callable[[Path, int], None]]] = {
    "csv": {"bare": bare_csv, "ours": ours(ReportFormat.CSV)},
    "xlsx": {"bare": bare_xlsx, "ours": ours(ReportFormat.XLSX)},
}


def measure(form: str, who: str, count: int) -> None:
    """Make one file; print its processor time and the most memory that the process had."""
    with tempfile.TemporaryDirectory() as folder:
        before = time.process_time()
        MAKERS[form][who](Path(folder) / "file", count)
        spent = time.process_time() - before
    print(json.dumps([spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def measured(form: str, who: str, count: int) -> tuple[float, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "tests.bench._report_files", form, who, str(count)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    seconds, megabytes = json.loads(told)
    return seconds, megabytes


def main() -> bool:
    """Print times and memory; whether both are within bounds."""
    good = True
    print(f"{MANY:,} lines of {len(COLUMNS)} columns; processor time, the best of {ROUNDS}, in turns")
    for form in MAKERS:
        bare, full = [], []
        for _ in range(ROUNDS):
            bare.append(measured(form, "bare", MANY))
            full.append(measured(form, "ours", MANY))
        few = [measured(form, "ours", FEW) for _ in range(2)]
        floor, time_of = min(seconds for seconds, _memory in bare), min(seconds for seconds, _memory in full)
        memory, memory_few = max(peak for _seconds, peak in full), min(peak for _seconds, peak in few)
        print(f"{form:5} bare writer        {floor:8.2f} s")
        print(f"{form:5} report             {time_of:8.2f} s, {time_of / floor:.2f} times (at most {MOST_TIME})")
        print(f"{form:5} peak memory        {memory:8.1f} MB, {memory_few:.1f} MB with {FEW:,} lines,", end=" ")
        print(f"{memory / memory_few:.2f} times (at most {MOST_MEMORY})")
        good = good and time_of <= MOST_TIME * floor and memory <= MOST_MEMORY * memory_few
    return good


if __name__ == "__main__":
    measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))
