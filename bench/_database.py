"""A durable database of their own for the benchmarks: embedded engines in a temporary folder, migrated, with the 135 municipalities."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.settings import DatabaseUrls
from tenants.core import migrations, seed

TENANT = 833
CAMERA = "01990000-0000-7000-8000-000000000001"


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """URLs by role (and `redis`, `admin`) of an empty product with fsync on; everything is stopped and deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="pipc-bench-") as folder:
        Path(folder).chmod(0o711)
        home = str(Path(folder) / "home")
        started = _dev("up", "--home", home, "--until", str(os.getpid()), "--durable")
        try:
            urls: dict[str, str] = json.loads(started)
            migrations.upgrade(urls["migrate"])
            seed.seed_directory(urls["migrate"])
            seed.activate(urls["migrate"], ["tres-arroyos"], demonstration=False)
            yield urls
        finally:
            _dev("down", "--home", home)


def database_urls(urls: dict[str, str]) -> DatabaseUrls:
    """The settings' shape of these URLs."""
    return DatabaseUrls(**{role: urls[role] for role in DatabaseUrls.__dataclass_fields__})


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def report(name: str, value: float, unit: str, *, baseline: float | None, target: float, ok: bool) -> None:
    """One line of a result."""
    ratio = value / baseline if baseline else None
    line = {"name": name, "value": round(value, 3), "unit": unit, "baseline": baseline and round(baseline, 3)}
    print(json.dumps(line | {"ratio": ratio and round(ratio, 3), "target": target, "ok": ok}), flush=True)


def _dev(*arguments: str) -> str:
    command = [sys.executable, "-m", "app.cli.local.dev", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
