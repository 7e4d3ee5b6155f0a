"""Reports: their files beside the bare writers of the same run."""

import sys

from tests.bench import _report_files


def main() -> int:
    """Print the figures; 1 where one is out of bounds."""
    return 0 if _report_files.main() else 1


if __name__ == "__main__":
    sys.exit(main())
