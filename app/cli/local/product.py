"""The whole product as units of the supervisor: what needs what, and how each part says that it is ready."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence

from app.cli.local import process
from app.cli.local.cache import cache_folder
from app.cli.local.environment import ROOT, is_demonstration
from app.cli.local.fleet import end_recorders, fleet_ready, node_works
from app.cli.local.identity_server import IdentityServer
from app.cli.local.installation import Installation
from app.cli.local.keycloak import is_built
from app.cli.local.units import Start, Unit

WEB_THREADS = 96
_DEMONSTRATION = frozenset({"scenes", "seed"})
_NODE_QUOTA_BYTES = 2 << 30


class _Settled:
    """True since the first time that `works` holds; a camera that cannot be analysed keeps nobody out for longer than `PATIENCE_S`."""

    PATIENCE_S = 20.0

    def __init__(self, works: Callable[[], bool]) -> None:
        self._works = works
        self._settled = False
        self._limit: float | None = None

    def __call__(self) -> bool:
        now = time.monotonic()
        self._limit = self._limit or now + self.PATIENCE_S
        self._settled = self._settled or now > self._limit or self._works()
        return self._settled


class Product:
    """The units of one installation."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._home = installation.home
        self._shows = is_demonstration(installation.env)
        self._database = ("postgres",) if installation.postgres is not None else ()
        self._realm = installation.realm_environment()
        self._identity_server = ("keycloak",) if installation.embeds_keycloak else ("realm",) if self._realm else ()
        self._queues = ("redis",) if installation.valkey is not None else ()

    def units(self) -> list[Unit]:
        """Every unit, after the ones it needs."""
        units = [*self._servers(), *self._preparation(), *self._identity(), *self._services()]
        if self._shows:
            return units
        units = [unit for unit in units if unit.name not in _DEMONSTRATION]
        for unit in units:
            unit.after = tuple(name for name in unit.after if name not in _DEMONSTRATION)
        return units

    def _servers(self) -> list[Unit]:
        home, found = self._home, []
        if (valkey := self.installation.valkey) is not None:
            log = home.log("redis")
            found.append(Unit("redis", "Valkey", start=lambda: valkey.start(log), ready=valkey.ready, log=log))
        if (postgres := self.installation.postgres) is not None:
            log = home.log("postgres")

            def start() -> subprocess.Popen[bytes]:
                postgres.prepare(log)
                return postgres.start(log)

            found.append(
                Unit("postgres", "PostgreSQL", start=start, ready=postgres.ready, log=log,
                     stop_signal=signal.SIGINT, stop_s=20, expected_s=2)
            )  # fmt: skip
        return found

    def _preparation(self) -> list[Unit]:
        """What can be made beside everything else, and the databases."""
        installation, cache = self.installation, cache_folder(self.installation.env)
        units = [
            Unit("scenes", "Escenas de la demostración", start=self._python("scenes", "-m", "workers.scenes", str(cache), nice=10),
                 log=self._home.log("scenes"), expected_s=30, patience_s=900, optional=True),
            Unit("init", "Claves y bases de datos", call=installation.initialise, after=self._database),
            Unit("migrate", "Migraciones", start=self._python("migrate", "-m", "app.cli.local.migration"),
                 after=("init",), log=self._home.log("migrate"), expected_s=6, patience_s=900),
        ]  # fmt: skip
        if installation.embeds_keycloak:
            units.insert(0, Unit(
                "keycloak-tree", "Paquete de Keycloak", start=self._module("keycloak-tree", "app.cli.local.build_keycloak"),
                done_already=lambda: is_built(cache), log=self._home.log("keycloak-tree"), expected_s=30, patience_s=3600,
            ))  # fmt: skip
        return units

    def _identity(self) -> list[Unit]:
        first = ["--demonstration"] if self._shows else []
        units: list[Unit] = []
        if self.installation.embeds_keycloak:
            server = IdentityServer(self.installation)
            units += [
                Unit("keycloak", "Keycloak", start=server.start, ready=server.ready, after=("keycloak-tree", "init"),
                     log=self._home.log("keycloak"), expected_s=18, patience_s=240, stop_s=15),
                # Nobody waits for it: it keeps an account out, and a product in service is worth more.
                Unit("realm", "Reino al día en Keycloak", start=self._python("realm", "-m", "app.cli.local.first_admin"),
                     done_already=server.is_settled, after=("keycloak",), log=self._home.log("realm"),
                     expected_s=3, tries=3, optional=True),
            ]  # fmt: skip
        if (realm := self._realm) is not None:
            log = self._home.log("realm")
            command = [sys.executable, "-m", "app.cli.local.realm"]

            def start() -> subprocess.Popen[bytes]:
                return process.spawn(command, log=log, env=realm, cwd=ROOT, death_signal=signal.SIGTERM)

            units.append(
                Unit("realm", "Reino en Keycloak", start=start, after=("init",), log=log, expected_s=8, tries=3)
            )
        return [
            *units,
            Unit("identity", "Municipios en Keycloak", start=self._pipc("identity", "identity", "reconcile", *first),
                 after=("migrate", *self._identity_server), log=self._home.log("identity"), expected_s=5, patience_s=300, tries=3),
            Unit("seed", "Datos de la demostración", start=self._pipc("seed", "demo", "seed"), after=("identity",),
                 log=self._home.log("seed"), expected_s=5, patience_s=600, tries=3),
        ]  # fmt: skip

    def _services(self) -> list[Unit]:
        home, port = self._home, self.installation.ports["web"]
        after = ("migrate", *self._queues)
        return [
            Unit("web", "Servicio web", start=self._python("web", *web_command(port)), after=after,
                 ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"), log=home.log("web"), expected_s=5, stop_s=12),
            Unit("clock", "Reloj", start=self._python("clock", "-m", "workers.clock"), after=after, ready=lambda: True,
                 log=home.log("clock"), expected_s=2),
            Unit("workers", "Trabajadores", start=self._python("workers", "-m", "workers.run", "--all"), after=after,
                 ready=lambda: fleet_ready(home.run / "workers.json"), log=home.log("workers"), expected_s=4, stop_s=15),
            Unit("node-workers", "Trabajadores del nodo", start=self._python("node-workers", "-m", "workers.node.worker"),
                 after=after, ready=lambda: fleet_ready(home.run / "node-workers.json"), log=home.log("node-workers"),
                 expected_s=3, stop_s=15),
            Unit("node", "Nodo municipal", start=self._python("node", "-m", "workers.node"),
                 after=(*self._identity_server, "web", "scenes", "seed"),  # recorders and analytics take the whole machine
                 ready=_Settled(lambda: node_works(home)), stopped=lambda: end_recorders(home),
                 log=home.log("node"), expected_s=4, stop_s=15),
        ]  # fmt: skip

    def _python(self, needs: str, *arguments: str, name: str = "", nice: int = 0) -> Start:
        """Starts our Python with these arguments and the environment of that kind of process."""
        return lambda: self._spawn(name or needs, needs, arguments, nice)

    def _module(self, name: str, module: str, *arguments: str) -> Start:
        return self._python("cli", "-m", module, *arguments, name=name)

    def _pipc(self, name: str, *verb: str) -> Start:
        return self._module(name, "app.cli.main", *verb)

    def _spawn(self, name: str, needs: str, arguments: Sequence[str], nice: int) -> subprocess.Popen[bytes]:
        env = self.installation.environment(needs)
        if needs == "node":
            env |= {
                "PIPC_NODE_IDENTITIES": str(self._home.node / "identities"),
                "PIPC_NODE_ALLOW_ROOT_FS": "1",  # one machine: the system's disk is all there is, within a quota
                "PIPC_NODE_QUOTA_BYTES": str(_NODE_QUOTA_BYTES),
            }
        return process.spawn(
            [sys.executable, *arguments],
            log=self._home.log(name),
            env=env,
            cwd=ROOT,
            nice=nice,
            death_signal=signal.SIGTERM,
        )


def web_command(port: int) -> list[str]:
    """The web server on the loopback addresses of this machine."""
    addresses = ["-b", f"127.0.0.1:{port}", *(["-b", f"[::1]:{port}"] if _has_ipv6_loopback() else [])]
    return [
        "-m", "gunicorn", "-k", "gthread", "--threads", str(WEB_THREADS), "-w", "1", *addresses,
        "--graceful-timeout", "5", "--timeout", "60", "--no-control-socket", "wsgi:app",
    ]  # fmt: skip


def answers(url: str) -> bool:
    """True when this address of ours answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # one of our own loopback addresses
            return bool(answer.status == 200)
    except OSError:
        return False


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
