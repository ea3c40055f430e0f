"""Tables of what was recorded: hours, gaps and clips."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, TenantScoped
from app.kernel.ids import new_id

Digest = bytes


def _of(column: str, table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"])


class Clip(TenantScoped, Base):
    """The fifteen seconds around an alarm, as the node cut them from the recording. One per alarm."""

    __tablename__ = "clips"
    __table_args__ = (
        UniqueConstraint("tenant_id", "alarm_id"),
        _of("alarm_id", "alarms"),
        _of("camera_id", "cameras"),
        _of("order_id", "node_orders"),
        Index("ix_clips_order", "tenant_id", "order_id"),
        CheckConstraint("state in ('waiting', 'ready', 'failed')", name="state"),
        CheckConstraint("from_at < to_at", name="interval"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    alarm_id: Mapped[UUID]
    camera_id: Mapped[UUID]
    order_id: Mapped[UUID]
    from_at: Mapped[datetime]
    to_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="waiting")
    sha256: Mapped[str | None]
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    codec: Mapped[str | None]
    duration_ms: Mapped[int | None]
    error: Mapped[str | None]
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]


class RecordingHour(TenantScoped, Base):
    """What a node recorded of a camera in one hour; a file recovered later goes into the next part."""

    __tablename__ = "recording_hours"
    __table_args__ = (
        _of("camera_id", "cameras"),
        {"postgresql_partition_by": "RANGE (hour_at)", "comment": "partition=month"},
    )

    camera_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="0")
    segments: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    recorded_ms: Mapped[int]
    chain_hash: Mapped[Digest]
    received_at: Mapped[datetime]


class RecordingGap(TenantScoped, Base):
    """A stretch that should have been recorded and was not; open while `to_at` is null."""

    __tablename__ = "recording_gaps"
    __table_args__ = (
        _of("camera_id", "cameras"),
        Index("ix_recording_gaps_camera", "tenant_id", "camera_id", "from_at", "id"),
        CheckConstraint("to_at is null or from_at <= to_at", name="interval"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera_id: Mapped[UUID]
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]
    cause: Mapped[str]
    code: Mapped[str]
    reported_at: Mapped[datetime]
