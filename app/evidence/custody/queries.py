"""Reads of holds and tombstones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from app.evidence.custody.models import Hold, HoldCamera, Tombstone
from app.evidence.custody.types import PurgedSpan
from app.kernel.db import session
from app.kernel.ports import ActiveHold


def of_alarm(alarm_id: UUID) -> Hold | None:
    return session().scalars(select(Hold).where(Hold.alarm_id == alarm_id)).one_or_none()


def active(camera_ids: Collection[UUID], *, now: datetime) -> list[ActiveHold]:
    """What is held of those cameras, in a stable order."""
    statement = (
        select(Hold.id, HoldCamera.camera_id, HoldCamera.from_at, HoldCamera.to_at, Hold.expires_at)
        .join(HoldCamera, HoldCamera.hold_id == Hold.id)
        .where(Hold.released_at.is_(None), or_(Hold.expires_at.is_(None), Hold.expires_at > now))
        .where(HoldCamera.camera_id.in_(set(camera_ids)))
        .order_by(Hold.id, HoldCamera.camera_id, HoldCamera.from_at)
    )
    return [ActiveHold(*row) for row in session().execute(statement)]


def add_tombstones(rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Keep tombstones; returns those that were not there."""
    new = insert(Tombstone).values(list(rows)).on_conflict_do_nothing().returning(Tombstone.id)
    return set(session().scalars(new))


def purged(camera_id: UUID, *, since: datetime, limit: int) -> list[PurgedSpan]:
    """What was deleted of a camera since then, the last deleted first."""
    statement = select(Tombstone).where(Tombstone.camera_id == camera_id, Tombstone.deleted_at >= since)
    newest = statement.order_by(Tombstone.deleted_at.desc(), Tombstone.id.desc()).limit(limit)
    return [
        PurgedSpan(row.from_at, row.to_at, row.bytes, row.cause, row.deleted_at) for row in session().scalars(newest)
    ]
