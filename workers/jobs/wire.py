"""What travels through Redis: the name of one function and which outbox row it must look at, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from redis import Redis
from rq import Queue as RedisQueue
from rq.job import Job
from rq.rate_limit import RateLimit, RateLimitRegistry
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.utils import as_text

from workers.queues import PROVINCE, Queue

PERFORM = "workers.jobs.perform.perform"
SERIALIZER = "json"
_FORGET_FAILED_S = 3600


class RefusedJob(RuntimeError):
    """Somebody wrote to Redis a job that is not ours."""


class OutboxJob(Job):
    """A job that can only call `perform` with an outbox id and a municipality.

    Whoever writes to Redis could otherwise name any importable function, as the job or as one of its callbacks, or any URL as a
    webhook.
    """

    @property
    def func(self) -> Callable[..., Any]:
        arguments = self.args
        well_formed = self.func_name == PERFORM and self.instance is None and not self.kwargs and len(arguments) == 2
        if not well_formed or not isinstance(arguments[0], str) or not isinstance(arguments[1], int):
            raise RefusedJob(f"{self.id}: este proceso sólo ejecuta {PERFORM}")
        return super().func

    def restore(self, raw_data: Any) -> Any:
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        self._dependency_ids = []


def redis_queue(queue: Queue, connection: Redis) -> RedisQueue:
    """The RQ queue of ours."""
    return RedisQueue(queue.name, connection=connection, serializer=SERIALIZER, job_class=OutboxJob)


def send(connection: Redis, *, queue: str, outbox_id: UUID, tenant_id: int) -> None:
    """Put an outbox row in its queue, within its municipality's share. Raises `redis.RedisError`."""
    declared = PROVINCE[queue]
    redis_queue(declared, connection).enqueue_call(
        PERFORM,
        args=(str(outbox_id), tenant_id),
        job_id=str(outbox_id),
        timeout=declared.timeout_s,
        result_ttl=0,
        failure_ttl=_FORGET_FAILED_S,
        rate_limit=RateLimit(_share(declared, tenant_id), declared.per_tenant),
    )


def waiting(connection: Redis, queue: str) -> set[str]:
    """Ids that a worker of `queue` will still take: queued, or held back by their municipality's share."""
    found = {as_text(identifier) for identifier in connection.lrange(f"rq:queue:{queue}", 0, -1)}
    for registry in RateLimitRegistry.all(connection):
        if registry.key.startswith(f"{queue}:t"):
            found.update(registry.get_rate_limited_job_ids())
    return found


def holding(connection: Redis) -> list[tuple[str, int, str]]:
    """The jobs that hold a place of their municipality's share: queue, municipality, id."""
    found = []
    for registry in RateLimitRegistry.all(connection):
        queue, _, tenant = registry.key.partition(":t")
        if queue in PROVINCE and tenant.isdigit():
            found += [(queue, int(tenant), identifier) for identifier in registry.get_allowed_job_ids()]
    return found


def forget(connection: Redis, *, queue: str, outbox_id: UUID, tenant_id: int) -> None:
    """Remove every trace of a job whose worker is gone, and give its place to the next one of its municipality."""
    identifier = str(outbox_id)
    declared = PROVINCE[queue]
    RateLimitRegistry(_share(declared, tenant_id), connection).release_and_enqueue(identifier)
    connection.lrem(f"rq:queue:{queue}:intermediate", 0, identifier)
    for registry in (StartedJobRegistry, FailedJobRegistry):
        kept = registry(queue, connection=connection, serializer=SERIALIZER, job_class=OutboxJob)
        kept.connection.zrem(kept.key, identifier)
    connection.delete(OutboxJob.key_for(identifier))


def _share(queue: Queue, tenant_id: int) -> str:
    return f"{queue.name}:t{tenant_id}"
