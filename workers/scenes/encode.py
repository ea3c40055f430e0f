"""Clips with closed groups of pictures and equal settings, so that they can be joined packet by packet in any order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from workers.scenes.canvas import FPS, Frame

GOP = 12
RATE = Fraction(25, 2)
TIME_BASE = Fraction(1, 12800)
TICKS = int(TIME_BASE.denominator / FPS)


def write_clip(path: Path, size: tuple[int, int], pictures: Iterable[tuple[Frame, list[dict[str, Any]]]]) -> int:
    """Encode to H.264 at `path` and the truth beside it (`.jsonl`, one line per frame). Returns the number of frames."""
    truth = path.with_suffix(".jsonl")
    count = 0
    with av.open(str(path), "w", format="mp4") as container, truth.open("w", encoding="utf-8") as lines:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = TIME_BASE
        stream.codec_context.time_base = TIME_BASE
        stream.options = {
            "preset": "veryfast",
            "crf": "23",
            "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:open-gop=0:threads=1",
        }
        for picture, objects in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = count * TICKS
            frame.time_base = TIME_BASE
            container.mux(stream.encode(frame))
            lines.write(json.dumps({"frame": count, "objects": objects}, separators=(",", ":")) + "\n")
            count += 1
        container.mux(stream.encode(None))
    return count
