"""How the queues and the outbox are, for Prometheus, on a port only this machine can reach."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import Redis, RedisError
from rq.rate_limit import RateLimitRegistry
from rq.registry import FailedJobRegistry, StartedJobRegistry
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.kernel import clock
from app.kernel.actor import acting_as, system_actor
from workers.queues import PROVINCE

log = logging.getLogger(__name__)

_OUTBOX = text("""
    select queue,
      count(*) filter (where sent_at is null and dead_at is null) as pending,
      coalesce(extract(epoch from cast(:now as timestamptz) - min(run_at)
        filter (where sent_at is null and dead_at is null and run_at <= :now)), 0) as oldest,
      count(*) filter (where sent_at is not null and dead_at is null) as sent,
      count(*) filter (where dead_at is not null) as dead
    from app.outbox where done_at is null group by queue""")


class Queues(Collector):
    """Asks PostgreSQL and Redis at each scrape; a part that does not answer is left out."""

    def __init__(self, engine: Engine, redis: Redis) -> None:
        self._engine = engine
        self._redis = redis

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for part in (self._outbox, self._redis_queues):
            try:
                yield from list(part())
            except (SQLAlchemyError, RedisError, OSError) as error:
                log.info("metrics without %s: %s", part.__name__, type(error).__name__)

    def _outbox(self) -> Iterator[GaugeMetricFamily]:
        with acting_as(system_actor("metrics")), self._engine.connect() as connection:
            rows = connection.execute(_OUTBOX, {"now": clock.now()}).all()
        for name, meaning in (
            ("pending", "Rows that wait to be sent"),
            ("oldest", "Seconds the oldest due row has waited"),
            ("sent", "Rows sent and not done"),
            ("dead", "Rows given up"),
        ):
            family = GaugeMetricFamily(f"pipc_outbox_{name}", meaning, labels=["queue"])
            for row in rows:
                family.add_metric([row.queue], float(getattr(row, name)))
            yield family

    def _redis_queues(self) -> Iterator[GaugeMetricFamily]:
        lengths = GaugeMetricFamily("pipc_queue_jobs", "Jobs in Redis by state", labels=["queue", "state"])
        for name in PROVINCE:
            lengths.add_metric([name, "queued"], self._redis.llen(f"rq:queue:{name}"))
            lengths.add_metric([name, "intermediate"], self._redis.llen(f"rq:queue:{name}:intermediate"))
            lengths.add_metric([name, "started"], StartedJobRegistry(name, self._redis).get_job_count(cleanup=False))
            lengths.add_metric([name, "failed"], FailedJobRegistry(name, self._redis).get_job_count(cleanup=False))
        yield lengths
        held = GaugeMetricFamily("pipc_queue_held", "Jobs held back by their municipality's share", labels=["share"])
        for registry in RateLimitRegistry.all(self._redis):
            held.add_metric([registry.key], registry.connection.zcard(registry.rate_limited_key))
        yield held
        tick = self._redis.get("pipc:clock:tick")
        age = GaugeMetricFamily("pipc_clock_tick_age_seconds", "Since any clock last turned")
        age.add_metric([], time.time() - float(tick) if tick else float("inf"))
        yield age


def serve(port: int, engine: Engine, redis: Redis) -> None:
    """Answer /metrics on the loopback address; a taken port is logged and does not stop the clock."""
    registry = CollectorRegistry()
    registry.register(Queues(engine, redis))
    try:
        start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        log.warning("metrics not served on port %s: %s", port, error.strerror)
