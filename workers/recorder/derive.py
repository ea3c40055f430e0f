"""A file in a codec that cannot be remuxed is transcoded once to H.264, in a child process; the copy is marked derived.

Untrusted video is decoded in a process of its own: some malformed files abort the decoder.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av

from workers.recorder.errors import SourceError
from workers.recorder.sources import FAMILIES, family_of, video_stream

LIMIT_S = 1800.0
_MAX_SIDE = 1920


def prepared(path: Path, cache: Path, stop: threading.Event) -> tuple[Path, bool]:
    """The file itself, or its H.264 derivative made on first use. Raises `SourceError`."""
    with av.open(str(path)) as container:
        if family_of(video_stream(container)) in FAMILIES.values():
            return path, False
    target = cache / f"{_identity(path)}.mp4"
    if not target.exists():
        _transcode_in_child(path, target, stop)
    return target, True


def _identity(path: Path) -> str:
    stat = path.stat()
    return hashlib.sha256(f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}".encode()).hexdigest()[:32]


def _transcode_in_child(path: Path, target: Path, stop: threading.Event) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.part")
    child = subprocess.Popen(
        [sys.executable, "-m", "workers.recorder.derive", str(path), str(partial)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    waited = 0.0
    while child.poll() is None and waited < LIMIT_S:
        if stop.wait(0.2):
            break
        waited += 0.2
    if child.poll() is None:
        child.kill()
    if child.wait() != 0:
        partial.unlink(missing_ok=True)
        raise SourceError("unsupported_codec")
    partial.replace(target)


def transcode(source: Path, target: Path) -> int:
    """Write the H.264 derivative; returns its number of frames. Raises `SourceError` when nothing could be decoded."""
    with av.open(str(source)) as read, av.open(str(target), "w", format="mp4") as write:
        stream = video_stream(read)
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25).limit_denominator(1001)
        context = stream.codec_context
        scale = min(1.0, _MAX_SIDE / max(context.width, context.height, 1))
        out = write.add_stream("libx264", rate=rate)
        out.width, out.height = int(context.width * scale) // 2 * 2, int(context.height * scale) // 2 * 2
        out.pix_fmt = "yuv420p"
        out.gop_size = max(1, round(rate))
        out.options = {"preset": "veryfast", "crf": "21", "bf": "0"}
        frames = 0
        for packet in read.demux(stream):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in decoded:
                copy = frame.reformat(width=out.width, height=out.height, format="yuv420p")
                copy.pts, copy.time_base = frames, 1 / rate
                copy.pict_type = av.video.frame.PictureType.NONE
                write.mux(out.encode(copy))
                frames += 1
        write.mux(out.encode(None))
    if frames == 0:
        raise SourceError("unsupported_codec")
    return frames


def main(arguments: list[str]) -> int:
    """`python -m workers.recorder.derive SOURCE TARGET`."""
    os.nice(10)
    try:
        transcode(Path(arguments[0]), Path(arguments[1]))
    except (SourceError, av.error.FFmpegError, OSError):
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
