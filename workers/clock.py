"""`pipc clock`: due schedules, outbox relay and reconciliation, turn after turn. Any number of clocks may run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from redis import Redis, RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.http import logs
from app.kernel.actor import acting_as, system_actor
from app.kernel.db import Databases
from app.kernel.unit_of_work import OUTBOX_CHANNEL
from app.settings import Settings, SettingsError
from workers.jobs import metrics, reconcile, relay, schedule

log = logging.getLogger(__name__)

CLEAN_EVERY_S = 3600.0
TICK_KEY = "pipc:clock:tick"
_TICK_TTL_S = 60


@dataclass
class Clock:
    """The three duties of one process, each at its own pace; a duty that fails is tried again at its next turn."""

    engine: Engine
    redis: Redis
    settings: Settings
    _due: dict[str, float] = field(default_factory=dict)

    def turn(self) -> None:
        """Do what is due."""
        self._try("schedules", 0.0, lambda: schedule.run_due(self.engine))
        self._try("relay", 0.0, self._relay_all)
        self._try("reconcile", self.settings.reconcile_interval_s, self._reconcile)
        self._try("clean", CLEAN_EVERY_S, lambda: reconcile.clean(self.engine))
        self._try("tick", 0.0, lambda: self.redis.set(TICK_KEY, f"{time.time():.3f}", ex=_TICK_TTL_S))

    def _relay_all(self) -> None:
        while relay.relay(self.engine, self.redis) == relay.BATCH:
            pass

    def _reconcile(self) -> None:
        reconcile.reconcile(self.engine, self.redis, after_s=self.settings.reconcile_after_s)

    def _try(self, name: str, every_s: float, duty: Callable[[], object]) -> None:
        now = time.monotonic()
        if now < self._due.get(name, 0.0):
            return
        self._due[name] = now + every_s
        try:
            duty()
        except (SQLAlchemyError, RedisError, OSError) as error:
            log.warning("%s waits: %s", name, type(error).__name__)


class Bell:
    """Rings when a commit left something in the outbox; without Redis nobody rings and the clock looks by itself."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._rung = threading.Event()
        threading.Thread(target=self._listen, name="bell", daemon=True).start()

    def wait(self, seconds: float) -> None:
        self._rung.wait(seconds)
        self._rung.clear()

    def ring(self) -> None:
        self._rung.set()

    def _listen(self) -> None:
        while True:
            try:
                with Redis.from_url(self._redis_url).pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(OUTBOX_CHANNEL)
                    for _message in channel.listen():
                        self.ring()
            except (RedisError, OSError):
                time.sleep(1.0)


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logs are not set up yet
        return 1
    logs.configure()
    databases = Databases(settings.databases, default_role="clock")
    redis = Redis.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=5)
    clock = Clock(databases.engine("clock"), redis, settings)
    bell = Bell(settings.redis_url)
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        bell.ring()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if settings.metrics_port:
        metrics.serve(settings.metrics_port, clock.engine, redis)
    with acting_as(system_actor("clock")):
        while not stopping.is_set():
            clock.turn()
            bell.wait(settings.clock_interval_s)
    databases.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
