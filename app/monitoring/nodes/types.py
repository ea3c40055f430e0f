"""Words spoken with the municipal nodes: batches, heartbeats, leases and orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.monitoring.cameras.types import StateReport

MAX_ITEMS = 500
MAX_ORDERS = 100
LEASE = timedelta(seconds=15)
SESSION_STATES: dict[str, str] = {
    "idle": "Sin cámaras",
    "warming": "Preparando modelo",
    "starting": "Iniciando",
    "running": "En marcha",
    "degraded": "Parcial",
    "failed": "Detenida",
}


@dataclass(frozen=True, slots=True)
class Fence:
    """Under which lease a batch was made."""

    session_id: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a node sends at once; items are read one by one, so that a bad one harms no other."""

    batch_id: UUID
    fence: Fence | None
    items: list[Any]


@dataclass(frozen=True, slots=True)
class Rejection:
    n: int
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Order:
    """Something a node is asked to do."""

    id: UUID
    kind: str
    camera_id: UUID | None
    from_at: datetime | None
    to_at: datetime | None
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    accepted: list[int]
    rejected: list[Rejection]
    orders: list[Order]


@dataclass(frozen=True, slots=True)
class SessionReport:
    session_id: UUID
    state: str
    detail: str
    config_version: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    version: str
    recorded_until: datetime | None
    cameras: tuple[StateReport, ...] = ()
    sessions: tuple[SessionReport, ...] = ()


@dataclass(frozen=True, slots=True)
class HeartbeatAnswer:
    desired_version: int
    orders: list[Order]
    server_time: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as screens and the command line show it."""

    id: UUID
    name: str
    client_id: str
    version: str
    state: str
    last_seen_at: datetime | None
    recorded_until: datetime | None
    desired_version: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A node that presents itself: its client, and the keys it made."""

    node_id: UUID
    name: str
    client_id: str
    seal_public_key: bytes
    jwk_thumb: str


@dataclass(frozen=True, slots=True)
class NodePolicy:
    """What every node of this deployment is told besides its cameras."""

    demonstration: bool = False
    camera_networks: tuple[str, ...] = ()
    view_keys: tuple[dict[str, Any], ...] = ()
    retention_days: int = 30
    quota_bytes: int | None = None
    digest: str = field(default="", compare=False)
