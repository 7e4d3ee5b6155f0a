"""Sorting more lines than should be held in memory."""

import heapq
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO

from clinic_tracker.domain.reporting.definition import Line

AT_ONCE = 10_000

Keyed = tuple[str, int, Line]


def ordered(lines: Iterable[Line], key: Callable[[Line], str], at_once: int = AT_ONCE) -> Iterator[Line]:
    """The lines by key; those of one key in the order in which they came.

    More than ``at_once`` lines are sorted by parts, which wait in temporary files of this process.
    """
    numbered = ((key(line), place, line) for place, line in enumerate(lines))
    parts: list[IO[bytes]] = []
    last: list[Keyed] = []
    try:
        while True:
            part = sorted(islice(numbered, at_once), key=_place)
            if len(part) < at_once:
                last = part
                break
            parts.append(_put_aside(part))
        for _key, _number, line in heapq.merge(*(_taken_back(part) for part in parts), last, key=_place):
            yield line
    finally:
        for file in parts:
            file.close()


def _place(keyed: Keyed) -> tuple[str, int]:
    return keyed[:2]


def _put_aside(part: list[Keyed]) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when all parts were merged
    for keyed in part:
        pickle.dump(keyed, file, pickle.HIGHEST_PROTOCOL)
    file.seek(0)
    return file


def _taken_back(file: IO[bytes]) -> Iterator[Keyed]:
    while True:
        try:
            yield pickle.load(file)  # noqa: S301 - written by this process a moment ago
        except EOFError:
            return
