"""Reports: compliance beside a calculation from the raw results, and files beside the bare writers, of the same run.

`--patients 10000` makes the clinic of the first part as large as they come, which takes some minutes to build.
"""

import argparse
import sys

from tests.bench import _as_of, _report_files

PATIENTS = 1000


def main() -> int:
    """Print the figures; 1 where one is out of bounds."""
    parser = argparse.ArgumentParser(prog="run.py bench reports")
    parser.add_argument("--patients", type=int, default=PATIENTS, help=f"size of the clinic, {PATIENTS:,} by default")
    patients = parser.parse_args().patients
    results = [_as_of.main(patients), _report_files.main()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
