"""What the supervisor writes down for `pipc status`, `up` and `down`, and how they read it."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from typing import IO, Any

from app.cli.local.fleet import members
from app.cli.local.home import Home
from app.cli.local.process import ProcessRef, tree_rss_mb
from app.cli.local.supervisor import Supervisor
from app.cli.local.units import FULFILLED, State, seconds_left

_FILE = "run/state.json"
_PHASES = {State.READY: "ready", State.UNHEALTHY: "unhealthy", State.RESTARTING: "restarting", State.FAILED: "failed"}


@dataclass(frozen=True)
class Running:
    """A supervisor that is alive, and what it last wrote."""

    ref: ProcessRef
    told: dict[str, Any]


class Claim:
    """The right to run this home: held by one supervisor at a time, released by the kernel when it ends."""

    def __init__(self, home: Home) -> None:
        self._path = home.run / "supervisor.lock"
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """False when another supervisor holds it."""
        self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            return False
        return True


def write(home: Home, supervisor: Supervisor, url: str) -> None:
    """Write the state of this moment, whole."""
    me = ProcessRef.of(os.getpid())
    processes = []
    for unit in supervisor.units:
        if unit.is_service:
            ref = ProcessRef.of(unit.pid) if unit.pid else None
            processes.append(
                {"name": unit.name, "state": _PHASES.get(unit.state, str(unit.state)), "pid": ref.pid if ref else None,
                 "started": ref.started if ref else None}
            )  # fmt: skip
    home.write_json(
        _FILE,
        {
            "supervisor": {"pid": me.pid, "started": me.started} if me else None,
            "phase": "stopping" if supervisor.stopping else supervisor.phase,
            "url": url,
            "left_s": round(seconds_left(supervisor.units, time.monotonic())),
            "doing": [unit.title for unit in supervisor.units if unit.state is State.STARTING],
            "done": sum(unit.state in FULFILLED for unit in supervisor.units),
            "of": len(supervisor.units),
            "processes": processes,
        },
    )


def running(home: Home) -> Running | None:
    """The supervisor of this home, when one is alive."""
    told = home.read_json(_FILE)
    if not told or not told.get("supervisor"):
        return None
    ref = ProcessRef(told["supervisor"]["pid"], told["supervisor"]["started"])
    return Running(ref, told) if ref.alive() else None


def processes(home: Home, told: dict[str, Any]) -> list[dict[str, Any]]:
    """Every process of the product as it is at this moment: name, pid, state, memory."""
    rows = [(row["name"], row["state"], ProcessRef(row["pid"] or 0, row["started"] or 0)) for row in told["processes"]]
    rows += [(member.name, "ready", member.ref) for member in members(home)]
    pids = {ref.pid for _, _, ref in rows}
    found = []
    for name, state, ref in rows:
        alive = ref.alive()
        if not alive and state in ("ready", "unhealthy", "starting"):
            state = "stopped"
        found.append(
            {"name": name, "pid": ref.pid if alive else None, "state": state,
             "rss_mb": tree_rss_mb(ref.pid, pids - {ref.pid}) if alive else 0}
        )  # fmt: skip
    return found
