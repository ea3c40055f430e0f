"""Recorded observations played again: for tests, the rules' test bench and the review of an incident."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from workers.analytics.observation import Observation, loads

NAME, VERSION = "replay", "1"


def read(path: Path) -> Iterator[Observation]:
    """Yield the observations of a JSON Lines file; a broken line raises `ValueError` naming its number."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield loads(line)
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error


def play(
    observations: Iterable[Observation],
    *,
    speed: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Observation]:
    """Yield at the pace of the presentation times, `speed` times as fast; None is as fast as possible."""
    started = first = None
    for observation in observations:
        if speed is not None:
            if started is None or first is None:
                started, first = monotonic(), observation.pts_ns
            due = started + (observation.pts_ns - first) / 1e9 / speed
            if (wait := due - monotonic()) > 0:
                sleep(wait)
        yield observation
