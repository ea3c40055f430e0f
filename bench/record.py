"""Cameras that one core records: file-fed and from RTSP, against a bare remux of the same packets, and memory per camera.

CPU is the recorder's own, user and system, from /proc/<pid>/stat; the figure per core is an extrapolation from the
cameras that were really recorded, at 1080p, 25 frames a second and 4 Mb/s.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import av
import numpy as np

from tests.support.recorder_rig import RecorderRig, wait_until
from tests.support.rtsp import RtspFiles
from workers.recorder.packager import Packager
from workers.recorder.sources import FileSource, shifted, video_stream

CAMERAS, RTSP_CAMERAS = 30, 5  # the RTSP server of the tests is plain Python: it cannot feed ten of these beside the recorder
WARM_S, MEASURE_S = 10.0, 20.0
TARGET_PER_CORE, TARGET_MB = 100, 12.0
BITRATE = 4_000_000
_CBR = f"nal-hrd=cbr:bitrate={BITRATE // 1000}:vbv-maxrate={BITRATE // 1000}:vbv-bufsize={BITRATE // 1000}:scenecut=0:bframes=0"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pipc-bench-") as name:
        folder = Path(name)
        video = street(folder / "videos" / "street.mp4")
        baseline = bare_remux(video)
        cores, memory = recorded(folder / "files", [str(video)] * CAMERAS, "file")
        tell("record.file", 1 / cores, 1 / baseline)
        tell_memory("record.file.memory", memory)
        with ExitStack() as stack:
            server = stack.enter_context(RtspFiles(long_copy(video).parent))
            urls = [f"rtsp://127.0.0.1:{server.port}/long.mp4"] * RTSP_CAMERAS
            cores, memory = recorded(folder / "rtsp", urls, "rtsp")
        tell("record.rtsp", 1 / cores, 1 / baseline)
        tell_memory("record.rtsp.memory", memory)


def tell(name: str, value: float, baseline: float) -> None:
    line = {"name": name, "value": round(value, 1), "unit": "cameras/core", "baseline": round(baseline, 1),
            "ratio": round(value / baseline, 3), "target": TARGET_PER_CORE, "ok": value >= TARGET_PER_CORE}  # fmt: skip
    print(json.dumps(line), flush=True)


def tell_memory(name: str, value: float) -> None:
    line = {"name": name, "value": round(value, 2), "unit": "MB/camera", "baseline": None, "ratio": None,
            "target": TARGET_MB, "ok": value <= TARGET_MB}  # fmt: skip
    print(json.dumps(line), flush=True)


def street(path: Path) -> Path:
    """Ten seconds of 1080p at a constant 4 Mb/s with a keyframe every two."""
    path.parent.mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 255, (1080 + 64, 1920 + 64, 3), np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 1920, 1080, "yuv420p", 50
        stream.options = {"preset": "ultrafast", "x264-params": _CBR}
        for number in range(250):
            moved = noise[number % 64 : number % 64 + 1080, :1920]
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(moved), format="rgb24")))
        out.mux(stream.encode(None))
    return path


def long_copy(video: Path, turns: int = 7) -> Path:
    """The same packets over and over in one file: the RTSP server ends a session with its file."""
    target = video.with_name("long.mp4")
    with av.open(str(target), "w") as out:
        stream = None
        start = 0
        for _ in range(turns):
            with av.open(str(video)) as read:
                stream = stream or out.add_stream_from_template(video_stream(read))
                for packet in shifted(read, start):
                    end = packet.dts + packet.duration
                    packet.stream = stream
                    out.mux_one(packet)
            start = end
    return target


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def recorded(folder: Path, urls: list[str], kind: str) -> tuple[float, float]:
    """Cores and megabytes per camera of a recorder that records these sources; refuses to count one that lost footage."""
    rig = RecorderRig(folder, segment_s=5).start()
    assert rig.process is not None
    pid = rig.process.pid
    try:
        empty = rss_mb(pid)
        cameras = [
            {"id": str(UUID(int=number + 1)), "record": True, "main": {"kind": kind, "url": url}, "sub": None}
            for number, url in enumerate(urls)
        ]
        rig.apply(*cameras, networks=["127.0.0.0/8"])
        wait_until(lambda: all(one["recording"] for one in rig.ask("status")["cameras"]), timeout=60)
        time.sleep(WARM_S)
        before, began = cpu_s(pid), time.monotonic()
        time.sleep(MEASURE_S)
        used, elapsed = cpu_s(pid) - before, time.monotonic() - began
        memory = (rss_mb(pid) - empty) / len(urls)
        late = [one["camera_id"] for one in rig.ask("status")["cameras"] if not one["recording"] or one["reconnects"]]
        gaps = rig.rows("SELECT * FROM gaps")
    finally:
        rig.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if late or gaps:
        sys.exit(f"the recording was not whole: {len(late)} cameras, {len(gaps)} gaps")
    return used / elapsed / len(urls), memory


def bare_remux(video: Path) -> float:
    """Cores per camera of the same packets demultiplexed and multiplexed in real time, and thrown away."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.record", "bare", str(video)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    value = float(child.stdout.readline())
    child.wait()
    return value


def bare(video: Path) -> None:
    stop = threading.Event()

    def one() -> None:
        source = FileSource(video, stop)
        packager = Packager(
            source.template, epoch=1, first_seq=0, cause="start", on_init=lambda _: None, on_fragment=lambda _: None
        )
        for packet in source.packets():
            packager.mux(packet, 0)

    for _ in range(CAMERAS):
        threading.Thread(target=one, daemon=True).start()
    time.sleep(WARM_S / 2)
    before, began = cpu_s(os.getpid()), time.monotonic()
    time.sleep(MEASURE_S / 2)
    print((cpu_s(os.getpid()) - before) / (time.monotonic() - began) / CAMERAS, flush=True)
    stop.set()


if __name__ == "__main__":
    bare(Path(sys.argv[2])) if sys.argv[1:2] == ["bare"] else main()
