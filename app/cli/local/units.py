"""What the supervisor looks after: services that must stay up and steps that must be done once."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

Start = Callable[[], subprocess.Popen[bytes]]


class State(StrEnum):
    """Where a unit is."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
    STOPPED = "stopped"


FULFILLED = frozenset({State.READY, State.DONE})


@dataclass
class Unit:
    """One thing to start. A unit without `ready` is a step: done when its process ends well."""

    name: str
    title: str
    start: Start | None = None
    call: Callable[[], None] | None = None  # a step short enough for the supervisor's own thread
    ready: Callable[[], bool] | None = None
    done_already: Callable[[], bool] | None = None  # a step that was done on an earlier start
    after: tuple[str, ...] = ()
    log: Path | None = None
    expected_s: float = 1.0
    patience_s: float = 120.0
    stop_signal: int = signal.SIGTERM
    stop_s: float = 10.0
    stopped: Callable[[], None] | None = None  # what is left to end after the process itself
    tries: int = 1  # of a step that speaks to a server which may be busy
    optional: bool = False  # its failure degrades the product and does not stop the start
    # The rest is the supervisor's.
    state: State = State.WAITING
    process: subprocess.Popen[bytes] | None = None
    since: float = field(default_factory=time.monotonic)
    started: float = 0.0
    retry_at: float = 0.0
    falls: int = 0
    detail: str = ""
    share: float = 0.0  # how much of a step is done, when it says so
    log_from: int = 0

    @property
    def is_service(self) -> bool:
        return self.ready is not None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    def said(self, size: int = 2048) -> list[str]:
        """The last lines of this start's output."""
        if self.log is None or not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(max(self.log_from, self.log.stat().st_size - size))
            return file.read().decode("utf-8", "replace").splitlines()

    def last_words(self) -> str:
        """The last sentence it wrote, for whoever asks why it ended."""
        sentences = [line for line in self.said() if line[:1].strip() and not line.startswith("PROGRESS ")]
        return sentences[-1][:300] if sentences else ""

    def become(self, state: State) -> None:
        self.state = state
        self.since = time.monotonic()


def levels(units: list[Unit]) -> list[list[Unit]]:
    """The units by depth: a level holds what needs only the levels before it."""
    depth: dict[str, int] = {}
    for unit in units:  # the list is in an order that already respects `after`
        depth[unit.name] = 1 + max((depth[name] for name in unit.after), default=-1)
    rows: list[list[Unit]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for unit in units:
        rows[depth[unit.name]].append(unit)
    return rows


def seconds_left(units: list[Unit], now: float) -> float:
    """How long until all is ready: the longest chain of what is still expected."""
    until: dict[str, float] = {}
    for unit in units:
        wait = max((until[name] for name in unit.after), default=0.0)
        if unit.state in FULFILLED:
            own = 0.0
        elif unit.state is State.STARTING and unit.share > 0:
            own = (now - unit.started) * (1 - unit.share) / unit.share
        elif unit.state is State.STARTING:
            own = max(unit.expected_s - (now - unit.started), 0.1 * unit.expected_s)
        else:
            own = unit.expected_s
        until[unit.name] = wait + own
    return max(until.values(), default=0.0)
