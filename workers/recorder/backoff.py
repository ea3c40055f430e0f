"""When to try a camera again: full jitter per camera, and a ceiling for the whole process."""

from __future__ import annotations

import random
import threading
import time

STEPS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
AUTH_STEPS_S = (30.0, 60.0, 120.0, 300.0)
STABLE_S = 60.0
CONNECTS_PER_SECOND = 8


class Backoff:
    """Delays 1-2-4-8-16-30 s with full jitter, forgotten after a minute of stable video.

    A refused password waits longer: cameras lock accounts.
    """

    def __init__(self, steps: tuple[float, ...] = STEPS_S) -> None:
        self._steps = steps
        self._failures = 0

    def delay(self, code: str, stable_s: float) -> float:
        """Seconds to wait after a failure that followed this much stable video."""
        if stable_s >= STABLE_S:
            self._failures = 0
        steps = AUTH_STEPS_S if code == "auth_failed" else self._steps
        ceiling = steps[min(self._failures, len(steps) - 1)]
        self._failures += 1
        if code == "auth_failed":
            return ceiling
        return ceiling * (0.1 + 0.9 * random.random())  # noqa: S311 - jitter, not a secret


class ConnectGate:
    """At most eight connection attempts a second, so that cameras lost together do not storm a switch."""

    def __init__(self, per_second: int = CONNECTS_PER_SECOND) -> None:
        self._interval = 1 / per_second
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, stop: threading.Event) -> bool:
        """Wait for a turn; false when the stream must end."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._interval
        return not stop.wait(max(0.0, turn - time.monotonic()))
