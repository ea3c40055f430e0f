"""What the alarm desk tells the contexts above it, in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """A new alarm exists; repeats that joined an open one are not announced."""

    alarm_id: UUID
    camera_id: UUID
    rule: str
    priority: int
    detected_at: datetime
    raised_at: datetime
    crop_sha: str | None
    snapshot_sha: str | None
    is_demo: bool


@dataclass(frozen=True, slots=True)
class AlarmClosed:
    """An alarm ended: closed with an outcome, or discarded (`discarded`)."""

    alarm_id: UUID
    outcome: str
