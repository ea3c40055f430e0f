"""One municipality inside the daemon: its link, its recorder, its orders and sessions, each second."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from workers.node.desired import DesiredState, recorder_message
from workers.node.footage import Footage
from workers.node.health import HealthDesk
from workers.node.household import House
from workers.node.orderdesk import OrderDesk
from workers.node.province import LinkDownError, RefusedError
from workers.node.queues import RETAIN, NodeQueues
from workers.node.recorders import RecorderChild
from workers.node.sessions import SessionKeeper
from workers.node.spool import Blob
from workers.node.uplink import Uplink
from workers.recorder.client import RecorderRefused, RecorderUnavailable, ask, ask_with_body
from workers.recorder.clock import Clock, iso

log = logging.getLogger(__name__)
VERSION = "1"
TICK_S = 0.5
APPLY_S, FOOTAGE_S, SESSIONS_S, STATUS_S, TRIM_S = 30.0, 2.0, 5.0, 1.0, 30.0
ORDER_POLL_S = 1.0
SNAPSHOT_S = 60.0
RETAIN_S, PRESSURE_S, RETAIN_PATIENCE_S = 3600.0, 20.0, 60.0


class Municipality:
    """Everything the daemon does for one identity. What fails is logged and tried again; recording needs none of it."""

    def __init__(self, house: House, queues: NodeQueues, clock: Clock | None = None) -> None:
        self.house, self._queues, self._clock = house, queues, clock or Clock()
        self._name = house.identity.slug
        house.folder.mkdir(parents=True, exist_ok=True)
        self.spool = house.spool()
        self.desired = DesiredState(house.folder / "desired.json")
        self.province = house.province()
        self.recorder = RecorderChild(house.settings, house.identity.tenant)
        self.health = HealthDesk(self.spool)
        self.footage = Footage(house.folder / "index.sqlite", self.spool)
        self.orders = OrderDesk(self.spool, house.identity.tenant, queues)
        self.sessions = SessionKeeper(house.folder, self.spool, queues)
        self.uplink = Uplink(self._name, self.spool, self.province, self._take_orders)
        self._status: dict[str, Any] | None = None
        self._applied: tuple[int, int, str | None] | None = None
        self._paused: str | None = None
        self._held: int | None = None
        self._due: dict[str, float] = {}
        self._snapshots: dict[str, float] = {}
        self._ending = threading.Event()
        self._beat_now = threading.Event()
        self._pressed_since: float | None = None
        self._retaining: subprocess.Popen[bytes] | None = None
        self._threads = [
            threading.Thread(target=self._loop, args=(self._tick,), name=f"node-{self._name}", daemon=True),
            threading.Thread(target=self._loop, args=(self._speak,), name=f"beat-{self._name}", daemon=True),
        ]

    def start(self) -> None:
        self.uplink.start()
        for thread in self._threads:
            thread.start()

    def stop(self, *, recorder: bool = False) -> None:
        """End the daemon's part; the recorder lives on unless the municipality left this node."""
        self._ending.set()
        self.uplink.stop()
        for thread in self._threads:
            thread.join(20.0)
        self.uplink.join(20.0)
        if recorder:
            self.recorder.stop()
        self.footage.close()
        self.spool.close()

    def _loop(self, work: Callable[[], None]) -> None:
        while not self._ending.wait(TICK_S):
            try:
                work()
            except Exception:
                # One municipality's trouble must not end its own loop, let alone the others'.
                log.exception("turn of %s failed", self._name)

    def _every(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + seconds
        return True

    def _tick(self) -> None:
        """Local work: recorder, footage, orders, sessions, retention. Never waits for the province."""
        if self._every("status", STATUS_S):
            self._tend_recorder()
        if self._every("footage", FOOTAGE_S):
            self._keep_holds()
            self.footage.ship_gaps()
            self.footage.ship_purges()
            self.footage.close_hours((self.desired.state.get("policy") or {}).get("retention_days"))
        if self.orders.take(self.desired.state.get("orders", [])):
            self._beat_now.set()
        self.orders.dispatch()
        if self._every("sessions", SESSIONS_S):
            self.sessions.tend(self.desired.state)
        if self._every("retention", PRESSURE_S):
            self._tend_retention()
        if self._every("trim", TRIM_S):
            dropped = self.spool.trim()
            if dropped:
                log.error("spool of %s was full: %d rows given up", self._name, dropped)
            self.orders.forget_old()

    def _tend_recorder(self) -> None:
        status = self.recorder.status()
        self._status = status
        if status is None:
            self._applied = None
            return
        wanted = (int(status["pid"]), self.desired.version, self._paused)
        if wanted != self._applied or self._every("apply", APPLY_S):
            self._apply(wanted)
        self.health.take(status["cameras"], self._clock.wall_us())
        self._take_snapshots(status)

    def _apply(self, wanted: tuple[int, int, str | None]) -> None:
        settings, state = self.house.settings, self.desired.state
        message = recorder_message(
            state, self.house.identity, networks=settings.networks, own_ports=settings.own_ports(),
            files=settings.allow_files, paused=self._paused,
        )  # fmt: skip
        try:
            ask(self.recorder.socket, message, timeout=30.0)
        except (RecorderUnavailable, RecorderRefused) as error:
            log.error("recorder of %s did not take its configuration: %s", self._name, error)
            return
        self._applied = wanted

    def _keep_holds(self) -> None:
        """What must not be deleted is known to the index as soon as it is told, recorder or not."""
        state = self.desired.state
        if state["version"] and state["version"] != self._held:
            self.footage.keep_holds(state.get("holds", []))
            self._held = state["version"]

    def _take_snapshots(self, status: Mapping[str, Any]) -> None:
        """One still a minute of each camera that shows something, spread so that they do not come together."""
        now = time.monotonic()
        for camera in status["cameras"]:
            identifier = camera["camera_id"]
            if camera["state"] not in ("online", "frozen", "dark") or now < self._snapshots.get(identifier, 0.0):
                continue
            self._snapshots[identifier] = now + SNAPSHOT_S
            try:
                answer, picture = ask_with_body(self.recorder.socket, {"op": "snapshot", "camera": identifier})
            except (RecorderUnavailable, RecorderRefused):
                self._snapshots[identifier] = now + 2.0
                continue
            self._keep_snapshot(identifier, answer["taken_at"], picture)

    def _keep_snapshot(self, camera: str, taken_at: str, picture: bytes) -> None:
        sha = hashlib.sha256(picture).hexdigest()
        self.house.blobs.mkdir(parents=True, exist_ok=True)
        path = self.house.blobs / f"{sha}.jpg"
        path.write_bytes(picture)
        item = {"type": "snapshot", "camera_id": camera, "taken_at": taken_at, "sha256": sha}
        self.spool.put(item, blobs=[Blob(sha, path)])

    def _speak(self) -> None:
        """Heartbeat and desired state, on a thread of their own: the link may be slow."""
        busy = self.orders.busy
        if not self._beat_now.is_set() and not self._every(
            "beat", ORDER_POLL_S if busy else self.house.settings.heartbeat_s
        ):
            return
        self._beat_now.clear()
        try:
            answer = self.province.heartbeat(self._heartbeat())
            self._take_orders(answer.get("orders", []))
            if answer.get("desired_version") != self.desired.version:
                fresh = self.province.desired(self.desired.version)
                if fresh is not None and self.desired.accept(fresh):
                    log.info("%s: desired state %s", self._name, fresh["version"])
        except LinkDownError as error:
            log.debug("%s: heartbeat: %s", self._name, error)
        except RefusedError as refusal:
            log.warning("%s: heartbeat refused: %s %s", self._name, refusal.status, refusal.code)

    def _take_orders(self, orders: Any) -> None:
        if self.orders.take(orders):
            self._beat_now.set()

    def _heartbeat(self) -> dict[str, Any]:
        status = self._status or {"cameras": []}
        cameras = [self._camera(row) for row in status["cameras"]]
        recorded = [
            row["recorded_us"]
            for row in status["cameras"]
            if row["record"] and row["gap_since_us"] is None and row["recorded_us"]
        ]
        return {
            "recorded_until": iso(min(recorded)) if recorded else None, "version": VERSION, "cameras": cameras,
            "sessions": self.sessions.report(self.desired.state),
            "volume": status.get("volume"), "spool": {"waiting": self.spool.waiting()},
        }  # fmt: skip

    def _camera(self, row: Mapping[str, Any]) -> dict[str, Any]:
        camera = str(row["camera_id"])
        since = self.health.since(camera)
        names = ("camera_id", "recording", "codec", "width", "height", "fps", "error_code", "last_packet_at")
        return {
            **{name: row[name] for name in names}, "state": self.health.state(camera) or row["state"],
            "since": iso(since) if since else None,
        }  # fmt: skip

    def _tend_retention(self) -> None:
        """Hourly, and at once when space runs short; what no worker does in a minute a plain child does."""
        if self._retaining is not None and self._retaining.poll() is None:
            return
        only_held = self.footage.only_held()
        self._paused = "hold_only" if only_held else None
        tenant, now = str(self.house.identity.tenant), time.monotonic()
        pressed = self._pressed()
        if not pressed:
            self._pressed_since = None
        if pressed or only_held or self._every("retain", RETAIN_S):
            self._queues.enqueue(RETAIN, "workers.node.retain", (tenant,), job_id=f"retain-{tenant}", timeout_s=600)
        if pressed:
            self._pressed_since = self._pressed_since or now
            if now - self._pressed_since > RETAIN_PATIENCE_S:
                self._pressed_since = None
                self._retaining = subprocess.Popen(
                    [sys.executable, "-m", "workers.node.retention", tenant], stdin=subprocess.DEVNULL
                )

    def _pressed(self) -> bool:
        policy = self.desired.state.get("policy") or {}
        quota = int(policy.get("quota_bytes") or self.house.settings.quota_bytes)
        if quota:
            return self.footage.used_bytes() > quota
        try:
            usage = shutil.disk_usage(self.house.folder)
        except OSError:
            return False
        return usage.free < usage.total // 20
