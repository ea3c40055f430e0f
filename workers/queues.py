"""The closed list of queues: how many processes serve each, how long a job may take, and one municipality's share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Queue:
    """One RQ queue. A worker process serves exactly one: with two, a killed worker loses the job it had just taken.

    `per_tenant` is how many jobs of one municipality may be queued or running at once; the rest wait their turn in Redis.
    """

    name: str
    purpose: str
    processes: int
    timeout_s: int
    per_tenant: int


PROVINCE: dict[str, Queue] = {
    queue.name: queue
    for queue in (
        Queue("alarms", "alarmas y sus relojes", processes=1, timeout_s=60, per_tenant=2),
        Queue("media", "clips e imágenes", processes=1, timeout_s=600, per_tenant=1),
        Queue("retention", "particiones, vencimientos y controles", processes=1, timeout_s=900, per_tenant=1),
        Queue("tenants", "alta de municipios e identidad", processes=1, timeout_s=300, per_tenant=1),
    )
}
