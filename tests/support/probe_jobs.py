"""Jobs that exist only in tests: each leaves one audit entry per run that counts, and can be told to misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.audit import service as audit
from app.kernel.actor import current
from app.kernel.jobs import job
from app.kernel.unit_of_work import unit_of_work


class ProbeError(RuntimeError):
    """What a failing probe raises."""


@job("probe.short", queue="alarms", timeout_s=5)
def short(ref: str, pause: str = "0") -> None:
    time.sleep(float(pause))
    audit.record("probe:job:run", ref)


@job("probe.long", queue="media", timeout_s=20, long=True)
def long(ref: str, pause: str = "0") -> Callable[[], None]:
    with unit_of_work(current(), read_only=True):
        pass
    time.sleep(float(pause))
    return lambda: audit.record("probe:job:run", ref)


@job("probe.silent", queue="media", long=True)
def silent() -> None:
    """A long job with nothing to record."""


@job("probe.failing", queue="alarms")
def failing(ref: str) -> None:
    audit.record("probe:job:run", ref)
    raise ProbeError(f"no pude con {ref}\x00")


@job("probe.slow", queue="alarms", timeout_s=1)
def slow() -> None:
    time.sleep(5)


@job("probe.mark", queue="retention")
def mark(path: str) -> None:
    """Write the moment it started, for fairness."""
    with Path(path).open("a") as file:
        file.write(f"{time.time():.3f} {current().tenant_id}\n")
    time.sleep(0.02)
