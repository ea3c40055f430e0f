"""Throwaway PostgreSQL and Valkey for benchmarks and proofs; they end with the process that asked, however it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def throwaway(*, durable: bool = False) -> Iterator[dict[str, str]]:
    """URLs by role of an empty database with its roles, and `redis`. `durable` keeps fsync on, for figures that mean something."""
    with tempfile.TemporaryDirectory(prefix="pipc-engines-") as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - as root the engines run as somebody else and must enter
        dev = [sys.executable, "-m", "app.cli.local.dev"]
        up = [*dev, "up", "--home", folder, "--until", str(os.getpid()), *(["--durable"] if durable else [])]
        started = subprocess.run(up, cwd=ROOT, capture_output=True, text=True)
        if started.returncode != 0:
            raise SystemExit(started.stderr)
        try:
            yield dict(json.loads(started.stdout))
        finally:
            subprocess.run([*dev, "down", "--home", folder], cwd=ROOT, check=True, capture_output=True)
