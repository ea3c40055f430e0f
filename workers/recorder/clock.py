"""Recording time in integer microseconds: monotonic within a run, slewed towards the wall clock, never stepped."""

from __future__ import annotations

import time
from datetime import UTC, datetime

SECOND = 1_000_000
SLEW_PPM = 500
STEP_US = SECOND


class Clock:
    """The two clocks of this machine; tests pass their own."""

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    def mono_us(self) -> int:
        return time.monotonic_ns() // 1000


class RunClock:
    """Wall time of one run: anchored once, then carried by the monotonic clock and slewed at most 500 ppm.

    `stepped` becomes true when the wall clock left the run by more than one second: the run must end there.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mono = clock.mono_us()
        self._now = clock.wall_us()
        self.stepped = False

    def read(self) -> int:
        mono, wall = self._clock.mono_us(), self._clock.wall_us()
        elapsed, self._mono = mono - self._mono, mono
        error = wall - (self._now + elapsed)
        if abs(error) > STEP_US:
            self.stepped = True
            self._now += elapsed
            return self._now
        limit = elapsed * SLEW_PPM // 1_000_000
        self._now += elapsed + max(-limit, min(limit, error))
        return self._now


def iso(us: int) -> str:
    """ISO 8601 in UTC with microseconds, the form every message uses."""
    return datetime.fromtimestamp(us // SECOND, UTC).replace(microsecond=us % SECOND).isoformat(timespec="microseconds")


def from_iso(text: str) -> int:
    """Microseconds of an ISO 8601 instant. Raises `ValueError` when it carries no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"instant without offset: {text}")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def day_of(us: int) -> str:
    """The UTC day folder `yyyy/mm/dd` of an instant."""
    return datetime.fromtimestamp(us // SECOND, UTC).strftime("%Y/%m/%d")


def hour_of(us: int) -> int:
    """Start of the UTC hour that holds an instant."""
    return us - us % (3600 * SECOND)
