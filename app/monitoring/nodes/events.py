"""What nodes report that contexts above keep: recorded hours, gaps, tombstones, and orders that ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RecordedHour:
    camera_id: UUID
    hour_at: datetime
    part: int
    segments: int
    bytes: int
    recorded_ms: int
    chain_sha: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that should have been recorded and was not; open while `to_at` is None."""

    gap_id: UUID
    camera_id: UUID
    from_at: datetime
    to_at: datetime | None
    cause: str
    code: str


@dataclass(frozen=True, slots=True)
class Purge:
    """A tombstone: an unbroken stretch of a camera that its node deleted."""

    purge_id: UUID
    camera_id: UUID
    from_at: datetime
    to_at: datetime
    segments: int
    bytes: int
    cause: str
    ordered_at: datetime
    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class FootageReported:
    """Hours, gaps and tombstones of one batch."""

    hours: tuple[RecordedHour, ...] = ()
    gaps: tuple[Gap, ...] = ()
    purges: tuple[Purge, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderFinished:
    """A node did, or could not do, what it was asked."""

    order_id: UUID
    kind: str
    camera_id: UUID | None
    alarm_id: UUID | None
    state: str
    result: dict[str, Any] = field(default_factory=dict)
