"""A real recorder process for tests: started, asked, killed and read afterwards."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workers.recorder.boxes import scan
from workers.recorder.client import RecorderUnavailable, ask
from workers.recorder.index import open_index

TENANT = "11111111-1111-4111-8111-111111111111"
CAMERA = "22222222-2222-4222-8222-222222222222"
OTHER_CAMERA = "33333333-3333-4333-8333-333333333333"
ROOT = Path(__file__).resolve().parents[2]


def wait_until(what: Callable[[], Any], timeout: float = 15.0, every: float = 0.05) -> Any:
    """The first true answer; fails loudly when it does not come."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"did not happen within {timeout} s: {what}")


def camera(url: Path | str, *, kind: str = "file", identifier: str = CAMERA, record: bool = True) -> dict[str, Any]:
    return {"id": identifier, "record": record, "main": {"kind": kind, "url": str(url)}, "sub": None}


class RecorderRig:
    """One recorder process over one folder; the folder outlives it."""

    def __init__(self, folder: Path, *, segment_s: int = 2, scenes: Path | None = None) -> None:
        self.folder, self._segment_s, self._scenes = folder, segment_s, scenes
        self.socket = folder / "r.sock"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, *, failpoint: str = "", log: Path | None = None) -> RecorderRig:
        command = [
            sys.executable, "-m", "workers.recorder", "--tenant", TENANT, "--folder", str(self.folder),
            "--socket", str(self.socket), "--segment-seconds", str(self._segment_s), "--allow-root-fs",
        ]  # fmt: skip
        if self._scenes:
            command += ["--scenes", str(self._scenes)]
        environment = {**os.environ, "PIPC_FAILPOINT": failpoint}
        with (log or self.folder / "recorder.log").open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )
        wait_until(self._answers)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            return True
        try:
            ask(self.socket, {"op": "status"})
        except RecorderUnavailable:
            return False
        return True

    def ask(self, op: str, **message: Any) -> dict[str, Any]:
        return ask(self.socket, {"op": op, **message}, timeout=15)

    def apply(self, *cameras: Mapping[str, Any], **more: Any) -> None:
        self.ask("apply", cameras=list(cameras), files=True, **more)

    def camera(self, identifier: str = CAMERA) -> dict[str, Any]:
        return next(one for one in self.ask("status")["cameras"] if one["camera_id"] == identifier)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @contextmanager
    def index(self) -> Iterator[sqlite3.Connection]:
        connection = open_index(self.folder / "index.sqlite")
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, sql: str) -> list[sqlite3.Row]:
        with self.index() as connection:
            return connection.execute(sql).fetchall()

    def segments(self) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM segments ORDER BY start_us")

    def files(self) -> list[Path]:
        return sorted((self.folder / "volume" / TENANT).rglob("*.mp4"))

    def parts(self) -> list[Path]:
        return sorted((self.folder / "volume" / TENANT).rglob("*.part"))

    def check_invariants(self) -> None:
        """Every row names a file of that size and hash whose fragments are whole, every file has one row."""
        rows = self.segments()
        named = {row["relpath"] for row in rows}
        assert len(named) == len(rows)
        assert named == {str(path.relative_to(self.folder / "volume")) for path in self.files()}
        for row in rows:
            path = self.folder / "volume" / row["relpath"]
            data = path.read_bytes()
            assert len(data) == row["bytes"]
            assert hashlib.sha256(data).hexdigest() == row["sha256"]
            with path.open("rb") as file:
                found = scan(file, len(data))
            assert found.fragments
            assert found.usable_bytes >= row["usable_bytes"] > 0
            assert path.stat().st_mode & 0o777 == 0o440
