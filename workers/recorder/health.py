"""Looks at one keyframe of each camera every five seconds: frozen, dark, and the still that screens show."""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from operator import mul
from typing import Any

import av

from workers.recorder.boxes import parse_moof
from workers.recorder.clock import SECOND, Clock
from workers.recorder.hub import Fragment, Hub, Init

PERIOD_S = 5.0
FROZEN_US = 10 * SECOND
DARK_US = 5 * SECOND
DARK_MEAN, DARK_DEVIATION = 16.0, 6.0
_SAMPLE_STEP = 509
_JPEG_WIDTH = 960
_DECODERS = {"h264": "h264", "h265": "hevc"}
_FULL_RANGE = 2
_STILL_FRAMES = 3


@dataclass(frozen=True)
class Look:
    """One decoded keyframe: digest of the whole luma plane (of this process alone), brightness, and when it arrived."""

    luma: int
    mean: float
    deviation: float
    wall_us: int

    @property
    def dark(self) -> bool:
        return self.mean < DARK_MEAN and self.deviation < DARK_DEVIATION


class Sight:
    """What the keyframes of one camera say about its picture."""

    def __init__(self) -> None:
        self._same_since: int | None = None
        self._dark_since: int | None = None
        self._last: Look | None = None

    def suspects(self, look: Look) -> bool:
        """The keyframe is the former one again: either the picture froze or a short video came round."""
        return self._last is not None and look.wall_us > self._last.wall_us and look.luma == self._last.luma

    def see(self, look: Look, *, still: bool = False) -> None:
        """Take a look into account; `still` says that nothing moved after the keyframe either."""
        if self._last is not None and look.wall_us <= self._last.wall_us:
            return
        if self._last is None or look.luma != self._last.luma or not still:
            self._same_since = look.wall_us
        self._dark_since = (self._dark_since or look.wall_us) if look.dark else None
        self._last = look

    def verdict(self) -> str | None:
        """`dark`, `frozen` or nothing to say; a black picture is dark first."""
        if self._last is None:
            return None
        if self._dark_since is not None and self._last.wall_us - self._dark_since >= DARK_US:
            return "dark"
        if self._same_since is not None and self._last.wall_us - self._same_since >= FROZEN_US:
            return "frozen"
        return None

    def forget(self) -> None:
        """The stream broke: what was seen before says nothing about what comes."""
        self._same_since = self._dark_since = self._last = None


def decode_keyframe(hub: Hub) -> tuple[Any, int] | None:
    """The picture of the latest keyframe and its arrival; None when there is none to decode."""
    held = hub.latest_group()
    if held is None:
        return None
    frame = next(_decoded(held[0], held[1][:1]), None)
    return (frame, held[1][0].wall_us) if frame is not None else None


def is_still(hub: Hub) -> bool | None:
    """The latest pictures have exactly the same luma; None while too few of them came since the keyframe.

    Only the latest count: an encoder refines a frozen picture for a while before it rests.
    """
    held = hub.latest_group()
    if held is None:
        return None
    latest = deque((look_at(frame, 0).luma for frame in _decoded(*held, all_frames=True)), maxlen=_STILL_FRAMES)
    return len(set(latest)) == 1 if len(latest) == _STILL_FRAMES else None


def _decoded(init: Init, fragments: Sequence[Fragment], *, all_frames: bool = False) -> Iterator[Any]:
    """Pictures of the first sample, or of every sample, of these fragments."""
    try:
        if not init.facts.extradata:
            with av.open(io.BytesIO(init.data + b"".join(one.data for one in fragments)), "r") as container:
                yield from container.decode(video=0)
            return
        # Without a container: opening one decodes the beginning once more to learn what is already known.
        decoder: Any = av.CodecContext.create(_DECODERS[init.facts.family], "r")
        decoder.extradata = init.facts.extradata
        decoder.thread_count = 1
        for sample in _samples(fragments) if all_frames else islice(_samples(fragments), 1):
            yield from decoder.decode(av.Packet(sample))
        yield from decoder.decode(None)
    except av.error.FFmpegError:
        return


def _samples(fragments: Sequence[Fragment]) -> Iterator[bytes]:
    for fragment in fragments:
        moof = parse_moof(fragment.data)
        at = moof.data_offset
        for size in moof.sizes:
            yield fragment.data[at : at + size]
            at += size


def look_at(frame: Any, wall_us: int) -> Look:
    """Digest of the luma plane without the padding of its lines, and brightness from 0 to 255 whatever the range."""
    if not frame.format.name.startswith(("yuv", "gray", "nv12")):
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    view, stride, width = memoryview(plane), plane.line_size, frame.width
    luma = b"".join(view[at : at + width] for at in range(0, stride * frame.height, stride))
    # A step that shares no factor with common widths: every part of the picture is sampled.
    values = luma[::_SAMPLE_STEP]
    mean = sum(values) / len(values)
    variance = max(0.0, sum(map(mul, values, values)) / len(values) - mean**2)
    if int(frame.color_range) != _FULL_RANGE:
        mean, variance = max(0.0, (mean - 16) * 255 / 219), variance * (255 / 219) ** 2
    return Look(hash(luma), mean, variance**0.5, wall_us)


def jpeg(frame: Any) -> bytes:
    """The picture as JPEG, at most 960 pixels wide."""
    width = min(frame.width, _JPEG_WIDTH) // 2 * 2
    height = max(2, frame.height * width // frame.width // 2 * 2)
    picture = frame.reformat(width=width, height=height, format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": "3", "qmax": "6"}
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])


class Observer(threading.Thread):
    """One thread for all cameras of a recorder, so that at most one decoder exists at a time."""

    def __init__(self, targets: Callable[[], Iterable[tuple[Hub, Sight]]], clock: Clock) -> None:
        super().__init__(name="sight", daemon=True)
        self._targets, self._clock = targets, clock
        self._ending = threading.Event()

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> None:
        while not self._ending.wait(PERIOD_S):
            for hub, sight in list(self._targets()):
                if self._ending.is_set():
                    return
                self.examine(hub, sight)

    def examine(self, hub: Hub, sight: Sight) -> None:
        """One look at one camera."""
        if hub.state != "online":
            sight.forget()
            return
        found = decode_keyframe(hub)
        if found is not None:
            look = look_at(*found)
            still = is_still(hub) if sight.suspects(look) else False
            if still is not None:
                sight.see(look, still=still)
