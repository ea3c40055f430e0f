"""PostgreSQL and Valkey of one installation, started side by side and waited for."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.errors import CliError
from app.cli.local.installation import Installation
from app.cli.local.postgres import Postgres
from app.cli.local.process import ProcessRef, wait_until
from app.cli.local.valkey import Valkey

_PATIENCE_S = 30.0


def start_engines(installation: Installation) -> list[tuple[ProcessRef, int]]:
    """Start what is ours of the two, tied to this thread. Answers each process with the signal that stops it in order."""
    home = installation.home
    started: list[tuple[str, Postgres | Valkey, subprocess.Popen[bytes], int]] = []
    if (valkey := installation.valkey) is not None:
        started.append(("redis", valkey, valkey.start(home.log("redis")), signal.SIGTERM))
    if (postgres := installation.postgres) is not None:
        postgres.prepare(home.log("postgres"))
        started.insert(0, ("postgres", postgres, postgres.start(home.log("postgres")), signal.SIGINT))
    refs = []
    for name, engine, child, signum in started:
        _await(name, engine, child, home.log(name))
        ref = ProcessRef.of(child.pid)
        assert ref is not None, "it answered a moment ago"
        refs.append((ref, signum))
    return refs


@contextmanager
def database_up(installation: Installation) -> Iterator[None]:
    """PostgreSQL within the block: the one that is running, or ours started for the occasion."""
    postgres = installation.postgres
    if postgres is None or postgres.ready():
        yield
        return
    log = installation.home.log("postgres")
    postgres.prepare(log)
    child = postgres.start(log)
    try:
        if (
            not wait_until(lambda: child.poll() is not None or postgres.ready(), _PATIENCE_S)
            or child.poll() is not None
        ):
            raise CliError(f"PostgreSQL no arrancó; el detalle está en {log}.")
        yield
    finally:
        if (ref := ProcessRef.of(child.pid)) is not None:
            ref.end(signal.SIGINT, 20)
        child.wait()


def _await(name: str, engine: Postgres | Valkey, child: subprocess.Popen[bytes], log: Path) -> None:
    if not wait_until(lambda: child.poll() is not None or engine.ready(), _PATIENCE_S) or child.poll() is not None:
        raise CliError(f"{name} no arrancó; el detalle está en {log}.")
