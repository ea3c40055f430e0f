"""Jobs of the plates area."""

from __future__ import annotations

from uuid import UUID

from app.kernel.actor import current
from app.kernel.jobs import job
from app.monitoring.plates import service


@job("plates.raise_hit", queue="alarms")
def raise_hit(hit_id: str) -> None:
    service.raise_hit(current(), hit_id=UUID(hit_id))


@job("plates.match_near", queue="alarms", timeout_s=60)
def match_near(reads: str) -> None:
    for hit_id in service.match_near(reads):
        service.raise_hit(current(), hit_id=hit_id)


@job("plates.count_grams", queue="retention", timeout_s=300)
def count_grams() -> None:
    service.count_grams()
