"""Frames of every camera waiting to be analysed: a thread decodes each camera, and one takes the frame due first."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import av

from workers.analytics.configuration import CameraSetup
from workers.analytics.producers.frames import Frame, Throttle, from_recorder, from_url
from workers.analytics.producers.ingest import IngestRefused, RecorderStream

WAITING = 4
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)
STALLED_S = 10.0
PARTIAL_WINDOW_S, PARTIAL_SHARE = 60.0, 0.2
STEADY_S = 30.0

OnTrouble = Callable[[UUID, str, str], None]


@dataclass(slots=True)
class Lane:
    """One camera's frames in waiting, and how well it is doing."""

    waiting: deque[Frame] = field(default_factory=deque)
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    last_frame: float | None = None
    window_from: float = 0.0
    window: tuple[int, int] = (0, 0)
    partial: bool = False

    def state(self, now: float) -> str:
        if self.last_frame is None:
            return "starting"
        if now - self.last_frame > STALLED_S:
            return "stalled"
        return "partial" if self.partial else "running"


class Feed:
    """Never lets memory grow: a camera that is not analysed in time loses its oldest frame, counted."""

    def __init__(self, on_trouble: OnTrouble, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._on_trouble, self._monotonic = on_trouble, monotonic
        self._ready = threading.Condition()
        self.lanes: dict[UUID, Lane] = {}
        self._stops: dict[UUID, threading.Event] = {}

    def start(self, camera: CameraSetup) -> None:
        stop = threading.Event()
        with self._ready:
            self.lanes[camera.id], self._stops[camera.id] = Lane(), stop
        name = f"decode-{str(camera.id)[:8]}"
        threading.Thread(target=self._pull, args=(camera, stop), name=name, daemon=True).start()

    def stop(self, camera: UUID) -> None:
        with self._ready:
            self._stops.pop(camera).set()
            del self.lanes[camera]

    def put(self, camera: UUID, frame: Frame) -> None:
        with self._ready:
            lane, now = self.lanes.get(camera), self._monotonic()
            if lane is None:
                return
            lane.frames += 1
            lane.last_frame = now
            if len(lane.waiting) >= WAITING:
                lane.waiting.popleft()
                lane.dropped += 1
            lane.waiting.append(frame)
            if now - lane.window_from >= PARTIAL_WINDOW_S:
                frames, dropped = lane.frames - lane.window[0], lane.dropped - lane.window[1]
                lane.partial = lane.window_from > 0 and dropped > PARTIAL_SHARE * frames
                lane.window_from, lane.window = now, (lane.frames, lane.dropped)
            self._ready.notify()

    def take(self, wait_s: float) -> tuple[UUID, Frame] | None:
        """The frame that has waited longest, of any camera."""
        with self._ready:
            if not any(lane.waiting for lane in self.lanes.values()):
                self._ready.wait(wait_s)
            due = [(lane.waiting[0].wall_ns, str(camera), camera) for camera, lane in self.lanes.items() if lane.waiting]
            if not due:
                return None
            camera = min(due)[2]
            return camera, self.lanes[camera].waiting.popleft()

    def _pull(self, camera: CameraSetup, stop: threading.Event) -> None:
        """Decode until told to stop; a source that ends or fails is opened again, ever more slowly."""
        failures, throttle, timelines = 0, Throttle(camera.fps), 0
        while not stop.is_set():
            opened = self._monotonic()
            try:
                for frame in _frames(camera):
                    if stop.is_set():
                        return
                    frame.timeline += timelines
                    if throttle.takes(frame.pts_ns):
                        self.put(camera.id, frame)
            except IngestRefused as error:
                self._on_trouble(camera.id, error.code, "the recorder refused the stream")
            except (OSError, av.error.FFmpegError, ValueError) as error:
                self._on_trouble(camera.id, "source_failed", type(error).__name__)
            timelines += 1_000
            failures = 0 if self._monotonic() - opened > STEADY_S else failures + 1
            with self._ready:
                if camera.id in self.lanes:
                    self.lanes[camera.id].reconnects += 1
            stop.wait(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])


def _frames(camera: CameraSetup) -> Iterator[Frame]:
    keyframes_only = not camera.sees_motion
    if camera.ingest.kind == "url":
        yield from from_url(camera.ingest.address, pace=camera.ingest.pace, keyframes_only=keyframes_only)
        return
    with RecorderStream(camera.ingest.address, camera.ingest.request) as stream:
        yield from from_recorder(stream, keyframes_only=keyframes_only)
