"""`python -m workers.recorder.check`: tries one source and says in JSON what it is worth. Request on stdin, report on stdout."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from workers.recorder.demo import Director
from workers.recorder.errors import SourceError
from workers.recorder.health import decode_keyframe, jpeg
from workers.recorder.hub import Fragment, Hub, Init
from workers.recorder.networks import NetworkPolicy
from workers.recorder.sources import SourceSpec
from workers.recorder.stream import Stream, Surroundings

LONG_GOP_S = 4.0
MINIMUM_FPS = 8.0


class _Counter:
    """Counts what a stream gives."""

    def __init__(self) -> None:
        self.init: Init | None = None
        self.first: float | None = None
        self.keys: list[int] = []
        self.bytes = self.duration_us = 0

    def on_init(self, hub: Hub, init: Init) -> None:
        self.init = init

    def on_fragment(self, hub: Hub, fragment: Fragment) -> None:
        self.first = self.first if self.first is not None else time.monotonic()
        if fragment.key:
            self.keys.append(fragment.dts * 1_000_000 // fragment.timescale)
        self.bytes += len(fragment.data)
        self.duration_us += fragment.duration_us

    def on_state(self, hub: Hub, state: str) -> None:
        """Packets tell enough."""


def check(request: Mapping[str, Any]) -> dict[str, Any]:
    """Pull for some seconds and describe what came; never raises for a bad source."""
    seconds = min(60.0, max(1.0, float(request.get("seconds", 10))))
    policy = NetworkPolicy.of(
        request.get("networks", []), request.get("own_ports", []), files=bool(request.get("files"))
    )
    folder = Path(request.get("snapshot_dir") or ".")
    around = Surroundings(policy, folder / "derived", tuple(map(Path, request.get("scenes", []))), director=Director())
    stream = Stream("check/main", SourceSpec(str(request["kind"]), _with_login(request)), around)
    counter = _Counter()
    stream.hub.subscribe(counter)
    begun = time.monotonic()
    stream.start()
    while time.monotonic() - begun < seconds and not (stream.error_code and stream.reconnects):
        time.sleep(0.05)
    report = _report(stream, counter, begun)
    picture = decode_keyframe(stream.hub)
    if picture is not None and request.get("snapshot_dir"):
        report |= _snapshot(jpeg(picture[0]), folder)
    stream.stop()
    return report


def _with_login(request: Mapping[str, Any]) -> str:
    url = str(request["url"])
    if not request.get("user") and not request.get("password") and not request.get("query"):
        return url
    parts = urlsplit(url)
    login = f"{quote(str(request.get('user', '')), safe='')}:{quote(str(request.get('password', '')), safe='')}@"
    query = "&".join(one for one in (parts.query, str(request.get("query") or "")) if one)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, login + host if request.get("user") else host, parts.path, query, ""))


def _report(stream: Stream, counter: _Counter, begun: float) -> dict[str, Any]:
    facts = counter.init.facts if counter.init else None
    gops = [later - earlier for earlier, later in zip(counter.keys, counter.keys[1:], strict=False)]
    error = stream.error_code
    if facts is not None and facts.family not in ("h264", "h265"):
        error = "unsupported_codec"
    if facts is None and error is None:
        error = "timeout"
    report: dict[str, Any] = {
        "ok": error is None, "error_code": error,
        "first_keyframe_ms": round((counter.first - begun) * 1000) if counter.first is not None else None,
        "gop_s": round(max(gops) / 1_000_000, 2) if gops else None,
        "codec": facts.family if facts else None, "width": facts.width if facts else None,
        "height": facts.height if facts else None, "fps": _fps(stream, counter),
        "bitrate_kbps": round(counter.bytes * 8000 / counter.duration_us) if counter.duration_us else None,
        "has_sub": None, "clock_offset_ms": None, "snapshot_path": None, "derived": stream.derived,
    }  # fmt: skip
    return report | {"warnings": _warnings(report)}


def _fps(stream: Stream, counter: _Counter) -> float | None:
    return stream.fps or (round(stream.packets * 1_000_000 / counter.duration_us, 2) if counter.duration_us else None)


def _warnings(report: Mapping[str, Any]) -> list[str]:
    found = []
    if report["gop_s"] is not None and report["gop_s"] > LONG_GOP_S:
        found.append("long_gop")
    if report["fps"] is not None and report["fps"] < MINIMUM_FPS:
        found.append("low_fps")
    if report["codec"] == "h265":
        found.append("h265_main")
    if report["derived"]:
        found.append("derived")
    return found


def _snapshot(picture: bytes, folder: Path) -> dict[str, str]:
    sha = hashlib.sha256(picture).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha}.jpg"
    path.write_bytes(picture)
    return {"snapshot_path": str(path), "snapshot_sha256": sha}


def main() -> int:
    try:
        report = check(json.loads(sys.stdin.readline()))
    except (SourceError, KeyError, ValueError, TypeError):
        report = {"ok": False, "error_code": "protocol_error", "warnings": []}
    print(json.dumps(report))  # noqa: T201 - the report is this program's output
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
