"""Tables of holds and tombstones. Held is never a state of footage: it follows from these intervals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.evidence.custody.types import CAUSE_LABELS, KINDS
from app.kernel.db import Base, TenantScoped
from app.kernel.ids import new_id


def _of(column: str, table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"])


class Hold(TenantScoped, Base):
    """A reason not to delete. It ends when it expires (never, while that is null) or when it is released."""

    __tablename__ = "holds"
    __table_args__ = (
        UniqueConstraint("tenant_id", "alarm_id"),
        _of("alarm_id", "alarms"),
        CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", name="kind"),
        CheckConstraint("(kind = 'alarma') = (alarm_id is not null)", name="alarm"),
        Index("ix_holds_active", "tenant_id", "expires_at", postgresql_where=text("released_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    alarm_id: Mapped[UUID | None]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]


class HoldCamera(TenantScoped, Base):
    """A stretch of one camera under a hold; without an end it reaches into the future."""

    __tablename__ = "hold_cameras"
    __table_args__ = (
        _of("hold_id", "holds"),
        _of("camera_id", "cameras"),
        Index("ix_hold_cameras_camera", "tenant_id", "camera_id", "to_at"),
        CheckConstraint("to_at is null or from_at < to_at", name="interval"),
    )

    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    camera_id: Mapped[UUID] = mapped_column(primary_key=True)
    from_at: Mapped[datetime] = mapped_column(primary_key=True)
    to_at: Mapped[datetime | None]


class Tombstone(TenantScoped, Base):
    """A stretch of a camera that its node deleted. It is never changed nor deleted: footage that is absent is explained here."""

    __tablename__ = "tombstones"
    __table_args__ = (
        _of("camera_id", "cameras"),
        Index("ix_tombstones_camera", "tenant_id", "camera_id", "deleted_at"),
        CheckConstraint("from_at < to_at", name="interval"),
        CheckConstraint(f"cause in ({', '.join(repr(cause) for cause in CAUSE_LABELS)})", name="cause"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera_id: Mapped[UUID]
    from_at: Mapped[datetime]
    to_at: Mapped[datetime]
    segments: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[str]
    ordered_at: Mapped[datetime]
    deleted_at: Mapped[datetime]
    received_at: Mapped[datetime]
