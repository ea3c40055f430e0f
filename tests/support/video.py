"""Small videos made for tests: a moving bar and a counter, so that no two frames are equal unless asked."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np

_X264 = "scenecut=0:bframes=0:slices="


def make_video(
    path: Path,
    *,
    width: int = 320,
    height: int = 240,
    fps: int = 12,
    seconds: float = 4.0,
    gop: int = 12,
    codec: str = "libx264",
    picture: str = "moving",
    container: str | None = None,
    seed: int = 0,
    slices: int = 1,
) -> Path:
    """Write a video; `picture` is moving, still or black."""
    options = (
        {"preset": "ultrafast", "x264-params": f"{_X264}{slices}"}
        if codec == "libx264"
        else {"preset": "ultrafast", "x265-params": "log-level=none"}
        if codec == "libx265"
        else {}
    )
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=fps)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size, stream.options = gop, options
        for number in range(round(fps * seconds)):
            frame = av.VideoFrame.from_ndarray(_picture(picture, number, width, height, seed), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _picture(kind: str, number: int, width: int, height: int, seed: int) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    if kind == "black":
        return image
    image[:] = (40, 80, 60)
    place = 7 if kind == "still" else number * 7 + seed
    image[:, place % width : place % width + 24] = 230
    if kind == "moving":
        image[: height // 4, : width // 4] = (number * 11 + seed) % 256
    return image


def remuxed(source: Path, target: Path, container: str) -> Path:
    """The same packets in another container (`mpegts`, `h264`)."""
    with av.open(str(source)) as read, av.open(str(target), "w", format=container) as write:
        stream = read.streams.video[0]
        out = write.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.stream = out
                write.mux_one(packet)
    return target


def frames_of(path: Path, usable: int | None = None) -> int:
    """How many frames decode without an error, of the whole file or of its usable beginning."""
    with av.open(io.BytesIO(path.read_bytes()[:usable])) as container:
        return sum(1 for _ in container.decode(video=0))
