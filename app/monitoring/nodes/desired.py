"""The desired state of a node as one JSON document: cameras, analysis sessions, orders, keys and policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc.jwk import ECKey

from app.kernel.ports import ActiveHold
from app.monitoring.cameras.profiles import active_rules
from app.monitoring.cameras.source import as_text
from app.monitoring.cameras.types import DesiredCamera
from app.monitoring.nodes.types import NodePolicy, Order
from app.settings import Settings

SCHEMA = 1
GROUP = "main"
DEMONSTRATION_QUOTA = 2 * 2**30


def policy_from(settings: Settings) -> NodePolicy:
    """What every node is told besides its cameras, with a digest that changes when any of it does."""
    keys = (view_key(settings.view_key_pem),) if settings.view_key_pem else ()
    quota = DEMONSTRATION_QUOTA if settings.demonstration else None
    told = [settings.demonstration, settings.camera_networks, keys, quota]
    return NodePolicy(
        demonstration=settings.demonstration, camera_networks=settings.camera_networks, view_keys=keys,
        quota_bytes=quota, digest=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
    )  # fmt: skip


def view_key(pem: str) -> dict[str, Any]:
    """The public half of the key that signs view tickets, as nodes verify it."""
    key = ECKey.import_key(pem)
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}


def document(
    *,
    version: int,
    tenant: UUID,
    slug: str,
    node_id: UUID,
    now: datetime,
    cameras: Sequence[DesiredCamera],
    sessions: Sequence[tuple[UUID, str]],
    orders: Sequence[Order],
    policy: NodePolicy,
    demonstration: bool,
    holds: Sequence[ActiveHold],
) -> dict[str, Any]:
    """The document a node applies. `sessions` are (id, producer)."""
    watching = [_session(id_, producer, version, cameras) for id_, producer in sessions]
    return {
        "schema": SCHEMA,
        "version": version,
        "tenant": str(tenant),
        "tenant_slug": slug,
        "node_id": str(node_id),
        "server_time": now.isoformat(),
        "demonstration": demonstration,
        "cameras": [_camera(camera) for camera in cameras],
        "sessions": [session for session in watching if session["cameras"]],
        "orders": [order_document(order) for order in orders],
        "view_keys": list(policy.view_keys),
        "holds": [_hold(hold) for hold in holds],
        "policy": {"quota_bytes": policy.quota_bytes, "retention_days": policy.retention_days},
        "camera_networks": list(policy.camera_networks),
    }


def order_document(order: Order) -> dict[str, Any]:
    """An order as it travels."""
    return {
        "id": str(order.id),
        "kind": order.kind,
        "camera_id": str(order.camera_id) if order.camera_id else None,
        "from": order.from_at.isoformat() if order.from_at else None,
        "to": order.to_at.isoformat() if order.to_at else None,
        **order.params,
    }


def _hold(hold: ActiveHold) -> dict[str, Any]:
    return {
        "id": str(hold.hold_id),
        "camera_id": str(hold.camera_id),
        "from": hold.from_at.isoformat(),
        "to": hold.to_at.isoformat() if hold.to_at else None,
        "expires_at": hold.expires_at.isoformat() if hold.expires_at else None,
    }


def _camera(camera: DesiredCamera) -> dict[str, Any]:
    return {
        "id": str(camera.id),
        "name": camera.name,
        "place": camera.place,
        "source": {"kind": camera.source_kind, "url": camera.source_url, "sealed": as_text(camera.source_sealed)},
        "sub": camera.sub_url,
        "record": camera.record,
        "group": GROUP,
    }


def _session(session_id: UUID, producer: str, version: int, cameras: Sequence[DesiredCamera]) -> dict[str, Any]:
    analysed = [row for camera in cameras if (row := _analysed(camera))]
    return {"id": str(session_id), "producer": producer, "config_version": version, "cameras": analysed}


def _analysed(camera: DesiredCamera) -> dict[str, Any] | None:
    """What a session watches in one camera; None when no rule applies. Plates need the pixels of the main stream."""
    rules = active_rules(camera.profile, camera.lanes)
    if not rules:
        return None
    plates = any(rule["kind"] == "plate" for rule in rules)
    return {
        "id": str(camera.id),
        "stream": "sub" if camera.sub_url and not plates else "main",
        "plates": plates,
        "lanes": camera.lanes,
        "zones": camera.zones,
        "rules": rules,
    }
