"""The analytics child: cameras of one session in, JSON lines out. It dies with whoever started it."""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.analytics.blobs import BlobFolder
from workers.analytics.configuration import CameraSetup, Setup
from workers.analytics.feed import Feed
from workers.analytics.items import Teller, instant
from workers.analytics.plates.desk import PlateDesk
from workers.analytics.plates.reader import PlateReader
from workers.analytics.producers.cpu import CAPABILITIES, NAME, VERSION
from workers.analytics.watch import Watch

HEARTBEAT_S = 1.0
DRAIN_S = 2.0

Say = Callable[[Mapping[str, Any]], None]


class Child:
    """Three kinds of thread: one decoder per camera, one that analyses, one that reads plates."""

    def __init__(self, setup: Setup, say: Say, reader: Callable[[], Any] = PlateReader) -> None:
        self._say, self._setup = say, setup
        self._teller = Teller(say, BlobFolder(setup.blobs), session=setup.session, epoch=setup.epoch, run=setup.run,
                              context_images=setup.context_images)
        self._desk = PlateDesk(reader, self._teller.plate, setup.ocr_per_second)
        self._feed = Feed(self._trouble)
        self._lock = threading.Lock()
        self._watches: dict[UUID, Watch] = {}
        self._stopping = threading.Event()
        self._fps: dict[UUID, tuple[float, int]] = {}
        self._threads = [threading.Thread(target=self._guarded, args=(loop,), name=loop.__name__.strip("_"), daemon=True)
                         for loop in (self._analyse, self._read_plates)]

    def start(self) -> None:
        for camera in self._setup.cameras.values():
            self._watches[camera.id] = Watch(self._setup, camera, self._desk, self._teller)
            self._feed.start(camera)
        for thread in self._threads:
            thread.start()
        self._announce()

    def apply(self, setup: Setup) -> bool:
        """Take a new configuration of the same session in place; False for another session, which needs a new child."""
        before = self._setup
        if (setup.session, setup.epoch, setup.run) != (before.session, before.epoch, before.run):
            return False
        with self._lock:
            for gone in before.cameras.keys() - setup.cameras.keys():
                self._drop(gone)
            for camera in setup.cameras.values():
                old = before.cameras.get(camera.id)
                if old and _source(old) == _source(camera):
                    self._watches[camera.id].apply(camera)
                    continue
                if old:
                    self._drop(camera.id)
                self._watches[camera.id] = Watch(setup, camera, self._desk, self._teller)
                self._feed.start(camera)
            self._setup = setup
        self._announce()
        return True

    def run(self, finished: threading.Event) -> None:
        """Beat until told to finish, then drain."""
        while not finished.wait(HEARTBEAT_S) and not self._stopping.is_set():
            self._beat()
        for camera in list(self._watches):
            self._feed.stop(camera)
        deadline = time.monotonic() + DRAIN_S
        with self._lock:
            for watch in self._watches.values():
                watch.end()
        while time.monotonic() < deadline and self._desk.run_once():
            pass
        self._stopping.set()

    @property
    def failed(self) -> bool:
        return self._stopping.is_set() and any(not thread.is_alive() for thread in self._threads)

    def _drop(self, camera: UUID) -> None:
        self._feed.stop(camera)
        self._desk.forget(str(camera))
        del self._watches[camera]
        self._fps.pop(camera, None)

    def _analyse(self) -> None:
        while not self._stopping.is_set():
            due = self._feed.take(0.5)
            if due is None:
                continue
            with self._lock:
                watch = self._watches.get(due[0])
                if watch is not None:
                    watch.process(due[1])

    def _read_plates(self) -> None:
        while not self._stopping.is_set():
            if not self._desk.run_once(wait_s=0.25):
                self._stopping.wait(0.02)

    def _guarded(self, loop: Callable[[], None]) -> None:
        """A thread that dies takes the child with it: analytics that stopped must be seen to have stopped."""
        try:
            loop()
        except Exception as error:
            self._say({"type": "log", "level": "error", "code": "crashed", "message": repr(error), "camera_id": None})
            self._stopping.set()
            raise

    def _announce(self) -> None:
        refused = [{"camera_id": str(camera.id), "rule_id": refusal.rule_id, "code": refusal.code, "reason": refusal.reason}
                   for camera in self._setup.cameras.values() for refusal in camera.refused]
        capabilities = {"classes": sorted(CAPABILITIES.classes), "max_fps": CAPABILITIES.max_fps,
                        "plates": CAPABILITIES.plates, "tracking": CAPABILITIES.tracking,
                        "char_probs": CAPABILITIES.char_probs}
        self._say({"type": "ready", "producer": NAME, "version": VERSION, "capabilities": capabilities,
                   "config_version": self._setup.version, "refused": refused})

    def _beat(self) -> None:
        now, cameras = time.monotonic(), []
        for camera, lane in list(self._feed.lanes.items()):
            watch = self._watches.get(camera)
            since, frames = self._fps.get(camera, (now - HEARTBEAT_S, 0))
            self._fps[camera] = (now, lane.frames)
            cameras.append({
                "camera_id": str(camera), "state": lane.state(now), "frames": lane.frames, "dropped": lane.dropped,
                "reconnects": lane.reconnects, "last_pts_ns": watch.last_pts_ns if watch else 0,
                "fps": round((lane.frames - frames) / max(now - since, 1e-3), 1),
            })
        states = {row["state"] for row in cameras}
        state = "running" if states <= {"running"} else "starting" if states == {"starting"} else "degraded"
        self._say({"type": "heartbeat", "at": instant(time.time_ns()), "state": state, "rss_mb": rss_mb(),
                   "config_version": self._setup.version, "plate_readings": self._desk.readings, "cameras": cameras})

    def _trouble(self, camera: UUID, code: str, message: str) -> None:
        self._say({"type": "log", "level": "warning", "code": code, "message": message, "camera_id": str(camera)})


def _source(camera: CameraSetup) -> tuple[object, ...]:
    """What a camera's decoder depends on; the rest changes in place."""
    return camera.ingest, camera.stream, camera.sees_motion, camera.fps


def rss_mb() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // (1 << 20)


def speak(lock: threading.Lock, line: str) -> None:
    """Write one line whole; a parent that no longer listens is a parent that is gone."""
    with lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
