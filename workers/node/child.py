"""One analytics child: started tied to this process, fed by a pipe, listened to line by line."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from app.cli.local.process import launcher, rss_mb

log = logging.getLogger(__name__)
LINE_LIMIT = 1 << 20
SILENCE_S = 15.0
START_GRACE_S = 60.0
DRAIN_S = 4.0
COMMAND = (sys.executable, "-m", "workers.analytics")
OnItem = Callable[[Mapping[str, Any], Sequence[Mapping[str, str]]], None]


class AnalyticsChild:
    """Dies with its parent by signal and by the end of its stdin; must be started from the parent's main thread."""

    def __init__(
        self, config: Mapping[str, Any], on_item: OnItem, log_path: Path, command: Sequence[str] = COMMAND
    ) -> None:
        self._on_item = on_item
        self.state, self.detail = "starting", ""
        self._heard = time.monotonic() + START_GRACE_S - SILENCE_S
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as errors:
            self._process = subprocess.Popen(
                [*launcher(signal.SIGKILL, unprivileged=False), *command],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            )  # fmt: skip
        self._reader = threading.Thread(target=self._listen, name="analytics", daemon=True)
        self._reader.start()
        self.configure(config)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    @property
    def silent(self) -> bool:
        return time.monotonic() - self._heard > SILENCE_S

    def memory_mb(self) -> int:
        return rss_mb(self.pid)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Send a configuration, the first or a changed one."""
        self._say({"type": "config", **config})

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a dead child is noticed by its exit
            self._process.stdin.write(json.dumps(dict(message)).encode() + b"\n")
            self._process.stdin.flush()

    def end(self) -> None:
        """Let it drain, then insist."""
        self._say({"type": "stop"})
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(DRAIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(2.0)

    def _listen(self) -> None:
        output: IO[bytes] | None = self._process.stdout
        assert output is not None
        with output:
            while line := output.readline(LINE_LIMIT):
                try:
                    self._hear(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError):
                    log.warning("analytics said something that is not understood")

    def _hear(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "item":
            self._on_item(message["item"], message.get("blobs") or [])
        elif kind == "heartbeat":
            self._heard = time.monotonic()
            self.state = message["state"] if message.get("state") in ("starting", "running", "degraded") else "running"
            self.detail = _partial(message.get("cameras") or [])
        elif kind == "ready":
            self._heard = time.monotonic()
        elif kind == "log":
            log.info("analytics: %s %s", message.get("code", ""), message.get("message", ""))


def _partial(cameras: Sequence[Mapping[str, Any]]) -> str:
    """Which cameras are not running, for the screen's detail."""
    return ", ".join(f"{one.get('camera_id')}: {one.get('state')}" for one in cameras if one.get("state") != "running")[
        :400
    ]
