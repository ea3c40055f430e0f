"""Decoded frames of one camera, from the recorder's socket or straight from a file or an RTSP address."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np

from workers.analytics.pictures import Picture
from workers.analytics.producers.ingest import RecorderStream

ANALYSED_WIDTH = 320
PLANAR = {"yuv420p": (2, 2), "yuvj420p": (2, 2), "yuv422p": (2, 1), "yuvj422p": (2, 1), "yuv444p": (1, 1), "yuvj444p": (1, 1)}
"""Eight-bit formats of three planes, and how much narrower and lower their colour is."""
PACKED_LUMA = frozenset({"nv12", "gray"})


@dataclass(slots=True)
class Frame:
    """One decoded picture. `timeline` changes when the source starts again under another clock."""

    index: int
    timeline: int
    pts_ns: int
    wall_ns: int
    width: int
    height: int
    video: av.VideoFrame

    def luma(self) -> Picture:
        """The full luma plane, without copying it where the decoder's format allows."""
        if self.video.format.name in PLANAR or self.video.format.name in PACKED_LUMA:
            return self._plane(0, self.width, self.height)
        return self.video.to_ndarray(format="gray")

    def small(self) -> Picture:
        """The picture in colour at the width that motion is looked for; luma alone misses a red car on asphalt."""
        size = ANALYSED_WIDTH, max(2, round(self.height * ANALYSED_WIDTH / self.width))
        if self.video.format.name not in PLANAR:
            return cv2.resize(self.colour(), size, interpolation=cv2.INTER_AREA)
        across, down = PLANAR[self.video.format.name]
        chroma = -(-self.width // across), -(-self.height // down)
        luma = cv2.resize(self._plane(0, self.width, self.height), size, interpolation=cv2.INTER_AREA)
        colour = [cv2.resize(self._plane(n, *chroma), size, interpolation=cv2.INTER_LINEAR) for n in (1, 2)]
        return cv2.cvtColor(cv2.merge([luma, *colour]), cv2.COLOR_YUV2BGR)

    def _plane(self, number: int, width: int, height: int) -> Picture:
        plane = self.video.planes[number]
        return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]

    def colour(self) -> Picture:
        """Blue, green, red; costs a conversion of the whole frame, so only for what will be shown or read."""
        return self.video.to_ndarray(format="bgr24")


class Throttle:
    """Lets through at most `fps` frames a second of presentation time, evenly."""

    def __init__(self, fps: float) -> None:
        self._step, self._next = 1e9 / fps, -float("inf")

    def takes(self, pts_ns: int) -> bool:
        if pts_ns < self._next - self._step * 2:
            self._next = -float("inf")
        if pts_ns < self._next - self._step * 0.25:
            return False
        self._next = max(self._next + self._step, pts_ns - self._step) if self._next > 0 else pts_ns + self._step
        return True


def from_recorder(stream: RecorderStream, *, keyframes_only: bool = False) -> Iterator[Frame]:
    """Frames until the connection ends; each INIT of the recorder opens another timeline."""
    index = 0
    while stream.next_timeline():
        timeline = stream.timeline
        with av.open(stream, format="mp4", options={"probesize": "65536", "analyzeduration": "0"}) as container:
            clock = _FragmentClock(stream)
            for packet, video in _decoded(container, keyframes_only):
                wall_ns = clock.wall_ns(packet, video)
                yield _frame(index, timeline, video, wall_ns)
                index += 1


def from_url(url: str, *, pace: bool, timeout: float = 10.0, keyframes_only: bool = False,
             sleep: Callable[[float], None] = time.sleep) -> Iterator[Frame]:
    """Frames of a file or address. A paced file is played in real time; otherwise as fast as it decodes."""
    options = {"rtsp_transport": "tcp"} if url.startswith("rtsp") else {}
    with av.open(url, options=options, timeout=(timeout, timeout)) as container:
        started, first = time.time_ns(), None
        for index, (_, video) in enumerate(_decoded(container, keyframes_only)):
            at = _pts_ns(video)
            first = at if first is None else first
            due = started + at - first
            if pace and (wait := (due - time.time_ns()) / 1e9) > 0:
                sleep(wait)
            yield _frame(index, 0, video, due)


def _decoded(container: Any, keyframes_only: bool) -> Iterator[tuple[Any, av.VideoFrame]]:
    """Packets with their pictures. What cannot be decoded is skipped: a broken frame must not end a camera."""
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    if keyframes_only:
        stream.codec_context.skip_frame = "NONKEY"
    for packet in container.demux(stream):
        try:
            for video in packet.decode():
                if video.pts is not None:
                    yield packet, video
        except av.error.InvalidDataError:
            continue


def _frame(index: int, timeline: int, video: av.VideoFrame, wall_ns: int) -> Frame:
    return Frame(index, timeline, _pts_ns(video), wall_ns, video.width, video.height, video)


def _pts_ns(video: av.VideoFrame) -> int:
    assert video.pts is not None
    assert video.time_base is not None
    return int(video.pts * video.time_base * 1_000_000_000)


class _FragmentClock:
    """Wall time of a frame: arrival of its fragment's first packet plus how much later it is presented."""

    def __init__(self, stream: RecorderStream) -> None:
        self._stream = stream
        self._fragment = -1
        self._wall_ns = self._first_ns = 0

    def wall_ns(self, packet: Any, video: av.VideoFrame) -> int:
        at = _pts_ns(video)
        offsets, walls = self._stream.fragments
        fragment = bisect_right(offsets, packet.pos or 0) - 1
        if fragment >= 0 and offsets[fragment] != self._fragment:
            self._fragment, self._wall_ns, self._first_ns = offsets[fragment], walls[fragment], at
            self._stream.forget_before(self._fragment)
        return self._wall_ns + at - self._first_ns
