"""A stand-in for the analytics child, and the node's worker with it plugged in.

`python -m tests.support.analytics_probe child MODE` speaks the child's protocol; `… worker` runs the real worker pool.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from workers.node import supervise, worker

MODE = "PIPC_TEST_ANALYTICS"


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def beat() -> None:
    while True:
        say(type="heartbeat", state="running", cameras=[])
        time.sleep(0.2)


def child(mode: str) -> int:
    """Obey the first configuration, then follow the mode: steady, crash, silent."""
    config = json.loads(sys.stdin.readline())
    session, camera = config["session"], config["cameras"][0]
    say(type="ready", producer="cpu", version="test")
    prefix = f"{session['session_id']}:{session['epoch']}:{session['run']}:{camera['id']}"
    crop = f"crop {prefix}".encode()
    sha = hashlib.sha256(crop).hexdigest()
    path = Path(config["blob_dir"]) / sha[:2] / sha
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(crop)
    event = {
        "type": "event", "key": f"{prefix}:r:1:1", "kind": "dwell", "camera_id": camera["id"],
        "seen_at": "2026-01-01T00:00:00.000000+00:00", "crop_sha": sha, "detail": {"version": config["config_version"]},
    }  # fmt: skip
    say(type="item", item=event, blobs=[{"sha256": sha, "path": str(path)}])
    say(type="item", item={**event, "type": "camera_state"}, blobs=[])
    print("this is not JSON", flush=True)
    if mode == "crash":
        return 7
    if mode != "silent":
        threading.Thread(target=beat, daemon=True).start()
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "stop":
            return 0
        version = message["config_version"]
        changed = {**event, "key": f"{prefix}:r:2:{version}", "detail": {"version": version}, "crop_sha": None}
        say(type="item", item=changed, blobs=[])
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "child":
        sys.exit(child(sys.argv[2]))
    supervise.COMMAND = (sys.executable, "-m", "tests.support.analytics_probe", "child", os.environ.get(MODE, "steady"))
    sys.exit(worker.main(sys.argv[2:]))
