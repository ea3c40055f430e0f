"""A small product of real processes (Valkey, clock, workers) that is killed at random while jobs go through it.

Every job leaves one audit entry with its reference: after the last kill each reference must be there exactly once.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.local.ports import pick_free
from app.cli.local.valkey import Valkey
from app.kernel.jobs import after_commit
from app.kernel.unit_of_work import unit_of_work
from tests.support.world import OURS, THEIRS, World, actor

ROOT = Path(__file__).parents[2]
RECOVERY_S = 90.0
# Enough to have every process busy, and few enough to be finished in the recovery time however many kills there were.
IN_FLIGHT = 40
# How often each kind of process is the one that dies.
WEIGHTS = {"horse": 8, "worker": 6, "clock": 3, "redis": 2, "parent": 1}


@dataclass
class Chaos:
    """The processes, and what was asked of them."""

    world: World
    folder: Path
    source: random.Random = field(default_factory=lambda: random.Random(49))
    kills: Counter[str] = field(default_factory=Counter)
    placed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.valkey = Valkey(self.folder / "valkey", pick_free(set()), "clave-de-prueba")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Chaos:
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o711)
        for name in ("redis", "clock", "parent"):
            self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("clock", "parent", "redis"):
            process = self._processes[name]
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def place(self, count: int) -> None:
        """Ask for some jobs of two municipalities, short and long."""
        for tenant_id in (OURS, THEIRS):
            with unit_of_work(actor(tenant_id)):
                for _ in range(count):
                    ref = str(len(self.placed))
                    kind = self.source.choice(["probe.short", "probe.short", "probe.long"])
                    after_commit(kind, ref=ref, pause=f"{self.source.uniform(0, 0.1):.3f}")
                    self.placed.append(ref)

    def kill(self) -> str:
        """SIGKILL one process at random and start again what nobody else would. Returns which kind it was."""
        kind = self.source.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        victims = self._pids(kind)
        if not victims:
            kind, victims = "worker", self._pids("worker")
        if not victims:
            return "none"
        try:
            os.kill(self.source.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            return "none"
        self.kills[kind] += 1
        if kind in self._processes:
            self._processes[kind].wait()
            self._start(kind)
        return kind

    def settle(self) -> float:
        """Wait until every row is done. Returns the seconds it took; raises `TimeoutError` after the recovery time."""
        began = time.monotonic()
        _wait(self._all_done, RECOVERY_S, lambda: f"{self.left()} filas sin terminar: {self._rows_left()}")
        return time.monotonic() - began

    def _all_done(self) -> bool:
        """A row that lost several processes waits minutes for its next attempt: it goes now."""
        with self.world.admin() as admin:
            admin.execute(
                "update app.outbox set run_at = now() where sent_at is null and dead_at is null and run_at > now()"
            )
        return self.left() == 0

    def _rows_left(self) -> list[tuple[object, ...]]:
        query = "select kind, attempts, sent_at, claimed_until, dead_at, error from app.outbox where done_at is null limit 5"
        with self.world.admin() as admin:
            return admin.execute(query).fetchall()

    def effects(self) -> Counter[str]:
        """How often each reference was recorded."""
        query = "select target from app.audit_entries where action = 'probe:job:run'"
        with self.world.admin() as admin:
            return Counter(target for (target,) in admin.execute(query))

    def left(self) -> int:
        """How many jobs are not finished."""
        with self.world.admin() as admin:
            [(left,)] = admin.execute("select count(*) from app.outbox where done_at is null").fetchall()
        return int(left)

    def _start(self, name: str) -> None:
        log = self.folder / f"{name}.log"
        if name == "redis":
            self._processes[name] = self.valkey.start(log)
            _wait(self.valkey.ready, 20, lambda: "Valkey no responde")
            return
        module = ["workers.clock"] if name == "clock" else ["tests.support.probe_worker", "--all"]
        with log.open("ab") as output:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", *module], cwd=ROOT, env=self._environment(), stdout=output, stderr=output
            )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1",
            "REDIS_URL": self.valkey.url(), "PIPC_HOME": str(self.folder),
            "PIPC_DB_CLOCK_URL": self.world.urls["clock"], "PIPC_DB_WORKER_URL": self.world.urls["worker"],
            "PIPC_RECONCILE_INTERVAL": "1", "PIPC_RECONCILE_AFTER": "3",
        }  # fmt: skip

    def _pids(self, kind: str) -> list[int]:
        if kind in self._processes:
            return [self._processes[kind].pid]
        workers = _children(self._processes["parent"].pid)
        return workers if kind == "worker" else [horse for worker in workers for horse in _children(worker)]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _wait(ready: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(why())
        time.sleep(0.1)


def run(world: World, folder: Path, kills: int, *, report: Callable[[str], None] = lambda _: None) -> Chaos:
    """Kill `kills` times while jobs flow, settle, and hand back what happened."""
    with Chaos(world, folder) as chaos:
        chaos.place(2)
        chaos.settle()  # everything is up before the first kill
        while chaos.kills.total() < kills:
            if chaos.left() < IN_FLIGHT:
                chaos.place(1)
            chaos.kill()
            time.sleep(chaos.source.uniform(0, 0.4))
            if chaos.kills.total() % 50 == 0:
                report(f"{chaos.kills.total()} de {kills}: {dict(chaos.kills)}")
        report(f"asentado en {chaos.settle():.1f} s")
    return chaos
