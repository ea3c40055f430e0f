"""`python -m workers.node`: the daemon of every identity on this machine. Recorders outlive it; it adopts them again."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import threading
from uuid import UUID

from workers.node.household import House
from workers.node.identity import load_identities
from workers.node.municipality import Municipality
from workers.node.queues import NodeQueues
from workers.node.settings import NodeSettings, NodeSettingsError
from workers.recorder.__main__ import configure_logging

log = logging.getLogger(__name__)
RESCAN_S = 5.0


class Daemon:
    """One `Municipality` per identity file, started and stopped as the files come and go."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings, self._queues = settings, NodeQueues(settings.redis_url)
        self.municipalities: dict[UUID, Municipality] = {}

    def rescan(self) -> None:
        identities = load_identities(self._settings.identities)
        for tenant in set(self.municipalities) - set(identities):
            log.info("identity of %s was removed", tenant)
            self.municipalities.pop(tenant).stop(recorder=True)
        for tenant, identity in identities.items():
            running = self.municipalities.get(tenant)
            if running is not None and running.house.identity == identity:
                continue
            if running is not None:
                running.stop()
            self.municipalities[tenant] = Municipality(House(self._settings, identity), self._queues)
            self.municipalities[tenant].start()

    def run(self, ending: threading.Event) -> None:
        while not ending.is_set():
            try:
                self.rescan()
            except Exception:
                # A new identity that cannot start must not end the ones that run.
                log.exception("rescan failed")
            ending.wait(RESCAN_S)
        for municipality in self.municipalities.values():
            municipality.stop()


def main() -> int:
    configure_logging()
    try:
        settings = NodeSettings.from_env(os.environ)
    except NodeSettingsError as error:
        log.error("%s", error)
        return 2
    for folder in (settings.run, settings.identities):
        folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(settings.run / "node.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        log.error("Ya hay un nodo en marcha para esta carpeta: detenerlo con `pipc down`.")
        return 3
    ending = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: ending.set())
    Daemon(settings).run(ending)
    return 0


if __name__ == "__main__":
    sys.exit(main())
