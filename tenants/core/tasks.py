"""The ground's own upkeep."""

from __future__ import annotations

from app.kernel.jobs import job
from tenants.core import upkeep


@job("tenants.ensure_partitions", queue="retention", timeout_s=60, cron="17 3 * * *")
def ensure_partitions() -> None:
    upkeep.ensure_partitions()


@job("tenants.drop_expired_events", queue="retention", timeout_s=60, cron="37 3 * * *")
def drop_expired_events() -> None:
    upkeep.drop_expired_events()
