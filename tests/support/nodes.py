"""What tests of cameras, nodes and recordings share: an enrolled node, its cameras, and the ports they use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.adapters.storage.directory import DirectoryStorage
from app.evidence.custody import service as custody
from app.evidence.recordings import service as recordings
from app.kernel import clock, events, ports
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.permissions import permissions_of
from app.kernel.ports import LiveOffer
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.alarms import tasks as _alarm_tasks  # noqa: F401 - declares the jobs
from app.monitoring.alarms.events import AlarmRaised
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.events import CameraChanged
from app.monitoring.cameras.types import CameraData, CameraView
from app.monitoring.nodes import service as nodes
from app.monitoring.nodes import tasks as _node_tasks  # noqa: F401 - declares the jobs
from app.monitoring.nodes.events import FootageReported, OrderFinished
from app.monitoring.nodes.types import Batch, BatchAnswer, Enrolment, Fence
from app.monitoring.plates import tasks as _plate_tasks  # noqa: F401 - declares the jobs
from app.settings import DatabaseUrls, Settings
from tenants.core import service as municipalities
from tests.support.world import OURS, World, actor

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
CLIP = b"\x00\x00\x00\x18ftypiso5 a clip" * 64


@dataclass
class FakeLive:
    """A relay that remembers what it was asked; its tickets are the view's id."""

    revoked: list[UUID] = field(default_factory=list)
    told: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    frames: Sequence[bytes] = (b"one", b"two")

    def offer(self, *, view_id: UUID, tenant: UUID, node_id: UUID, camera_id: UUID, stream: str) -> LiveOffer:
        return LiveOffer(view_id, camera_id, f"{view_id}", ("mux", "snapshot"), clock.now() + timedelta(seconds=120))

    def views(self, tenant: UUID, tickets: Sequence[str]) -> list[UUID]:
        return [UUID(ticket) for ticket in tickets]

    def open_stream(self, tenant: UUID, tickets: Sequence[str]) -> Iterator[bytes]:
        return iter(self.frames)

    def add(self, tenant: UUID, sid: str, tickets: Sequence[str]) -> None:
        self.told.append(("add", sid, tuple(tickets)))

    def remove(self, tenant: UUID, sid: str, view_ids: Sequence[UUID]) -> None:
        self.told.append(("remove", sid, tuple(str(view_id) for view_id in view_ids)))

    def revoke(self, tenant: UUID, view_ids: Sequence[UUID]) -> None:
        self.revoked += view_ids


@dataclass
class Plugs:
    storage: DirectoryStorage
    live: FakeLive


def plugged(folder: Path) -> Plugs:
    """Fill the ports and register the subscribers as the factory does."""
    plugs = Plugs(DirectoryStorage(folder / "objects"), FakeLive())
    ports.plug(storage=plugs.storage, live=plugs.live, nodes=nodes.Directory(), holds=custody.Directory())
    settings = Settings(
        base_url="http://127.0.0.1:8000", home=folder, databases=DatabaseUrls(), redis_url="redis://127.0.0.1:1/0",
        objects_dir=folder / "objects", demonstration=True, allow_file_sources=True,
        camera_networks=("10.0.0.0/8", "127.0.0.0/8"),
    )  # fmt: skip
    cameras.configure(settings)
    nodes.configure(settings)
    events.subscribe(CameraChanged, nodes.on_camera_changed)
    events.subscribe(AlarmRaised, recordings.on_alarm_raised)
    events.subscribe(AlarmRaised, custody.on_alarm_raised)
    events.subscribe(OrderFinished, recordings.on_order_finished)
    events.subscribe(FootageReported, recordings.on_footage_reported)
    events.subscribe(FootageReported, custody.on_footage_reported)
    return plugs


def keys() -> tuple[X25519PrivateKey, bytes]:
    """A node's sealing key and its public half."""
    key = X25519PrivateKey.generate()
    return key, key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def enrolled(tenant_id: int = OURS, *, number: int = 1) -> Actor:
    """The actor of a newly enrolled node of the municipality."""
    who = Actor(
        kind="node", tenant_id=tenant_id, user_id=f"nodo-{tenant_id:05d}-{number}",
        permissions=permissions_of(("nodo",), kind="municipal"), node_id=new_id(),
    )  # fmt: skip
    assert who.node_id is not None
    enrolment = Enrolment(who.node_id, f"Nodo {number}", who.user_id, keys()[1], "thumb")
    with unit_of_work(actor(tenant_id)):
        nodes.enrol_node(actor(tenant_id), enrolment=enrolment)
    return who


def add_camera(tenant_id: int = OURS, **changes: Any) -> CameraView:
    """A camera of the municipality; `changes` are fields of `CameraData`."""
    data = CameraData(**({"name": "Acceso Ruta 3", "place": "entrance", "source_url": "rtsp://10.0.0.1/main"} | changes))
    with unit_of_work(actor(tenant_id)):
        return cameras.create_camera(actor(tenant_id), data=data)


def session_of(world: World, node: Actor) -> UUID:
    """The node's analysis session."""
    with world.admin() as conn:
        row = conn.execute("select id from app.analysis_sessions where node_id = %s", [node.node_id]).fetchone()
    assert row is not None
    session_id: UUID = row[0]
    return session_id


def leased(world: World, node: Actor, holder: str = "h1") -> Fence:
    """The node's session under a fresh lease."""
    session_id = session_of(world, node)
    with unit_of_work(node):
        lease = nodes.acquire_lease(node, session_id=session_id, holder=holder)
    return Fence(session_id, lease.epoch)


def send(node: Actor, *items: dict[str, Any], fence: Fence | None = None) -> BatchAnswer:
    """One batch with those items, numbered."""
    numbered = [item | {"n": n} for n, item in enumerate(items)]
    return nodes.accept_batch(node, batch=Batch(uuid4(), fence, numbered))


def iso(at: datetime) -> str:
    return at.isoformat()


def ago(seconds: float) -> str:
    return iso(clock.now() - timedelta(seconds=seconds))


def event(camera_id: UUID, *, key: str = "k1", kind: str = "zone_enter", age_s: float = 1, **changes: Any) -> dict[str, Any]:
    """An event as the analytics child reports it."""
    return {
        "type": "event", "key": key, "kind": kind, "camera_id": str(camera_id), "rule_id": kind, "seen_at": ago(age_s),
        "ended_at": None, "track": "7", "severity": 2, "detail": {"zone": "z1"}, "crop_sha": None, "image_sha": None,
        "completed_wall_ns": 1, **changes,
    }  # fmt: skip


def plate(camera_id: UUID, text: str = "ZA482QK", *, age_s: float = 1, **changes: Any) -> dict[str, Any]:
    """A finished pass as the analytics child reports it."""
    return {
        "type": "plate_read", "pass_id": str(new_id()), "camera_id": str(camera_id), "seen_at": ago(age_s),
        "plate": text, "raw": text, "format": "AR_AUTO_MERCOSUR", "consensus": "strong", "confidence": 0.97,
        "char_conf": [["Z", 0.99]], "crop_sha": None, "image_sha": None, "direction": None, "key": "k", **changes,
    }  # fmt: skip


def kept(plugs: Plugs, content: bytes, tenant_id: int = OURS) -> str:
    """The digest of a blob stored for the municipality."""
    sha256 = hashlib.sha256(content).hexdigest()
    plugs.storage.put(municipalities.by_id(tenant_id).uuid, sha256, iter([content]))
    return sha256
