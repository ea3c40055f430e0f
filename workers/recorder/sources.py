"""Where packets come from: a network camera, or a file looped in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import av

from workers.recorder.errors import SourceError

OPEN_TIMEOUT_S = 10
READ_TIMEOUT_S = 5
_LATE_S = 2.0
_WAITED_S, _REST_S, _BEHIND_S = 0.001, 0.1, 0.5
_DRIFT, _LOST_S = 0.001, 5.0
_RTSP = {"rtsp_transport": "tcp", "fflags": "nobuffer", "analyzeduration": "500000"}
_HTTP = {"fflags": "nobuffer", "analyzeduration": "500000", "max_redirects": "0"}
FAMILIES = {"h264": "h264", "hevc": "h265"}


@dataclass(frozen=True)
class SourceSpec:
    """What to pull. `url` may hold credentials, so it is kept out of every representation."""

    kind: str
    url: str = field(repr=False)


class Source(Protocol):
    """An open source: packets with growing timestamps, and the stream that describes them."""

    template: Any

    def packets(self) -> Iterator[Any]: ...

    def close(self) -> None: ...


class NetworkSource:
    """RTSP over TCP or HTTP, demultiplexed only."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        self._stop = stop
        options = _RTSP if urlsplit(url).scheme.startswith("rtsp") else _HTTP
        self._container = av.open(url, options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))
        try:
            self.template = video_stream(self._container)
        except SourceError:
            self._container.close()
            raise

    def packets(self) -> Iterator[Any]:
        delay, tick_s = Delay(), float(self.template.time_base)
        asked = time.monotonic()
        for packet in self._container.demux(self.template):
            behind = 0.0
            if packet.size and packet.dts is not None:
                behind = delay.of(packet.dts * tick_s, time.monotonic())
                yield packet
            # A read that had to wait has caught up with the camera. Letting the next frames gather costs a little
            # delay and saves wake-ups, which cost more than the frames. On a busy machine every read is slow: resting
            # then would leave more and more in the camera, so whoever is behind reads on.
            if time.monotonic() - asked > _WAITED_S and behind < _BEHIND_S and self._stop.wait(_REST_S):
                return
            asked = time.monotonic()

    def close(self) -> None:
        self._container.close()


class Delay:
    """How much later than the promptest one each frame of a live stream comes, whatever the clock of its camera."""

    def __init__(self) -> None:
        self._least, self._seen = float("inf"), 0.0

    def of(self, media_s: float, now: float) -> float:
        """Seconds; a camera whose clock drifts or jumps is not behind for that."""
        apart = now - media_s
        self._least += (now - self._seen) * _DRIFT
        self._seen = now
        if not 0 <= apart - self._least < _LOST_S:
            self._least = apart
        return apart - self._least


class Pacer:
    """Holds packets of a stored video back until their time comes."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._origin: float | None = None

    def wait(self, media_s: float) -> bool:
        """Sleep until this media time; false when the source must end."""
        now = time.monotonic()
        if self._origin is None or now - (self._origin + media_s) > _LATE_S:
            self._origin = now - media_s
        return not self._stop.wait(max(0.0, self._origin + media_s - now))


class FileSource:
    """A video file looped in real time; each turn continues the timestamps of the former one."""

    def __init__(self, path: Path, stop: threading.Event) -> None:
        self._stop = stop
        self._container = av.open(str(path))
        self.template = video_stream(self._container)

    def packets(self) -> Iterator[Any]:
        pacer = Pacer(self._stop)
        tick_s = float(self.template.time_base)
        begin = self.template.start_time or 0
        start = 0
        while not self._stop.is_set():
            end = start
            for packet in shifted(self._container, start):
                if not pacer.wait(packet.dts * tick_s):
                    return
                end = packet.dts + packet.duration
                yield packet
            if end == start:
                raise SourceError("protocol_error")
            start = end
            self._container.seek(begin, stream=self.template)

    def close(self) -> None:
        self._container.close()


def shifted(container: Any, start: int) -> Iterator[Any]:
    """The packets of a stored video from its first keyframe, timestamps moved so that the first one is `start`.

    A jump inside the file is closed up: a stored video has no wall clock to be faithful to.
    """
    stream = video_stream(container)
    step = frame_ticks(stream)
    longest = max(step, round(1 / stream.time_base))
    offset: int | None = None
    last = start - step
    following = 0
    for packet in container.demux(stream):
        if not packet.size or (offset is None and not packet.is_keyframe):
            continue
        if packet.dts is None:
            packet.dts = packet.pts = following
        following = packet.dts + step
        if offset is None or not 0 < packet.dts + offset - last <= longest:
            offset = last + step - packet.dts
        packet.pts = (packet.dts if packet.pts is None else packet.pts) + offset
        packet.dts += offset
        packet.pts = max(packet.pts, packet.dts)
        packet.duration = packet.duration or step
        last = packet.dts
        yield packet


def frame_ticks(stream: Any) -> int:
    """Length of one frame in ticks of the stream."""
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return max(1, round(1 / (rate * stream.time_base)))


def video_stream(container: Any) -> Any:
    """The first video stream. Raises `SourceError` when there is none."""
    stream = next(iter(container.streams.video), None)
    if stream is None:
        raise SourceError("protocol_error")
    return stream


def family_of(stream: Any) -> str:
    """`h264`, `h265` or the library's name of another codec."""
    name = str(stream.codec_context.name)
    return FAMILIES.get(name, name)


def local_path(url: str) -> Path:
    """The path of a `file:` URL or a plain path. Raises `SourceError` when it is not a readable file."""
    path = Path(unquote(urlsplit(url).path) if url.startswith("file:") else url)
    if not path.is_file():
        raise SourceError("not_found")
    return path
