"""Whether this machine's clock may be trusted to call footage old."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from workers.recorder.clock import SECOND, Clock

AHEAD_US = 600 * SECOND
_FACT = "clock_mark"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class ClockInDoubtError(Exception):
    """The clock jumped; nothing is deleted until it is explained."""


def trusted_now(connection: sqlite3.Connection, clock: Clock, *, waived: bool) -> int:
    """The present, checked against the highest instant seen and the monotonic clock. Raises `ClockInDoubtError`.

    Without the waiver (a demonstration's) a wall clock that ran ahead of the monotonic one by ten minutes needs a
    person, because every day it skips would be a day of footage deleted too early.
    """
    wall, mono, boot = clock.wall_us(), clock.mono_us(), _boot_id()
    row = connection.execute("SELECT value FROM facts WHERE name=?", (_FACT,)).fetchone()
    mark = json.loads(row[0]) if row else None
    if mark is not None:
        if wall < mark["wall"]:
            raise ClockInDoubtError("behind")
        same_boot = mark["boot"] == boot and mono >= mark["mono"]
        if same_boot and not waived and wall > mark["wall"] + (mono - mark["mono"]) + AHEAD_US:
            raise ClockInDoubtError("ahead")
    connection.execute(
        "INSERT OR REPLACE INTO facts VALUES (?,?)", (_FACT, json.dumps({"wall": wall, "mono": mono, "boot": boot}))
    )
    return wall


def _boot_id() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
