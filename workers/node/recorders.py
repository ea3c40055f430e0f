"""Recorder children: started in a session of their own, adopted when they outlived a daemon, replaced only when stuck."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from app.cli.local.process import ProcessRef, rss_mb
from workers.node.settings import NodeSettings
from workers.recorder.client import RecorderRefused, RecorderUnavailable, ask
from workers.recorder.files import write_atomically

log = logging.getLogger(__name__)
SOCKET_LIMIT = 100
SILENT_TURNS = 3
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
MEMORY_MB, MEMORY_PER_CAMERA_MB = 192, 16
_START_GRACE_S = 10.0
_registry = threading.Lock()


def socket_path(settings: NodeSettings, tenant: UUID) -> Path:
    """Under the home's `run/`, or in the system's temporary folder when a socket's path would be too long."""
    name = f"rec-{str(tenant)[:8]}.sock"
    path = settings.run / name
    if len(os.fsencode(path)) <= SOCKET_LIMIT:
        return path
    folder = Path(tempfile.gettempdir()) / f"pipc-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / name


def known_recorders(settings: NodeSettings) -> dict[str, dict[str, Any]]:
    """What `run/recorders.json` says."""
    try:
        rows = json.loads((settings.run / "recorders.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return rows if isinstance(rows, dict) else {}


class RecorderChild:
    """The one recorder of a municipality, whoever started it."""

    def __init__(self, settings: NodeSettings, tenant: UUID) -> None:
        self._settings, self._tenant = settings, tenant
        self.socket = socket_path(settings, tenant)
        self._popen: subprocess.Popen[bytes] | None = None
        self._ref: ProcessRef | None = None
        self._silent = self._failures = 0
        self._started_at = self._not_before = 0.0
        self.adopted = False

    def status(self) -> dict[str, Any] | None:
        """The recorder's status; starts it, adopts it or replaces it on the way. None while it is not answering."""
        try:
            status = ask(self.socket, {"op": "status"})
        except (RecorderUnavailable, RecorderRefused):
            self._missed()
            return None
        self._silent = 0
        if self._ref is None or self._ref.pid != status["pid"]:
            self._adopt(int(status["pid"]))
        if time.monotonic() - self._started_at > BACKOFF_S[-1]:
            self._failures = 0
        if self._too_big(len(status["cameras"])):
            log.error("recorder of %s uses too much memory and is replaced", self._tenant)
            self.stop()
            return None
        return status

    def _adopt(self, pid: int) -> None:
        self._ref = ProcessRef.of(pid)
        self.adopted = self._popen is None or self._popen.pid != pid
        self._write_down(pid)
        log.info("recorder of %s: pid %s %s", self._tenant, pid, "adopted" if self.adopted else "started")

    def _too_big(self, cameras: int) -> bool:
        return self._ref is not None and rss_mb(self._ref.pid) > MEMORY_MB + MEMORY_PER_CAMERA_MB * cameras

    def _missed(self) -> None:
        """Nobody answered: one that is dead is started again, one that hangs is ended first, through its identity."""
        living = self._living()
        if living is None:
            self._start()
            return
        if time.monotonic() - self._started_at < _START_GRACE_S:
            return
        self._silent += 1
        if self._silent >= SILENT_TURNS:
            log.error("recorder of %s does not answer and is ended", self._tenant)
            living.end()
            self._silent = 0

    def _living(self) -> ProcessRef | None:
        if self._popen is not None and self._popen.poll() is not None:
            self._popen = None
        if self._ref is not None and self._ref.alive():
            return self._ref
        row = known_recorders(self._settings).get(str(self._tenant), {})
        ref = ProcessRef.of(int(row.get("pid") or 0))
        return ref if ref is not None and ref.started == row.get("started") else None

    def _start(self) -> None:
        now = time.monotonic()
        if now < self._not_before:
            return
        self._not_before = now + BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        self._started_at = now
        logs = self._settings.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"recorder-{str(self._tenant)[:8]}.log").open("ab") as output:
            self._popen = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self._ref = ProcessRef.of(self._popen.pid)
        self._write_down(self._popen.pid)

    def _command(self) -> list[str]:
        settings = self._settings
        command = [
            sys.executable, "-m", "workers.recorder", "--tenant", str(self._tenant),
            "--folder", str(settings.folder(self._tenant)), "--socket", str(self.socket),
            "--segment-seconds", str(settings.segment_s),
        ]  # fmt: skip
        for root in settings.scene_roots:
            command += ["--scenes", str(root)]
        return [*command, "--allow-root-fs"] if settings.allow_root_fs else command

    def _write_down(self, pid: int | None) -> None:
        with _registry:
            rows = known_recorders(self._settings)
            ref = ProcessRef.of(pid) if pid else None
            if ref is None:
                rows.pop(str(self._tenant), None)
            else:
                rows[str(self._tenant)] = {"socket": str(self.socket), "pid": ref.pid, "started": ref.started}
            write_atomically(self._settings.run / "recorders.json", json.dumps(rows, indent=1).encode())

    def stop(self) -> None:
        """End it through its socket, then its pidfd; segments are sealed on the way."""
        living = self._living()
        try:
            ask(self.socket, {"op": "stop"})
        except (RecorderUnavailable, RecorderRefused):
            log.info("recorder of %s did not answer the stop", self._tenant)
        if living is not None and not living.wait(15.0):
            living.end()
        if self._popen is not None:
            self._popen.wait()
            self._popen = None
        self._ref = None
        self._write_down(None)
