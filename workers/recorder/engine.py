"""The recorder of one municipality: its volume, its cameras, and everything the control socket may ask."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.recorder.camera import Camera
from workers.recorder.clips import Span, closed_spans
from workers.recorder.clock import Clock, iso
from workers.recorder.configuration import CameraSpec, Configuration
from workers.recorder.files import CameraFolder
from workers.recorder.health import Observer, Sight
from workers.recorder.hub import Hub
from workers.recorder.index import IndexWriter, open_index
from workers.recorder.networks import NetworkPolicy
from workers.recorder.stream import Surroundings
from workers.recorder.tickets import TicketVerifier
from workers.recorder.volume import Volume, mount, refuse_root_filesystem, still_mounted
from workers.recorder.writer import CameraWriter

VERSION = "1"
MAX_CAMERAS = 64
_MOUNT_CHECK_S = 60.0


@dataclass(frozen=True)
class Place:
    """Where a recorder works."""

    tenant: UUID
    volume: Path
    index: Path
    derived: Path
    scenes: tuple[Path, ...]
    segment_s: int = 60
    allow_root_fs: bool = False


class Recorder:
    """Starts and stops cameras as told; one bad camera is never felt by another."""

    def __init__(self, place: Place, clock: Clock | None = None) -> None:
        refuse_root_filesystem(place.volume, allowed=place.allow_root_fs)
        self.place, self._clock = place, clock or Clock()
        self.started_us = self._clock.wall_us()
        self.tickets = TicketVerifier(place.tenant)
        self.around = Surroundings(NetworkPolicy.of(()), place.derived, place.scenes, self._clock)
        self.demonstration = False
        self._paused: str | None = None
        self._lock = threading.RLock()
        self._cameras: dict[UUID, Camera] = {}
        connection = open_index(place.index)
        try:
            self.volume: Volume = mount(connection, place.volume, place.tenant)
        finally:
            connection.close()
        self._index = IndexWriter(place.index)
        self._mounted, self._checked = self.volume.writable, time.monotonic()
        self._observer = Observer(self._sights, self._clock)
        self._observer.start()

    def apply(self, wanted: Configuration) -> dict[str, int]:
        """Make the cameras what the configuration says; untouched ones keep running."""
        with self._lock:
            self.around.policy = NetworkPolicy.of(wanted.networks, wanted.own_ports, files=wanted.files)
            self.tickets.trust(wanted.view_keys)
            self.demonstration, self._paused = wanted.demonstration, wanted.paused
            desired = {spec.id: spec for spec in wanted.cameras[:MAX_CAMERAS]}
            removed = [camera for camera in self._cameras if camera not in desired]
            for camera in removed:
                self.remove(camera)
            for spec in desired.values():
                self.add(spec)
            return {"cameras": len(self._cameras), "removed": len(removed)}

    def add(self, spec: CameraSpec) -> None:
        """Add a camera or change it."""
        with self._lock:
            camera = self._cameras.get(spec.id)
            if camera is not None:
                camera.apply(spec)
            elif len(self._cameras) < MAX_CAMERAS:
                self._cameras[spec.id] = Camera(spec, self.around, self._writer)

    def remove(self, camera_id: UUID) -> bool:
        with self._lock:
            camera = self._cameras.pop(camera_id, None)
        if camera is None:
            return False
        camera.stop("scheduled_off")
        return True

    def camera(self, camera_id: UUID) -> Camera | None:
        with self._lock:
            return self._cameras.get(camera_id)

    def cameras(self) -> list[Camera]:
        with self._lock:
            return list(self._cameras.values())

    def _writer(self, camera: UUID, fault: Callable[[], str | None]) -> CameraWriter:
        folder = CameraFolder(self.place.volume, self.volume.id, self.place.tenant, camera)
        return CameraWriter(
            folder, self.place.index, self._index, clock=self._clock, segment_s=self.place.segment_s,
            writable=self.volume.writable, fault=fault, paused=self._pause_reason,
        )  # fmt: skip

    def _pause_reason(self) -> str | None:
        return "volume_missing" if not self._mounted else self._paused

    def _sights(self) -> Iterable[tuple[Hub, Sight]]:
        return [(camera.main.hub, camera.sight) for camera in self.cameras()]

    def tick(self) -> None:
        """Once a second: idle sub-streams end, and the volume is asked whether it is still itself."""
        for camera in self.cameras():
            camera.rest()
        if self.volume.writable and time.monotonic() - self._checked > _MOUNT_CHECK_S:
            self._checked = time.monotonic()
            self._mounted = still_mounted(self.volume)

    def spans(self, camera_id: UUID, from_us: int, to_us: int) -> list[Span]:
        """Readable footage of a camera that touches the interval, the open file included."""
        self._index.flush()
        found = closed_spans(self.place.index, self.place.volume, camera_id, from_us, to_us)
        camera = self.camera(camera_id)
        current = camera.writer.open_segment() if camera is not None and camera.writer is not None else None
        if current is not None and current.start_us < to_us and current.end_us > from_us:
            found.append(Span(
                str(current.path), current.start_us, current.end_us, current.usable_bytes, current.keys, current.timescale
            ))  # fmt: skip
        return found

    def status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(), "version": VERSION, "started_at": iso(self.started_us), "tenant": str(self.place.tenant),
            "volume": {"id": self.volume.id, "state": self.volume.state if self._mounted else "read_only",
                       "reason": self.volume.reason or (None if self._mounted else "volume_missing")},
            "paused": self._pause_reason(), "cameras": [camera.status() for camera in self.cameras()],
        }  # fmt: skip

    def stop(self) -> None:
        """Seal every open segment and end; footage missing from here on is the restart's."""
        self._observer.stop()
        cameras = self.cameras()
        for camera in cameras:
            camera.main.stop()
        enders = [threading.Thread(target=camera.stop, args=("shutdown",), daemon=True) for camera in cameras]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join(12.0)
        self._index.flush()
        self._index.close()
