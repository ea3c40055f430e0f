"""The node's own queues: three names, four functions, and a job class that runs nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import redis
from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus

log = logging.getLogger(__name__)
ANALYSE, RETAIN, EXPORT = "node-analyse", "node-retain", "node-export"
QUEUES = (ANALYSE, RETAIN, EXPORT)
SERIALIZER = "json"
FORGET_FAILED_S = 600
TIMEOUT_S = 2.0

# What a name stands for: whoever can write to Redis chooses one of these and its plain arguments, never a function.
FUNCTIONS = {
    "workers.node.warm": ("workers.node.supervise", "warm"),
    "workers.node.supervise": ("workers.node.supervise", "supervise"),
    "workers.node.retain": ("workers.node.retention", "retain"),
    "workers.node.run_order": ("workers.node.orders", "run_order"),
}


class RefusedJobError(RuntimeError):
    """Somebody wrote to Redis a job that is not ours."""


class NodeJob(Job):
    """A job that can only be one of the node's four functions with text arguments."""

    @property
    def func(self) -> Callable[..., Any]:
        place = FUNCTIONS.get(str(self.func_name))
        plain = all(isinstance(argument, str) for argument in self.args)
        if place is None or self.instance is not None or self.kwargs or not plain:
            raise RefusedJobError(f"{self.id}: this process runs {', '.join(sorted(FUNCTIONS))} only")
        found: Callable[..., Any] = getattr(import_module(place[0]), place[1])
        return found

    def restore(self, raw_data: Any) -> Any:
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        self._dependency_ids = []


def connect(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=TIMEOUT_S, socket_timeout=None)


class NodeQueues:
    """Enqueues for the daemon. Redis away is not an error here: recording does not depend on it."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S) if url else None

    def enqueue(self, queue: str, function: str, arguments: Sequence[str], *, job_id: str, timeout_s: int) -> bool:
        """Put a job in its queue unless it already waits or runs there; false when Redis cannot be reached."""
        if self._redis is None:
            return False
        try:
            if self._waits_or_runs(queue, job_id):
                return True
            Queue(queue, connection=self._redis, serializer=SERIALIZER, job_class=NodeJob).enqueue_call(
                function, args=tuple(arguments), job_id=job_id, timeout=timeout_s, result_ttl=0,
                failure_ttl=FORGET_FAILED_S, description=job_id,
            )  # fmt: skip
        except redis.RedisError as error:
            log.debug("node queues are not reachable: %s", type(error).__name__)
            return False
        return True

    def _waits_or_runs(self, queue: str, job_id: str) -> bool:
        """A queued job counts while it is in its list; a started one counts for its caller, who knows who holds the lock."""
        assert self._redis is not None
        try:
            job = NodeJob.fetch(job_id, connection=self._redis, serializer=SERIALIZER)
        except NoSuchJobError:
            return False
        if job.get_status() != JobStatus.QUEUED:
            return False
        return (
            Queue(queue, connection=self._redis, serializer=SERIALIZER, job_class=NodeJob).get_job_position(job)
            is not None
        )
