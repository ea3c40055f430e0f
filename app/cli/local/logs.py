"""The processes' output: kept within a size, and shown."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from app.cli.errors import CliError
from app.cli.local.home import Home

LIMIT_BYTES = 10 << 20


def bound(home: Home) -> None:
    """Keep each log under the limit and its previous stretch beside it. The writers append, so emptying is safe."""
    for log in home.logs.glob("*.log"):
        with contextlib.suppress(OSError):
            if log.stat().st_size > LIMIT_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                log.write_bytes(b"")


def choose(home: Home, process: str | None) -> list[Path]:
    """The logs of one process, or all of them."""
    logs = sorted(home.logs.glob("*.log"))
    chosen = [log for log in logs if process is None or log.stem == process]
    if not chosen:
        names = ", ".join(log.stem for log in logs) or "ninguno todavía"
        raise CliError(f"No hay registro de «{process or 'nada'}». Hay: {names}.", "pipc logs web")
    return chosen


def last_lines(log: Path, count: int) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 400 * count))
        return file.read().decode("utf-8", "replace").splitlines()[-count:]


def follow(logs: list[Path]) -> Iterator[tuple[str, str]]:
    """Lines as they come, with the name of their process, for ever."""
    positions = {log: log.stat().st_size for log in logs}
    while True:
        for log in logs:
            size = log.stat().st_size if log.exists() else 0
            if size < positions[log]:
                positions[log] = 0  # it was emptied to keep it within its size
            if size > positions[log]:
                with log.open("rb") as file:
                    file.seek(positions[log])
                    text = file.read()
                positions[log] += len(text)
                yield from ((log.stem, line) for line in text.decode("utf-8", "replace").splitlines())
        time.sleep(0.2)
