"""The job that keeps one analytics session alive: one lease, one child, its words into the spool."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.node.child import COMMAND, AnalyticsChild
from workers.node.desired import read_cached
from workers.node.household import House, find_session, house_of_session
from workers.node.leases import Lease, LeaseHeldError, LeaseKeeper, NoLeaseError, take
from workers.node.recorders import socket_path
from workers.node.spool import Blob, Origin, Spool
from workers.node.tie import tie_to_parent
from workers.recorder.clock import Clock
from workers.recorder.files import write_atomically

log = logging.getLogger(__name__)
TICK_S = 0.25
LOOK_S = 1.0
MEMORY_MB = 900
CRASH_BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0)
CRASHES, CRASH_WINDOW_S = 5, 600.0
WARM_S = 1800
TIMEZONE = "America/Argentina/Buenos_Aires"
# The recorder is the only owner of camera states and of the minute's still.
NOT_ITS_BUSINESS = frozenset({"camera_state", "snapshot"})


def supervise(session_id: str) -> str:
    """The job of `node-analyse`. A second one for the same session ends at once; its return says why it ended."""
    house, session = house_of_session(session_id)
    with session_lock(house.folder, session_id) as mine:
        if not mine:
            return "duplicate"
        supervisor = Supervisor(house, session, COMMAND)
        tie_to_parent(signal.SIGTERM)
        former = signal.signal(signal.SIGTERM, lambda *_: supervisor.stop())
        try:
            return supervisor.run()
        finally:
            signal.signal(signal.SIGTERM, former)


def warm(session_id: str) -> str:
    """Prepare what a session's producer needs before it may start (building a model engine takes minutes)."""
    house, session = house_of_session(session_id)
    spool = house.spool()
    try:
        mark(spool, session, "warming", "")
        config = configuration(house, session, Lease(UUID(session_id), "", 0), 0)
        done = subprocess.run(
            [*COMMAND, "--warm"], input=json.dumps({"type": "config", **config}).encode() + b"\n",
            stdout=subprocess.DEVNULL, timeout=WARM_S, check=False,
        )  # fmt: skip
        mark(spool, session, "idle" if done.returncode == 0 else "failed", "")
        return "warm" if done.returncode == 0 else "failed"
    finally:
        spool.close()


class Supervisor:
    """Holds the lease while its child lives, restarts it with growing pauses, and ends when told or when refused."""

    def __init__(self, house: House, session: Mapping[str, Any], command: Sequence[str]) -> None:
        self._house, self._session, self._command = house, session, command
        self._id = str(session["id"])
        self._spool = house.spool()
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._crashes: list[float] = []
        self._seen: tuple[int, int] | None = None

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> str:
        mark(self._spool, self._session, "starting", "")
        try:
            lease = take(self._spool, self._house.province(), UUID(self._id))
        except (LeaseHeldError, NoLeaseError) as reason:
            mark(self._spool, self._session, "idle", type(reason).__name__)
            self._spool.close()
            return type(reason).__name__
        keeper = LeaseKeeper(self._house.province(), lease, self._lost.set)
        keeper.start()
        try:
            outcome = self._keep_alive(lease)
        finally:
            keeper.stop()
            announce(self._house, self._id, None)
        mark(self._spool, self._session, "failed" if outcome == "failed" else "idle", outcome)
        self._spool.close()
        return outcome

    def _keep_alive(self, lease: Lease) -> str:
        while True:
            run = next_run(self._spool, self._id)
            origin = Origin(self._id, lease.epoch, run)
            child = AnalyticsChild(
                configuration(self._house, self._session, lease, run), partial(self._keep, origin),
                self._house.settings.home / "logs" / f"analytics-{self._id[:8]}.log", self._command,
            )  # fmt: skip
            announce(self._house, self._id, child.pid)
            outcome = self._watch(child, lease, run)
            child.end()
            if outcome not in ("crashed", "silent", "too_big"):
                return outcome
            log.warning("analytics of session %s ended: %s (exit %s)", self._id, outcome, child.exit_code)
            if self._too_many_crashes():
                return "failed"
            mark(self._spool, self._session, "starting", outcome)
            if self._stop.wait(CRASH_BACKOFF_S[min(len(self._crashes), len(CRASH_BACKOFF_S)) - 1]):
                return "stopped"

    def _too_many_crashes(self) -> bool:
        now = time.monotonic()
        self._crashes = [at for at in self._crashes if now - at < CRASH_WINDOW_S] + [now]
        return len(self._crashes) >= CRASHES

    def _watch(self, child: AnalyticsChild, lease: Lease, run: int) -> str:
        told, looked = "", 0.0
        while not self._stop.wait(TICK_S):
            if self._lost.is_set():
                return "lease_lost"
            if child.exit_code is not None:
                return "crashed"
            if child.silent:
                return "silent"
            if child.state + child.detail != told:
                told = child.state + child.detail
                mark(self._spool, self._session, child.state, child.detail)
            if time.monotonic() - looked < LOOK_S:
                continue
            looked = time.monotonic()
            if child.memory_mb() > MEMORY_MB:
                return "too_big"
            verdict = self._follow_desired(child, lease, run)
            if verdict is not None:
                return verdict
        return "stopped"

    def _follow_desired(self, child: AnalyticsChild, lease: Lease, run: int) -> str | None:
        """Pass changed rules on to the child; end when the session is no longer wanted or its epoch was refused."""
        rows = self._spool.execute("SELECT stale FROM sessions WHERE session_id=?", (self._id,))
        if rows and rows[0]["stale"]:
            return "lease_lost"
        path = self._house.folder / "desired.json"
        stat = path.stat()
        if (stat.st_mtime_ns, stat.st_size) == self._seen:
            return None
        self._seen = (stat.st_mtime_ns, stat.st_size)
        session = find_session(read_cached(path), self._id)
        if session is None:
            return "removed"
        if session != self._session:
            self._session = session
            child.configure(configuration(self._house, session, lease, run))
            mark(self._spool, session, child.state, child.detail)
        return None

    def _keep(self, origin: Origin, item: Mapping[str, Any], blobs: Sequence[Mapping[str, str]]) -> None:
        if item.get("type") in NOT_ITS_BUSINESS:
            return
        named = [Blob(str(blob["sha256"]), Path(blob["path"])) for blob in blobs]
        key = item.get("key")
        self._spool.put(item, origin=origin, blobs=named, key=f"{item['type']}:{key}" if key else None)


def configuration(house: House, session: Mapping[str, Any], lease: Lease, run: int) -> dict[str, Any]:
    """What the child is told: the desired session, and where to read each camera."""
    state = house.cached()
    known = {str(camera["id"]): camera for camera in state.get("cameras", [])}
    socket = str(socket_path(house.settings, house.identity.tenant))
    cameras = [
        {
            **camera, "name": known.get(str(camera["id"]), {}).get("name", ""),
            "place": known.get(str(camera["id"]), {}).get("place", "other"),
            "ingest": {
                "kind": "unix", "socket": socket,
                "request": {"op": "ingest", "camera": str(camera["id"]), "stream": camera.get("stream", "main")},
            },
        }
        for camera in session.get("cameras", [])
    ]  # fmt: skip
    return {
        "schema": 1, "session": {"session_id": str(session["id"]), "epoch": lease.epoch, "run": run},
        "tenant": str(house.identity.tenant), "config_version": int(session.get("config_version", 0)),
        "producer": session.get("producer", "cpu"), "timezone": TIMEZONE, "blob_dir": str(house.blobs), "cameras": cameras,
    }  # fmt: skip


def mark(spool: Spool, session: Mapping[str, Any], state: str, detail: str) -> None:
    """Write down the state that the next heartbeat tells."""
    spool.execute(
        "INSERT INTO sessions (session_id, state, detail, config_version, updated_us) VALUES (?,?,?,?,?)"
        " ON CONFLICT (session_id) DO UPDATE SET state=excluded.state, detail=excluded.detail,"
        " config_version=excluded.config_version, updated_us=excluded.updated_us",
        (str(session["id"]), state, detail, int(session.get("config_version", 0)), Clock().wall_us()),
    )


def next_run(spool: Spool, session_id: str) -> int:
    """The child's start counter: part of every idempotency key, so a restart under one epoch repeats none."""
    return int(spool.execute("UPDATE sessions SET run=run+1 WHERE session_id=? RETURNING run", (session_id,))[0]["run"])


@contextmanager
def session_lock(folder: Path, session_id: str) -> Iterator[bool]:
    """True for the one supervisor of a session on this machine."""
    place = folder / "sessions"
    place.mkdir(parents=True, exist_ok=True)
    fd = os.open(place / f"{UUID(session_id)}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def announce(house: House, session_id: str, pid: int | None) -> None:
    """Keep `run/analytics.json`, which lists the children of this machine for whoever watches processes."""
    run = house.settings.run
    run.mkdir(parents=True, exist_ok=True)
    fd = os.open(run / ".analytics.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        path = run / "analytics.json"
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            rows = {}
        rows.pop(session_id, None)
        if pid is not None:
            rows[session_id] = {"pid": pid, "tenant": str(house.identity.tenant)}
        write_atomically(path, json.dumps(rows, indent=1).encode())
    finally:
        os.close(fd)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    sys.exit(0 if supervise(sys.argv[1]) else 1)
