"""Demonstration scenes: short clips joined at packet level in seeded random order, and the room's budget of alarms."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from workers.recorder.errors import SourceError
from workers.recorder.sources import Pacer, shifted, video_stream

ALARM_KINDS = frozenset({"listed", "wrong_way", "intrusion"})
HOUR_S = 3600.0
ROOM_BUDGET = 6
VIEWER_BUDGET = 12
QUIET_S = 60.0


@dataclass(frozen=True)
class Clip:
    file: Path
    kind: str
    plate: str | None
    weight: float

    @property
    def alarms(self) -> bool:
        return self.kind in ALARM_KINDS


@dataclass(frozen=True)
class Scene:
    name: str
    clips: tuple[Clip, ...]


def find_scene(roots: tuple[Path, ...], name: str) -> Scene:
    """The newest rendering of a scene. Raises `SourceError` when none is complete."""
    if not name or "/" in name or name.startswith("."):
        raise SourceError("not_found")
    found = [
        path for root in roots for pattern in (name, f"*/{name}") for path in root.glob(f"{pattern}/manifest.json")
    ]
    if not found:
        raise SourceError("not_found")
    manifest = max(found, key=lambda path: path.stat().st_mtime_ns)
    try:
        rows = json.loads(manifest.read_text(encoding="utf-8"))["clips"]
        clips = tuple(
            Clip(manifest.parent / row["file"], row["kind"], row.get("plate"), float(row.get("weight", 1)))
            for row in rows
        )
    except (ValueError, KeyError, TypeError):
        raise SourceError("protocol_error") from None
    if not clips:
        raise SourceError("protocol_error")
    return Scene(name, clips)


class Director:
    """Decides which clip each camera of a room plays next: at most six alarms an hour, plus those that were cued."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._scenes: dict[str, Scene] = {}
        self._cued: dict[str, Clip] = {}
        self._random: dict[str, random.Random] = {}
        self._played: dict[Path, float] = {}
        self._alarms: deque[float] = deque()
        self._viewers: deque[float] = deque()
        self._started = now()

    def join(self, camera: str, scene: Scene) -> None:
        with self._lock:
            self._scenes[camera] = scene
            self._random.setdefault(camera, random.Random(f"{camera}/{scene.name}"))  # noqa: S311 - repeatable, no secret

    def leave(self, camera: str) -> None:
        with self._lock:
            self._scenes.pop(camera, None)
            self._cued.pop(camera, None)

    def cue(
        self, camera: str | None = None, kind: str | None = None, plate: str | None = None
    ) -> tuple[str, Clip] | None:
        """Make a camera play an alarm next; the least recently played clip that fits, None when nothing fits."""
        with self._lock:
            return self._cue(camera, kind, plate)

    def _cue(self, camera: str | None, kind: str | None, plate: str | None) -> tuple[str, Clip] | None:
        fitting = [
            (one, clip)
            for one, scene in sorted(self._scenes.items())
            for clip in scene.clips
            if clip.alarms and camera in (None, one) and kind in (None, clip.kind) and plate in (None, clip.plate)
        ]
        if not fitting:
            return None
        chosen = min(fitting, key=lambda pair: self._played.get(pair[1].file, float("-inf")))
        self._cued[chosen[0]] = chosen[1]
        self._played[chosen[1].file] = self._now()
        return chosen

    def viewer_arrived(self) -> tuple[str, Clip] | None:
        """A console opened: if the room was quiet for a minute, one hit is cued so that it does not look dead."""
        with self._lock:
            now = self._now()
            _forget(self._viewers, now)
            recent = self._alarms and now - self._alarms[-1] < QUIET_S
            if recent or self._cued or len(self._viewers) >= VIEWER_BUDGET:
                return None
            self._viewers.append(now)
            return self._cue(None, "listed", None) or self._cue(None, None, None)

    def next_clip(self, camera: str) -> Clip:
        """The clip this camera plays now."""
        with self._lock:
            now = self._now()
            clip = self._cued.pop(camera, None) or self._draw(camera, now)
            if clip.alarms:
                self._alarms.append(now)
            self._played[clip.file] = now
            return clip

    def _draw(self, camera: str, now: float) -> Clip:
        _forget(self._alarms, now)
        last = self._alarms[-1] if self._alarms else self._started
        allowed = len(self._alarms) < ROOM_BUDGET and now - last >= HOUR_S / ROOM_BUDGET
        clips = [clip for clip in self._scenes[camera].clips if allowed or not clip.alarms]
        clips = [clip for clip in clips if clip.weight > 0] or clips or list(self._scenes[camera].clips)
        return self._random[camera].choices(clips, [clip.weight or 1 for clip in clips])[0]


def _forget(times: deque[float], now: float) -> None:
    while times and now - times[0] > HOUR_S:
        times.popleft()


class DemoSource:
    """A camera of the demonstration: clips one after another, never a visible loop."""

    def __init__(self, camera: str, scene: Scene, director: Director, stop: threading.Event) -> None:
        self._camera, self._director, self._stop = camera, director, stop
        director.join(camera, scene)
        self._first = av.open(str(scene.clips[0].file))
        self.template = video_stream(self._first)

    def packets(self) -> Iterator[Any]:
        pacer = Pacer(self._stop)
        start = 0
        while not self._stop.is_set():
            end = start
            with av.open(str(self._director.next_clip(self._camera).file)) as container:
                self._adopt(container)
                tick_s = float(self.template.time_base)
                for packet in shifted(container, start):
                    if not pacer.wait(packet.dts * tick_s):
                        return
                    end = packet.dts + packet.duration
                    yield packet
            if end == start:
                raise SourceError("protocol_error")
            start = end

    def _adopt(self, container: Any) -> None:
        """Follow the clip's parameters when they differ, so that the stream starts a new epoch instead of breaking."""
        stream = video_stream(container)
        mine, other = self.template.codec_context, stream.codec_context
        if (mine.extradata, mine.width, mine.height) != (other.extradata, other.width, other.height):
            self._first = av.open(container.name)
            self.template = video_stream(self._first)

    def close(self) -> None:
        self._director.leave(self._camera)
        self._first.close()
