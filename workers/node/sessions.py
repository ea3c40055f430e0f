"""Keeps every desired analytics session supervised: asks the queue for a supervisor whenever nobody holds its lock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workers.node.queues import ANALYSE, NodeQueues
from workers.node.spool import Spool
from workers.node.supervise import session_lock
from workers.recorder.clock import SECOND, Clock

FAILED_PAUSE_US = 600 * SECOND
READY_PRODUCERS = frozenset({"cpu", "replay"})


class SessionKeeper:
    """The daemon's five-second loop over desired sessions."""

    def __init__(self, folder: Path, spool: Spool, queues: NodeQueues, clock: Clock | None = None) -> None:
        self._folder, self._spool, self._queues, self._clock = folder, spool, queues, clock or Clock()
        self._asked: dict[str, float] = {}

    def tend(self, state: Mapping[str, Any]) -> None:
        """Enqueue a supervisor for each session without one; RQ may run it twice, the lock lets one through."""
        for session in state.get("sessions", []):
            identifier = str(session["id"])
            if self.supervised(identifier) or self._resting(identifier):
                continue
            rows = self._spool.execute("SELECT epoch, state FROM sessions WHERE session_id=?", (identifier,))
            epoch = int(rows[0]["epoch"] or 0) if rows else 0
            needs_warming = session.get("producer") not in READY_PRODUCERS and not rows
            function, prefix = ("workers.node.warm", "warm") if needs_warming else ("workers.node.supervise", "an")
            if self._queues.enqueue(
                ANALYSE, function, (identifier,), job_id=f"{prefix}-{identifier}-{epoch + 1}", timeout_s=-1
            ):
                self._asked[identifier] = time.monotonic()

    def _resting(self, identifier: str) -> bool:
        """A session that crashed again and again waits ten minutes before it is tried once more."""
        rows = self._spool.execute("SELECT state, updated_us FROM sessions WHERE session_id=?", (identifier,))
        return (
            bool(rows)
            and rows[0]["state"] == "failed"
            and self._clock.wall_us() - rows[0]["updated_us"] < FAILED_PAUSE_US
        )

    def supervised(self, identifier: str) -> bool:
        """Somebody on this machine holds the session's lock."""
        with session_lock(self._folder, identifier) as free:
            return not free

    def report(self, state: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The sessions as the heartbeat tells them; what nobody supervises is never called running."""
        rows = {row["session_id"]: row for row in self._spool.execute("SELECT * FROM sessions")}
        told = []
        for session in state.get("sessions", []):
            row = rows.get(str(session["id"]))
            known, detail = (row["state"], row["detail"]) if row else ("idle", "")
            if known not in ("idle", "failed", "warming") and not self.supervised(str(session["id"])):
                known, detail = "idle", "unsupervised"
            told.append({
                "session_id": str(session["id"]), "state": known, "detail": detail or None,
                "config_version": row["config_version"] if row else 0,
            })  # fmt: skip
        return told
