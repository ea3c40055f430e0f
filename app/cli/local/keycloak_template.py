"""A Keycloak database kept for the next time: schema and realm as they were made once, per machine, never committed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from app.cli.local import keycloak
from app.cli.local.cache import locked
from app.cli.local.postgres import binary

_KEPT = 4


def template_path(cache: Path, realm: Mapping[str, Any]) -> Path:
    """Where the dump of this realm definition on this version stands, or will."""
    recipe = json.dumps([keycloak.DISTRIBUTION.sha256, realm], sort_keys=True)
    folder = cache / "keycloak-databases"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.dump"


def restore(template: Path, url: str) -> bool:
    """Fill the empty database of `url` from the template; False when there is none yet."""
    with locked(template):
        if not template.exists():
            return False
        os.utime(template)
        _run("pg_restore", url, "--no-owner", "--no-acl", "--single-transaction", "--exit-on-error", str(template))
        return True


def keep(template: Path, url: str) -> None:
    """Save the database of `url` as the template; the oldest ones are forgotten."""
    with locked(template):
        partial = template.with_suffix(".partial")
        partial.touch(mode=0o600)
        _run("pg_dump", url, "--format=custom", "--compress=1", "--no-owner", "--no-acl", f"--file={partial}")
        os.replace(partial, template)
    for old in sorted(template.parent.glob("*.dump"), key=lambda path: -path.stat().st_mtime)[_KEPT:]:
        old.unlink(missing_ok=True)


def _run(program: str, url: str, *arguments: str) -> None:
    """A PostgreSQL client; the password travels in its environment."""
    parts = urlsplit(url)
    command = [
        str(binary(program)), f"--host={parts.hostname}", f"--port={parts.port}", f"--username={parts.username}",
        f"--dbname={parts.path.lstrip('/')}", *arguments,
    ]  # fmt: skip
    env = {"PATH": "/usr/bin:/bin", "PGPASSWORD": unquote(parts.password or "")}
    subprocess.run(command, env=env, check=True, capture_output=True)
