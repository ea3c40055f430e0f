"""Serves queues: `python -m workers.run QUEUE` one, `python -m workers.run --all` all of them.

With `--all` the parent imports the application once and forks one process per queue, so that they share its memory.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from redis import Redis

from app.factory import build_runtime
from app.http import logs
from app.settings import Settings, SettingsError
from tenants.core import discovery
from workers.jobs.worker import OneQueueWorker, die_with_parent
from workers.queues import PROVINCE, Queue

log = logging.getLogger(__name__)

RESTART_AFTER_S = 1.0
STOP_WITHIN_S = 20.0


def main(arguments: list[str]) -> int:
    """Serve what the command line names; 2 when it does not name one queue, or all."""
    if len(arguments) != 1 or (arguments[0] != "--all" and arguments[0] not in PROVINCE):
        print(f"Uso: python -m workers.run COLA (una sola: {', '.join(PROVINCE)}) o --all", file=sys.stderr)  # noqa: T201
        return 2
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logs are not set up yet
        return 1
    logs.configure()
    build_runtime(settings, default_role="worker")
    discovery.load("tasks")
    if arguments[0] == "--all":
        return _Family(settings.redis_url, settings.home / "run" / "workers.json").run()
    _serve(PROVINCE[arguments[0]], settings.redis_url)
    return 0


def _serve(queue: Queue, redis_url: str) -> None:
    OneQueueWorker(queue, Redis.from_url(redis_url)).work(logging_level="WARNING")


class _Family:
    """One child per process of each queue; a child that ends is replaced until the parent is told to stop."""

    def __init__(self, redis_url: str, listing: Path) -> None:
        self._redis_url = redis_url
        self._listing = listing
        self._children: dict[int, tuple[str, Queue]] = {}
        self._stopping = False

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        gc.collect()
        gc.freeze()  # what was imported stays shared: the collector would otherwise touch, and so copy, every page
        for queue in PROVINCE.values():
            for number in range(1, queue.processes + 1):
                self._fork(queue.name if number == 1 else f"{queue.name}-{number}", queue)
        while self._children:
            self._replace_dead()
        self._listing.unlink(missing_ok=True)
        return 0

    def _fork(self, name: str, queue: Queue) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._children[pid] = (name, queue)
            self._write_down()
            return
        status = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            die_with_parent(parent)
            _serve(queue, self._redis_url)
            status = 0
        except Exception:
            log.exception("worker of %s ended", queue.name)
        finally:
            os._exit(status)

    def _replace_dead(self) -> None:
        pid, status = os.wait()
        name, queue = self._children.pop(pid)
        if self._stopping:
            return
        log.warning("worker %s ended with %s, starting another", name, os.waitstatus_to_exitcode(status))
        time.sleep(RESTART_AFTER_S)
        if not self._stopping:
            self._fork(name, queue)

    def _write_down(self) -> None:
        """Tell the supervisor who serves what; whole or not at all, so that a reader never sees half a list."""
        self._listing.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({name: {"pid": pid} for pid, (name, _) in self._children.items()})
        draft = self._listing.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(self._listing)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        signal.signal(signal.SIGALRM, self._kill)
        signal.setitimer(signal.ITIMER_REAL, STOP_WITHIN_S)

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
