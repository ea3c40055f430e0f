"""`pipc run`, `up` and `down`: the product in the foreground, in the background, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from rich.console import Console

from app.cli.errors import CliError
from app.cli.local import logs, ports, state
from app.cli.local.cache import cache_folder, need_space
from app.cli.local.environment import ROOT
from app.cli.local.fleet import end_recorders, members
from app.cli.local.installation import Installation
from app.cli.local.process import wait_until
from app.cli.local.product import Product
from app.cli.local.progress import Progress
from app.cli.local.supervisor import Supervisor
from app.cli.local.units import Unit
from app.cli.local.welcome import welcome

_STOP_S = 60.0
_UP_S = 1800.0
_NEEDED_MB = 3000


class ForegroundRun(Supervisor):
    """The supervisor of the product: it writes its state down and tells the person how it goes."""

    def __init__(self, installation: Installation, console: Console) -> None:
        super().__init__(Product(installation).units(), self._changed)
        self._installation = installation
        self._console = console
        self._progress = Progress(console)
        self._housekeeping_at = 0.0

    def tick(self) -> None:
        super().tick()
        now = time.monotonic()
        if not self.complete:
            self._progress.breathe(self)
        if now > self._housekeeping_at:
            self._housekeeping_at = now + (60 if self.complete else 1)
            logs.bound(self._installation.home)
            state.write(self._installation.home, self, self._installation.base_url)

    def stop(self) -> None:
        self._progress.close()
        self._console.print("Deteniendo todo en orden…")
        super().stop()
        state.write(self._installation.home, self, self._installation.base_url)
        self._console.print("Todo quedó detenido.")

    def _changed(self, _: Supervisor, unit: Unit | None) -> None:
        state.write(self._installation.home, self, self._installation.base_url)
        self._progress.tell(self, unit)
        if unit is None:
            self._progress.close()
            welcome(self._installation, self._console, self._progress.elapsed_s)


def run(env: Mapping[str, str], console: Console) -> None:
    """Run the product until Ctrl-C. When it is running already, say where and change nothing."""
    installation = Installation.of(env)
    claim = state.Claim(installation.home)
    if not claim.take():
        if (found := state.running(installation.home)) is not None:
            console.print(f"Ya está en marcha en {found.told['url']} ({installation.home.root}).")
            return
        raise CliError("Otro proceso está arrancando o deteniendo esta misma instalación.", "pipc status")
    _refuse_what_cannot_work(installation)
    end_recorders(installation.home)  # of a supervisor that was killed: the node starts them again
    ForegroundRun(installation, console).run()


def up(env: Mapping[str, str], console: Console) -> None:
    """The same in the background; returns when everything is ready."""
    installation = Installation.of(env)
    home = installation.home
    if state.running(home) is None:
        _refuse_what_cannot_work(installation)
        with home.log("supervisor").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "app.cli.main", "run"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, cwd=ROOT, env={**env, "PIPC_HOME": str(home.root)},
            )  # fmt: skip
        _follow(installation, child, console)
    welcome(installation, console, None)


def down(env: Mapping[str, str], console: Console) -> None:
    """Stop everything of this home; harmless when nothing runs."""
    home = Installation.of(env).home
    found = state.running(home)
    if found is None:
        end_recorders(home)
        console.print("No había nada en marcha.")
        return
    console.print("Deteniendo todo en orden…")
    if not found.ref.end(signal.SIGTERM, _STOP_S):
        console.print("El supervisor no respondió y se lo cerró por la fuerza.")
    end_recorders(home)
    wait_until(lambda: not members(home), 10)
    console.print("Todo quedó detenido.")


def _follow(installation: Installation, child: subprocess.Popen[bytes], console: Console) -> None:
    limit, said = time.monotonic() + _UP_S, ""
    while time.monotonic() < limit:
        if child.poll() is not None:
            lines = logs.last_lines(installation.home.log("supervisor"), 3)
            raise CliError(" ".join(lines) or "El producto no arrancó.", "pipc logs supervisor")
        found = state.running(installation.home)
        if found is not None and found.told["phase"] in ("ready", "degraded"):
            return
        if (
            found is not None
            and (line := f"[{found.told['done']}/{found.told['of']}] {', '.join(found.told['doing'])}") != said
        ):
            said = line
            console.print(f"{line} · faltan unos {found.told['left_s']} s", highlight=False)
        time.sleep(0.5)
    raise CliError("El producto no terminó de arrancar a tiempo.", "pipc logs supervisor")


def _refuse_what_cannot_work(installation: Installation) -> None:
    """Say now what would fail later, in one sentence."""
    if sys.platform != "linux":
        raise CliError("El producto en una sola máquina necesita Linux.", "cat README.md")
    web = installation.ports["web"]
    if not ports.is_free(web):
        other = ports.pick_free({web})
        raise CliError(f"El puerto {web} está ocupado por otro programa.", f"PIPC_PORT={other} make run")
    need_space(installation.home.root, _NEEDED_MB << 20, "arrancar la demostración")
    need_space(cache_folder(os.environ), 200 << 20, "la carpeta de descargas")
