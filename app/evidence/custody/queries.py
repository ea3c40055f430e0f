"""Reads of holds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from app.evidence.custody.models import Hold, HoldCamera
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
