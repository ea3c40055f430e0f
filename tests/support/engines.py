"""Real PostgreSQL and Valkey for the tests: one pair per run, a migrated template, a clean copy for who asks.

The first worker that needs them starts them under a file lock. They belong to a keeper process that ends with the
pytest that began the run, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from app.cli.local import roles
from app.cli.local.installation import Installation
from app.cli.local.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "pipc_template"
_SESSION = "PIPC_TEST_SESSION"
_OWNER = "PIPC_TEST_OWNER"


def begin_run() -> None:
    """Name this run's folder; the workers that pytest starts afterwards inherit it."""
    if _SESSION not in os.environ:
        os.environ[_SESSION] = tempfile.mkdtemp(prefix="pipc-tests-")
        os.environ[_OWNER] = str(os.getpid())
        os.chmod(os.environ[_SESSION], 0o711)


def end_run() -> None:
    """Stop what the run started and forget it; only the process that began the run does so."""
    if os.environ.get(_OWNER) != str(os.getpid()):
        return
    folder = Path(os.environ.pop(_SESSION))
    os.environ.pop(_OWNER)
    if (folder / "engines").exists():
        _dev("down", "--home", str(folder / "engines"))
    shutil.rmtree(folder, ignore_errors=True)


def session_folder() -> Path:
    """The folder that every worker of this run shares."""
    begin_run()
    return Path(os.environ[_SESSION])


@contextmanager
def shared(name: str) -> Iterator[Path]:
    """Hold the run's lock of this name; yields the file in which the winner may leave what it made."""
    path = session_folder() / f"{name}.json"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


@dataclass(frozen=True)
class TestEngines:
    """The engines of this run as one worker sees them."""

    __test__ = False

    installation: Installation
    worker: str

    @property
    def postgres(self) -> Postgres:
        assert self.installation.postgres is not None
        return self.installation.postgres

    @property
    def database(self) -> str:
        """The name of this worker's own database."""
        return f"pipc_{self.worker}"

    def urls(self) -> dict[str, str]:
        """One URL per role (`rw worker dir clock rt auth migrate admin`) of this worker's database."""
        return self.urls_of(self.database)

    def urls_of(self, database: str) -> dict[str, str]:
        """One URL per role of any database of the server."""
        return {**self.installation.database_urls(database), "admin": self.postgres.url(database)}

    def redis_url(self) -> str:
        """A Valkey database of this worker alone (0 to 15)."""
        digits = "".join(filter(str.isdigit, self.worker)) or "0"
        return renamed(self.installation.redis_url, str(int(digits) % 16))

    def copy_template(self, name: str) -> None:
        """Make `name` a fresh copy of the migrated template; sessions still on the old one are cut."""
        with psycopg.connect(self.postgres.url(), autocommit=True) as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            roles.create_database(conn, name, template=TEMPLATE)


def start_engines(worker: str) -> TestEngines:
    """The engines of this run, started when nobody has yet."""
    with shared("engines") as made:
        folder = session_folder() / "engines"
        if not made.exists():
            _dev("up", "--home", str(folder), "--until", os.environ[_OWNER])
            made.write_text("{}")
        return TestEngines(Installation.of({"PIPC_HOME": str(folder)}), worker)


def start_keycloak(engines: TestEngines) -> dict[str, str]:
    """The Keycloak of this run: `url`, `realm`, `base_url`, and the secrets of its clients by name."""
    with shared("keycloak") as made:
        if not made.exists():
            home = str(engines.installation.home.root)
            made.write_text(_dev("keycloak", "--home", home, "--until", os.environ[_OWNER]))
        return dict(json.loads(made.read_text()))


def migrate_template(engines: TestEngines) -> None:
    """Migrate the template database once per run; a failure is told to every worker that asks."""
    with shared("template") as made:
        if not made.exists():
            made.write_text(json.dumps(_migrate(engines)))
        error = json.loads(made.read_text())
    if error:
        raise RuntimeError(f"the migrations of the template database failed:\n{error}")


def _migrate(engines: TestEngines) -> str:
    with psycopg.connect(engines.postgres.url(), autocommit=True) as conn:
        roles.create_database(conn, TEMPLATE)
    with psycopg.connect(engines.postgres.url(TEMPLATE), autocommit=True) as conn:
        roles.create_schema(conn)
    url = engines.urls_of(TEMPLATE)["migrate"]
    done = subprocess.run(
        [sys.executable, "-m", "tenants.core.migrations"], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PIPC_DB_MIGRATE_URL": url},
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr


def renamed(url: str, database: str) -> str:
    """The same URL for another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _dev(*arguments: str) -> str:
    command = [sys.executable, "-m", "app.cli.local.dev", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout
