"""Timers of the alarm desk."""

from __future__ import annotations

from uuid import UUID

from app.kernel.actor import current
from app.kernel.jobs import job
from app.monitoring.alarms import service


@job("alarms.escalate", queue="alarms")
def escalate(alarm_id: str, step: str) -> None:
    service.escalate(current(), alarm_id=UUID(alarm_id), step=step)


@job("alarms.watch_flood", queue="alarms")
def watch_flood() -> None:
    service.watch_flood(current())
