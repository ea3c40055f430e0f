"""Cameras that one core records, file-fed and from RTSP, and memory per camera.

The baselines are the same packets remultiplexed, and pulled by RTSP, by as many bare threads that throw them away. CPU is
the recorder's own, user and system, from /proc/<pid>/stat, once every camera records; the cameras and their server are
other processes. The figure per core is an extrapolation from the cameras recorded, at 1080p, 25 frames a second and 4 Mb/s.
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
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import av
import numpy as np

from tests.support.recorder_rig import RecorderRig, wait_until
from tests.support.rtsp_cameras import RtspCameras
from workers.recorder.clock import SECOND
from workers.recorder.packager import Packager
from workers.recorder.sources import FileSource

CAMERAS = 30
WARM_S, MEASURE_S = 10.0, 20.0
LATE_US = 5 * SECOND
TARGET_PER_CORE, TARGET_MB = 100, 12.0
BITRATE = 4_000_000
_CBR = f"nal-hrd=cbr:bitrate={BITRATE // 1000}:vbv-maxrate={BITRATE // 1000}:vbv-bufsize={BITRATE // 1000}:scenecut=0:bframes=0"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pipc-bench-") as name:
        folder = Path(name)
        video = street(folder / "videos" / "street.mp4")
        baseline = bare("remux", str(video))
        cores, memory = recorded(folder / "files", str(video), "file")
        tell("record.file", 1 / cores, 1 / baseline)
        tell_memory("record.file.memory", memory)
        with RtspCameras(video) as server:
            url = f"rtsp://127.0.0.1:{server.port}/camera"
            baseline = bare("pull", url)
            cores, memory = recorded(folder / "rtsp", url, "rtsp")
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


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def recorded(folder: Path, url: str, kind: str) -> tuple[float, float]:
    """Cores and megabytes per camera of a recorder of this source; refuses to count one that lost footage meanwhile."""
    rig = RecorderRig(folder, segment_s=5).start()
    assert rig.process is not None
    pid = rig.process.pid
    try:
        empty = rss_mb(pid)
        cameras = [
            {"id": str(UUID(int=number + 1)), "record": True, "main": {"kind": kind, "url": url}, "sub": None}
            for number in range(CAMERAS)
        ]
        rig.apply(*cameras, networks=["127.0.0.0/8"])
        wait_until(lambda: all(one["recording"] for one in rig.ask("status")["cameras"]), timeout=60)
        time.sleep(WARM_S)
        since_us = time.time_ns() // 1000
        before, began = cpu_s(pid), time.monotonic()
        time.sleep(MEASURE_S)
        used, elapsed = cpu_s(pid) - before, time.monotonic() - began
        memory = (rss_mb(pid) - empty) / CAMERAS
        status, now_us = rig.ask("status")["cameras"], time.time_ns() // 1000
        late = [one["camera_id"] for one in status if one["reconnects"] or now_us - one["recorded_us"] > LATE_US]
        gaps = rig.rows(f"SELECT * FROM gaps WHERE to_us IS NULL OR to_us > {since_us}")
        seams = rig.rows(f"SELECT * FROM segments WHERE note IS NOT NULL AND start_us > {since_us}")
    finally:
        rig.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if late or gaps or seams:
        sys.exit(f"the recording was not whole: {len(late)} late cameras, {len(gaps)} gaps, {len(seams)} seams")
    return used / elapsed / CAMERAS, memory


def bare(what: str, source: str) -> float:
    """Cores per camera of the least that can be done with the same packets in real time, in a process of its own."""
    child = subprocess.Popen([sys.executable, "-m", "bench.record", what, source], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    value = float(child.stdout.readline())
    child.wait()
    return value


def remux(source: str) -> None:
    """Demultiplex and multiplex a file."""
    file = FileSource(Path(source), threading.Event())
    packager = Packager(
        file.template, epoch=1, first_seq=0, cause="start", on_init=lambda _: None, on_fragment=lambda _: None
    )
    for packet in file.packets():
        packager.mux(packet, 0)


def pull(source: str) -> None:
    """Demultiplex an RTSP camera."""
    with av.open(source, options={"rtsp_transport": "tcp"}) as container:
        for _ in container.demux(video=0):
            pass


def measure(work: Callable[[str], None], source: str) -> None:
    for _ in range(CAMERAS):
        threading.Thread(target=work, args=(source,), daemon=True).start()
    time.sleep(WARM_S)
    before, began = cpu_s(os.getpid()), time.monotonic()
    time.sleep(MEASURE_S / 2)
    print((cpu_s(os.getpid()) - before) / (time.monotonic() - began) / CAMERAS, flush=True)
    os._exit(0)  # the threads are inside the library, which nothing interrupts


if __name__ == "__main__":
    measure({"remux": remux, "pull": pull}[sys.argv[1]], sys.argv[2]) if sys.argv[1:] else main()
