"""What consoles are told: events written with the change, numbered without gaps per municipality."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Integer, PrimaryKeyConstraint, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB

from app.kernel.actor import current
from app.kernel.db import Base, session
from app.kernel.unit_of_work import StreamRow, current_unit

MAX_PAYLOAD_KEYS = 16

tenant_event_heads = Table(
    "tenant_event_heads",
    Base.metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("tenant_id"),
)

tenant_events = Table(
    "tenant_events",
    Base.metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("audience", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "seq", "occurred_at"),
    CheckConstraint("audience in ('room', 'admin', 'all')", name="audience"),
    postgresql_partition_by="RANGE (occurred_at)",
    comment="partition=day",
)


def append(kind: str, ref: str, payload: dict[str, Any], *, audience: str = "room") -> None:
    """Tell the municipality's consoles `kind` about `ref` once the open unit commits.

    Payloads are small (type, id, version, priority, camera, time): the page asks for the card, so permission is checked again.
    `audience` is room (people of the monitoring room), admin or all.
    """
    if len(payload) > MAX_PAYLOAD_KEYS:
        raise ValueError("un aviso lleva pocos datos: la pantalla pide el resto")
    current_unit().stream.append(StreamRow(kind=kind, ref=ref, payload=payload, audience=audience))


def head() -> int:
    """The number of the acting municipality's last event: a page read after it continues the stream from there."""
    last = select(tenant_event_heads.c.seq).where(tenant_event_heads.c.tenant_id == current().tenant_id)
    return session().scalar(last) or 0
