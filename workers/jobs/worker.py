"""A worker of exactly one queue, whose work horse never outlives it."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

from redis import Redis
from rq import Worker
from rq.job import Job
from rq.queue import Queue as RedisQueue

from workers.jobs import wire
from workers.queues import Queue

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to end this process when `parent` does; ends it now when that happened already."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        os._exit(1)


class OneQueueWorker(Worker):
    """RQ's forking worker for one of our queues."""

    max_connection_wait_time = 5.0

    def __init__(self, queue: Queue, connection: Redis) -> None:
        super().__init__(
            [wire.redis_queue(queue, connection)],
            connection=connection,
            serializer=wire.SERIALIZER,
            job_class=wire.OutboxJob,
            worker_ttl=60,
            maintenance_interval=60,
            job_monitoring_interval=10,
        )
        self._parent = os.getpid()

    def main_work_horse(self, job: Job, queue: RedisQueue) -> Any:
        # An orphan would go on working beside the worker that is given its job next.
        die_with_parent(self._parent)
        return super().main_work_horse(job, queue)
