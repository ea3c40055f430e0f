"""Throwaway engines for a benchmark: PostgreSQL migrated with the 135 municipalities, and Valkey."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenants.core import migrations, seed
from tenants.data.municipalities import municipalities

ROOT = Path(__file__).parents[1]


@contextmanager
def engines(*, durable: bool = True) -> Iterator[dict[str, str]]:
    """URLs by role, and `redis`; every municipality is active. They end with this process, however it ends."""
    with tempfile.TemporaryDirectory(prefix="pipc-bench-") as folder:
        os.chmod(folder, 0o711)
        dev = [sys.executable, "-m", "app.cli.local.dev"]
        up = [*dev, "up", "--home", folder, "--until", str(os.getpid()), *(["--durable"] if durable else [])]
        urls: dict[str, str] = json.loads(subprocess.run(up, cwd=ROOT, check=True, capture_output=True).stdout)
        try:
            migrations.bring_up_to_date(urls["migrate"])
            seed.activate(urls["migrate"], [row.slug for row in municipalities()], demonstration=False)
            yield urls
        finally:
            subprocess.run([*dev, "down", "--home", folder], cwd=ROOT, check=True, capture_output=True)
