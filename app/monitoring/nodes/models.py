"""Tables of the municipal nodes: who they are, what they analyse under which lease, what they reported and were asked to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, TenantScoped
from app.kernel.ids import new_id


def _of(column: str, table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"])


class Node(TenantScoped, Base):
    """A municipal node. `desired_version` grows with anything the node should know."""

    __tablename__ = "nodes"
    __table_args__ = (
        CheckConstraint("state in ('active', 'retired')", name="state"),
        CheckConstraint("octet_length(seal_public_key) = 32", name="seal_public_key"),
        UniqueConstraint("tenant_id", "client_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(server_default="")
    client_id: Mapped[str]
    seal_public_key: Mapped[bytes]
    jwk_thumb: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="active")
    version: Mapped[str] = mapped_column(server_default="")
    desired_version: Mapped[int] = mapped_column(server_default="1")
    policy_digest: Mapped[str] = mapped_column(server_default="")
    last_seen_at: Mapped[datetime | None]
    recorded_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class AnalysisSession(TenantScoped, Base):
    """One camera group of one node, analysed by one child process at a time. `config_version` is the one it applied."""

    __tablename__ = "analysis_sessions"
    __table_args__ = (
        _of("node_id", "nodes"),
        UniqueConstraint("tenant_id", "node_id", "name"),
        CheckConstraint("state in ('idle', 'warming', 'starting', 'running', 'degraded', 'failed')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    node_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(server_default="main")
    producer: Mapped[str] = mapped_column(server_default="cpu")
    state: Mapped[str] = mapped_column(server_default="idle")
    detail: Mapped[str] = mapped_column(server_default="")
    config_version: Mapped[int] = mapped_column(server_default="0")
    reported_at: Mapped[datetime | None]


class SessionLease(TenantScoped, Base):
    """Who may analyse a session now; each change of holder has a new epoch, which fences the writes of the former one."""

    __tablename__ = "session_leases"
    __table_args__ = (_of("session_id", "analysis_sessions"), _of("node_id", "nodes"))

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    node_id: Mapped[UUID]
    holder: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(BigInteger, server_default="0")
    expires_at: Mapped[datetime | None]


class NodeEvent(TenantScoped, Base):
    """Something a rule saw, once per key. It waits as `pending` until the alarm desk decided."""

    __tablename__ = "node_events"
    __table_args__ = (
        UniqueConstraint("tenant_id", "seen_at", "key"),
        CheckConstraint("state in ('pending', 'raised', 'counted')", name="state"),
        Index("ix_node_events_pending", "tenant_id", "id", postgresql_where=text("state = 'pending'")),
        {"postgresql_partition_by": "RANGE (seen_at)", "comment": "partition=month"},
    )

    seen_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str]
    node_id: Mapped[UUID]
    camera_id: Mapped[UUID]
    session_id: Mapped[UUID | None]
    epoch: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default="pending")
    received_at: Mapped[datetime]


class NodeOrder(TenantScoped, Base):
    """Something a node is asked to do; handed out until it answers."""

    __tablename__ = "node_orders"
    __table_args__ = (
        _of("node_id", "nodes"),
        _of("camera_id", "cameras"),
        CheckConstraint("kind in ('cut_clip', 'check_source')", name="kind"),
        CheckConstraint("state in ('pending', 'done', 'failed')", name="state"),
        Index("ix_node_orders_pending", "tenant_id", "node_id", "id", postgresql_where=text("state = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    node_id: Mapped[UUID]
    kind: Mapped[str]
    camera_id: Mapped[UUID | None]
    alarm_id: Mapped[UUID | None]
    from_at: Mapped[datetime | None]
    to_at: Mapped[datetime | None]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(server_default="pending")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
