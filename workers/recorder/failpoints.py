"""Fail-points of the segment protocol: `PIPC_FAILPOINT=<step>:<n>:kill|raise|sleep` acts the n-th time a step is reached."""

from __future__ import annotations

import os
import signal
import threading
import time

_counts: dict[str, int] = {}
_lock = threading.Lock()


class FailPointError(OSError):
    """Raised by a fail-point whose action is `raise`."""


def hit(step: str) -> None:
    """Do what the environment asks at this step; nothing in production."""
    wanted = os.environ.get("PIPC_FAILPOINT")
    if not wanted:
        return
    name, number, action = wanted.split(":")
    if name != step:
        return
    with _lock:
        _counts[step] = _counts.get(step, 0) + 1
        if _counts[step] != int(number):
            return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "sleep":
        time.sleep(30)
    if action == "raise":
        raise FailPointError(f"fail-point {step}")


def reset() -> None:
    """Forget the counts (tests in one process)."""
    _counts.clear()
