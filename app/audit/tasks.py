"""What the audit does by itself."""

from __future__ import annotations

from app.audit import service
from app.kernel.jobs import job


@job("audit.note_heads", queue="retention", timeout_s=60, cron="*/5 * * * *")
def note_heads() -> None:
    service.note_heads()


@job("audit.report_death", queue="retention")
def report_death(outbox_id: str) -> None:
    service.record("jobs:job:die", outbox_id)
