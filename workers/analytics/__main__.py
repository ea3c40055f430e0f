"""`python -m workers.analytics`: the child of a supervisor (JSON lines on stdin), or a manual run over one source."""

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import UUID

import cv2

from workers.analytics.child import Child, speak
from workers.analytics.configuration import BadConfiguration, Setup, parse
from workers.analytics.headless import analyse
from workers.analytics.profiles import PROFILES

PR_SET_PDEATHSIG = 1
M_ARENA_MAX, ARENAS = -8, 2
BAD_CONFIGURATION = 2


def main() -> int:
    arguments = _arguments()
    cv2.setNumThreads(1)
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)  # an arena per thread would keep a copy of every peak
    lock = threading.Lock()

    def say(line: Mapping[str, Any]) -> None:
        speak(lock, json.dumps(line, separators=(",", ":"), ensure_ascii=False))

    if arguments.url:
        analyse(parse(_manual(arguments)), arguments.url, say, pace=arguments.pace)
        return 0
    _die_with_parent()
    try:
        setup = parse(json.loads(sys.stdin.readline() or "{}"))
    except (BadConfiguration, json.JSONDecodeError) as error:
        say({"type": "log", "level": "error", "code": "bad_configuration", "message": str(error), "camera_id": None})
        return BAD_CONFIGURATION
    return _serve(Child(setup, say), say)


def _serve(child: Child, say: Any) -> int:
    finished = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: finished.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child.start()
    threading.Thread(target=_listen, args=(child, say, finished), name="stdin", daemon=True).start()
    child.run(finished)
    sys.stdout.flush()
    return 1 if child.failed else 0


def _listen(child: Child, say: Any, finished: threading.Event) -> None:
    """Later lines: a configuration is applied in place; `stop`, or the end of the pipe, ends the child."""
    for line in sys.stdin:
        try:
            message = json.loads(line)
            if message.get("type") == "stop":
                break
            setup: Setup = parse(message)
        except (BadConfiguration, json.JSONDecodeError, AttributeError) as error:
            say({"type": "log", "level": "error", "code": "bad_configuration", "message": str(error), "camera_id": None})
            continue
        if not child.apply(setup):
            say({"type": "log", "level": "error", "code": "other_session", "message": "", "camera_id": None})
            break
    finished.set()


def _die_with_parent() -> None:
    """Ask the kernel to kill this process with its parent, then check that the parent did not die first."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the parent process is gone")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.analytics", description=__doc__)
    parser.add_argument("--url", help="analyse a file or rtsp address instead of listening on stdin")
    parser.add_argument("--camera-id", default=str(UUID(int=1)))
    parser.add_argument("--place", choices=sorted(PROFILES), default="entrance")
    parser.add_argument("--camera", type=Path, help="JSON file with lanes, zones and rules, instead of the place's profile")
    parser.add_argument("--pace", action="store_true", help="play a file in real time")
    parser.add_argument("--jsonl", action="store_true", help="print JSON lines (the only output there is)")
    parser.add_argument("--blobs", type=Path, default=Path(gettempdir()) / "pipc-analytics")
    return parser.parse_args()


def _manual(arguments: argparse.Namespace) -> dict[str, Any]:
    camera = json.loads(arguments.camera.read_text()) if arguments.camera else {"rules": PROFILES[arguments.place]}
    return {
        "schema": 1, "session": {"session_id": str(UUID(int=1)), "epoch": 1, "run": 1}, "config_version": 1,
        "blob_dir": str(arguments.blobs),
        "cameras": [{**camera, "id": arguments.camera_id, "ingest": {"kind": "url", "url": arguments.url}}],
    }


if __name__ == "__main__":
    sys.exit(main())
