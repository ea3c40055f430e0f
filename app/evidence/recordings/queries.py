"""Reads of recordings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.evidence.recordings.models import Clip, RecordingGap, RecordingHour
from app.evidence.recordings.types import ClipView, GapView
from app.kernel.db import session


def clip(clip_id: UUID) -> Clip | None:
    return session().scalars(select(Clip).where(Clip.id == clip_id)).one_or_none()


def clip_of_alarm(alarm_id: UUID) -> Clip | None:
    return session().scalars(select(Clip).where(Clip.alarm_id == alarm_id)).one_or_none()


def clip_of_order(order_id: UUID) -> Clip | None:
    return session().scalars(select(Clip).where(Clip.order_id == order_id).with_for_update()).one_or_none()


def clip_views(alarm_ids: Collection[UUID]) -> dict[UUID, ClipView]:
    """The clip of each of those alarms."""
    rows = session().scalars(select(Clip).where(Clip.alarm_id.in_(set(alarm_ids))))
    return {row.alarm_id: view(row) for row in rows}


def view(row: Clip) -> ClipView:
    return ClipView(
        row.id, row.alarm_id, row.camera_id, row.state, row.sha256, row.bytes, row.duration_ms, row.from_at, row.to_at
    )


def add_hours(rows: Sequence[dict[str, Any]]) -> None:
    """Keep hours; one that is there already stays as it is."""
    session().execute(insert(RecordingHour).values(list(rows)).on_conflict_do_nothing())


def add_gaps(rows: Sequence[dict[str, Any]]) -> None:
    """Keep gaps; one that was open takes the end and the better known cause it is given, a closed one stays as it is."""
    statement = insert(RecordingGap).values(list(rows))
    session().execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "id"],
            set_={name: statement.excluded[name] for name in ("to_at", "cause", "code")},
            where=RecordingGap.to_at.is_(None),
        )
    )


def gaps(camera_id: UUID, *, since: datetime, limit: int) -> list[GapView]:
    """Gaps of a camera that touch the time since then, the newest first."""
    touching = or_(RecordingGap.to_at.is_(None), RecordingGap.to_at >= since)
    statement = select(RecordingGap).where(RecordingGap.camera_id == camera_id, touching)
    newest = statement.order_by(RecordingGap.from_at.desc(), RecordingGap.id.desc()).limit(limit)
    return [GapView(row.from_at, row.to_at, row.cause, row.code) for row in session().scalars(newest)]


def recorded(camera_id: UUID, *, since: datetime) -> tuple[int, int]:
    """Milliseconds and bytes recorded of a camera in the hours since then."""
    statement = select(
        func.coalesce(func.sum(RecordingHour.recorded_ms), 0), func.coalesce(func.sum(RecordingHour.bytes), 0)
    ).where(RecordingHour.camera_id == camera_id, RecordingHour.hour_at >= since)
    row = session().execute(statement).one()
    return int(row[0]), int(row[1])
