"""`python -m workers.node.worker [queue]`: RQ workers of the node's queues, without the application.

Without an argument one parent keeps a worker per queue, and for analytics one per session, because a supervisor holds
its worker for as long as the session lives. The forking worker is used, not RQ's spawning one: that one puts the Redis
password on the command line of every job, and our job execs its child anyway.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rq import Queue, Worker

from app.cli.local.process import ProcessRef, children_of
from workers.node.desired import read_cached
from workers.node.identity import load_identities
from workers.node.queues import ANALYSE, QUEUES, SERIALIZER, NodeJob, connect
from workers.node.settings import NodeSettings, NodeSettingsError
from workers.node.tie import tie_to_parent
from workers.recorder.__main__ import configure_logging
from workers.recorder.files import write_atomically

log = logging.getLogger(__name__)
LOOK_S = 1.0
RESTART_S = 2.0
STOP_S = 10.0
LIST = "node-workers.json"


def work(queue: str, settings: NodeSettings) -> None:
    """Be one worker of one queue until told to stop."""
    connection = connect(settings.redis_url)
    jobs = Queue(queue, connection=connection, serializer=SERIALIZER, job_class=NodeJob)
    worker = Worker([jobs], connection=connection, serializer=SERIALIZER, job_class=NodeJob)
    worker.work(logging_level="WARNING")


@dataclass
class _Slot:
    """One place for a worker; its number tells workers of one queue apart."""

    queue: str
    number: int
    pid: int = 0
    not_before: float = 0.0

    @property
    def name(self) -> str:
        return self.queue if self.number == 0 else f"{self.queue}-{self.number + 1}"


class WorkerPool:
    """The parent: keeps the wanted workers alive and ends them, with the jobs they run, when it ends."""

    def __init__(self, settings: NodeSettings, start: Callable[[str, NodeSettings], None] = work) -> None:
        self._settings, self._start = settings, start
        self._slots: dict[tuple[str, int], _Slot] = {}
        self._written = ""
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            self._reap()
            self._fill(self._wanted())
            self._write_down()
            self.ending.wait(LOOK_S)
        self._end(list(self._slots.values()))
        self._write_down()

    def _wanted(self) -> set[tuple[str, int]]:
        sessions = sum(
            len(read_cached(self._settings.folder(tenant) / "desired.json").get("sessions", []))
            for tenant in load_identities(self._settings.identities)
        )
        return {(queue, 0) for queue in QUEUES} | {(ANALYSE, number) for number in range(sessions)}

    def _reap(self) -> None:
        for slot in self._slots.values():
            if slot.pid and os.waitpid(slot.pid, os.WNOHANG)[0] == slot.pid:
                log.warning("worker %s ended and is started again", slot.name)
                slot.pid, slot.not_before = 0, time.monotonic() + RESTART_S

    def _fill(self, wanted: set[tuple[str, int]]) -> None:
        surplus = [key for key in self._slots if key not in wanted]
        idle = [key for key in surplus if not children_of(self._slots[key].pid)]
        self._end([self._slots.pop(key) for key in idle])
        for key in sorted(wanted):
            slot = self._slots.setdefault(key, _Slot(*key))
            if slot.pid == 0 and time.monotonic() >= slot.not_before:
                slot.pid = self._fork(slot.queue)

    def _fork(self, queue: str) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            for signum in (signal.SIGTERM, signal.SIGINT):
                signal.signal(signum, signal.SIG_DFL)
            tie_to_parent(signal.SIGKILL, parent)
            self._start(queue, self._settings)
            code = 0
        except Exception as error:
            # Redis away is the usual cause; the parent tries again.
            log.error("worker of %s: %s", queue, type(error).__name__)
        finally:
            os._exit(code)

    def _end(self, slots: Sequence[_Slot]) -> None:
        """Jobs first, so that a supervisor drains its child; then the workers."""
        refs = [ref for slot in slots if slot.pid and (ref := ProcessRef.of(slot.pid)) is not None]
        jobs = [job for ref in refs for pid in children_of(ref.pid) if (job := ProcessRef.of(pid)) is not None]
        for ref in [*jobs, *refs]:
            ref.send(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for ref in refs:
            if not ref.wait(max(0.1, deadline - time.monotonic())):
                ref.send(signal.SIGKILL)
            os.waitpid(ref.pid, 0)
        for slot in slots:
            slot.pid = 0

    def _write_down(self) -> None:
        text = json.dumps({slot.name: {"pid": slot.pid} for slot in self._slots.values() if slot.pid}, indent=1)
        if text != self._written:
            self._written = text
            write_atomically(self._settings.run / LIST, text.encode())


def main(arguments: list[str]) -> int:
    configure_logging()
    try:
        settings = NodeSettings.from_env(os.environ)
    except NodeSettingsError as error:
        log.error("%s", error)
        return 2
    if not settings.redis_url:
        log.error("Falta NODE_REDIS_URL: la dirección del Redis del nodo.")
        return 2
    if len(arguments) > 1 or (arguments and arguments[0] not in QUEUES):
        log.error("Un trabajador atiende una sola cola: %s.", ", ".join(QUEUES))
        return 2
    if arguments:
        work(arguments[0], settings)
        return 0
    settings.run.mkdir(parents=True, exist_ok=True)
    pool = WorkerPool(settings)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: pool.ending.set())
    pool.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
