"""Tables of the camera inventory: cameras, their present state, its history, and who watched them live."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, TenantScoped
from app.kernel.ids import new_id
from app.monitoring.cameras.types import KINDS, OWNERSHIPS, PLACES, SOURCE_KINDS, STATES, VISIBILITIES


def _one_of(column: str, values: dict[str, str]) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({allowed})", name=column)


def _camera_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "camera_id"], ["app.cameras.tenant_id", "app.cameras.id"])


class Camera(TenantScoped, Base):
    """A camera. Removing it keeps its row, so that footage and alarms stay explained."""

    __tablename__ = "cameras"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "node_id"], ["app.nodes.tenant_id", "app.nodes.id"]),
        UniqueConstraint("tenant_id", "code"),
        Index("ix_cameras_node", "tenant_id", "node_id"),
        _one_of("place", PLACES),
        _one_of("kind", KINDS),
        _one_of("ownership", OWNERSHIPS),
        _one_of("visibility", VISIBILITIES),
        _one_of("source_kind", SOURCE_KINDS),
        CheckConstraint("(lat is null) = (lon is null)", name="position"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    node_id: Mapped[UUID | None]
    name: Mapped[str]
    code: Mapped[str] = mapped_column(Text(collation="C"))
    place: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="fixed")
    ownership: Mapped[str] = mapped_column(server_default="municipal")
    visibility: Mapped[str] = mapped_column(server_default="normal")
    address_street: Mapped[str] = mapped_column(server_default="")
    address_number: Mapped[str] = mapped_column(server_default="")
    address_between: Mapped[str] = mapped_column(server_default="")
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    azimuth: Mapped[int | None] = mapped_column(SmallInteger)
    fov_deg: Mapped[int | None] = mapped_column(SmallInteger)
    range_m: Mapped[int | None] = mapped_column(SmallInteger)
    source_kind: Mapped[str] = mapped_column(server_default="none")
    source_url: Mapped[str] = mapped_column(server_default="")
    source_sealed: Mapped[bytes | None]
    sub_url: Mapped[str | None]
    record: Mapped[bool] = mapped_column(server_default=text("true"))
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    lanes: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    zones: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    profile: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    config_version: Mapped[int] = mapped_column(server_default="1")
    version: Mapped[int] = mapped_column(server_default="1")
    search: Mapped[str] = mapped_column(server_default="")
    maintenance_from: Mapped[datetime | None]
    maintenance_until: Mapped[datetime | None]
    maintenance_reason: Mapped[str] = mapped_column(server_default="")
    maintenance_by: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    decommissioned_at: Mapped[datetime | None]


class CameraStateRow(TenantScoped, Base):
    """What the node last said of a camera."""

    __tablename__ = "camera_states"
    __table_args__ = (_camera_key(), _one_of("state", STATES))

    camera_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="unknown")
    since: Mapped[datetime]
    recording: Mapped[bool] = mapped_column(server_default=text("false"))
    analytics_state: Mapped[str | None]
    codec: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    fps: Mapped[float | None]
    error_code: Mapped[str | None]
    last_frame_sha: Mapped[str | None]
    last_frame_at: Mapped[datetime | None]


class CameraStateChange(TenantScoped, Base):
    """One change of state, exactly one row each."""

    __tablename__ = "camera_state_changes"
    __table_args__ = (
        _camera_key(),
        Index("ix_camera_state_changes_camera", "tenant_id", "camera_id", "since", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    camera_id: Mapped[UUID]
    state: Mapped[str]
    since: Mapped[datetime]
    error_code: Mapped[str | None]


class CameraViewing(TenantScoped, Base):
    """Somebody watched a camera live: one row per view, with its duration."""

    __tablename__ = "camera_views"
    __table_args__ = (
        _camera_key(),
        Index("ix_camera_views_open", "tenant_id", "user_id", postgresql_where=text("ended_at is null")),
        Index("ix_camera_views_session", "tenant_id", "session_key", postgresql_where=text("ended_at is null")),
        CheckConstraint("stream in ('main', 'sub')", name="stream"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera_id: Mapped[UUID]
    user_id: Mapped[str]
    display_name: Mapped[str] = mapped_column(server_default="")
    stream: Mapped[str] = mapped_column(server_default="main")
    reason: Mapped[str] = mapped_column(server_default="")
    session_key: Mapped[str] = mapped_column(server_default="")
    started_at: Mapped[datetime]
    renewed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
