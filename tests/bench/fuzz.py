"""Feeds the parsers with spoiled messages and files for as long as told, and stops at the first that upsets them.

Guided by coverage where atheris is installed (`.venv/bin/pip install atheris`; it has no wheels for some platforms and
is therefore no requirement), and otherwise by chance. What upset a parser is written to a file of the current folder.

    python3 run.py bench fuzz --minutes 60 [--format hl7|fhir|csv|xlsx] [--seed 1]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ZONE = "America/New_York"
LONGEST = 20_000
NAMES = ("hl7", "fhir", "csv", "xlsx")
Check = Callable[[bytes, str], None]


def load(name: str) -> tuple[Check, list[bytes]]:
    """The check of a format and its messages; imported late, so that atheris can watch the modules."""
    from tests.integrations import checks, fhir_corpus, hl7_corpus, table_corpus  # noqa: PLC0415

    known = {
        "hl7": (checks.check_hl7, hl7_corpus.CORPUS),
        "fhir": (checks.check_fhir, fhir_corpus.CORPUS),
        "csv": (checks.check_table, table_corpus.CSV_CORPUS),
        "xlsx": (checks.check_sheet, table_corpus.SHEET_CORPUS),
    }
    check, corpus = known[name]
    return check, list(corpus.values())


def by_chance(name: str, seconds: float, seed: int) -> None:
    """Spoil messages of the corpus, each time with another seed, until the time is over."""
    from tests.integrations.checks import mutated  # noqa: PLC0415

    check, known = load(name)
    ends, count = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        raw = mutated(known[count % len(known)], seed + count, 1 + count % 13)
        try:
            check(raw, ZONE)
        except BaseException:
            found = Path(f"fuzz-{name}-{seed + count}.bin")
            found.write_bytes(raw)
            print(f"{name}: upset by {found}")
            raise
        count += 1
    print(f"{name}: {count} spoiled messages, none upset the parser")


def by_coverage(atheris: Any, name: str, seconds: float, seed: int) -> None:
    """Let atheris look for bytes that reach new code. It ends the process by itself."""
    with atheris.instrument_imports(include=["clinic_tracker.integrations"]):
        check, known = load(name)
    from tests.integrations.checks import mutated  # noqa: PLC0415

    check(known[0], ZONE)  # what is imported when first needed
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, raw in enumerate(known):
        (folder / str(number)).write_bytes(raw)
    options = [f"-max_total_time={max(1, int(seconds))}", f"-seed={seed}", f"-max_len={LONGEST}", "-timeout=20"]
    options += [f"-artifact_prefix=fuzz-{name}-", str(folder)]

    def spoil(raw: bytes, most: int, number: int) -> bytes:
        """Every other time with pieces of the format, which chance alone would take long to find."""
        return mutated(raw, number, 1 + number % 5)[:most] if number % 2 else atheris.Mutate(raw, most)

    atheris.Setup([sys.argv[0], *options], lambda raw: check(raw, ZONE), custom_mutator=spoil)
    atheris.Fuzz()


def main() -> int:
    """Read the options, and fuzz each format in a process of its own."""
    parser = argparse.ArgumentParser(prog="run.py bench fuzz")
    parser.add_argument("--minutes", type=float, default=1, help="how long in all (default 1)")
    parser.add_argument("--format", choices=NAMES, help="one format alone")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seconds = options.minutes * 60
    if options.format is None:
        share = [f"--minutes={options.minutes / len(NAMES)}", f"--seed={options.seed}"]
        command = [sys.executable, "-m", "tests.bench.fuzz", *share]
        return max(subprocess.run([*command, f"--format={name}"], check=False).returncode for name in NAMES)
    try:
        import atheris  # noqa: PLC0415
    except ImportError:
        by_chance(options.format, seconds, options.seed)
    else:
        by_coverage(atheris, options.format, seconds, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
