"""Municipal nodes: enrolment, what is wanted of them, heartbeats, leases, orders and the intake of what they report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.audit import service as audit
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.kernel.ports import ReceivingNode, hold_directory, object_storage
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.events import CameraChanged
from app.monitoring.cameras.types import CameraData
from app.monitoring.nodes import desired, queries
from app.monitoring.nodes.caller import own_node
from app.monitoring.nodes.errors import LeaseHeld, NodeNotFound, NodeTaken, SessionNotFound
from app.monitoring.nodes.intake import accept_batch, raise_pending
from app.monitoring.nodes.models import AnalysisSession, Node, NodeOrder, SessionLease
from app.monitoring.nodes.types import (
    SESSION_STATES,
    Enrolment,
    Heartbeat,
    HeartbeatAnswer,
    Lease,
    NodePolicy,
    NodeView,
    Order,
    SessionReport,
)
from app.settings import Settings
from tenants.core import service as municipalities

__all__ = [
    "Directory", "accept_batch", "acquire_lease", "blob_home", "check_camera", "check_source", "configure", "desired_state", "enrol_node",
    "has_blob", "heartbeat", "list_nodes", "on_camera_changed", "order_of", "place_order", "raise_pending", "renew_lease",
    "store_blob", "tell_again",
]  # fmt: skip

PRODUCER = "cpu"
CHECK_SECONDS = 8


class _Policy:
    told = NodePolicy()


def configure(settings: Settings) -> None:
    """Take from the settings what every node is told; called once by the factory."""
    _Policy.told = desired.policy_from(settings)


class Directory:
    """Answers the inventory's questions about nodes (`kernel.ports.NodeDirectory`)."""

    def receiving(self) -> ReceivingNode | None:
        nodes = queries.active_nodes()
        return ReceivingNode(nodes[0].id, nodes[0].seal_public_key) if nodes else None

    def last_seen(self) -> Mapping[UUID, datetime | None]:
        return queries.last_seen()


def enrol_node(actor: Actor, *, enrolment: Enrolment) -> NodeView:
    """Register a node with its analysis session; it takes the cameras that waited for one.

    Doing it again with the same keys changes nothing; with others it raises `NodeTaken`.
    """
    actor.require(Permission.CAMERA_EDIT)
    known = queries.node_of_client(enrolment.client_id)
    if known is not None:
        if (known.id, known.seal_public_key) != (enrolment.node_id, enrolment.seal_public_key):
            raise NodeTaken(f"El cliente {enrolment.client_id} ya es un nodo de este municipio, con otras claves.")
        return queries.views([known])[0]
    node = Node(
        id=enrolment.node_id, name=enrolment.name, client_id=enrolment.client_id, state="active", version="",
        seal_public_key=enrolment.seal_public_key, jwk_thumb=enrolment.jwk_thumb, created_at=clock.now(),
        desired_version=1, policy_digest="",
    )  # fmt: skip
    session().add(node)
    session().flush()  # the session and the adopted cameras name this row by foreign key
    analysis = AnalysisSession(id=new_id(), node_id=node.id, name=desired.GROUP, producer=PRODUCER)
    session().add(analysis)
    session().flush()  # same for the lease
    session().add(SessionLease(session_id=analysis.id, node_id=node.id))
    adopted = cameras.adopt_cameras(actor, node_id=node.id)
    audit.record("room:node:enrol", str(node.id), cliente=node.client_id, camaras=adopted)
    return queries.views([node])[0]


def list_nodes(actor: Actor) -> list[NodeView]:
    """The active nodes of the acting municipality."""
    actor.require(Permission.CAMERA_READ)
    return queries.views(queries.active_nodes())


def desired_state(actor: Actor, *, since: int | None) -> dict[str, Any] | None:
    """What the calling node must do; None when it already knows version `since`."""
    node = own_node(actor)
    if since == node.desired_version:
        return None
    tenant = municipalities.own()
    return desired.document(
        version=node.desired_version,
        tenant=tenant.uuid,
        slug=tenant.slug,
        node_id=node.id,
        now=clock.now(),
        cameras=cameras.desired_cameras(actor, node_id=node.id),
        sessions=[(row.id, row.producer) for row in queries.sessions_of(node.id)],
        orders=queries.pending_orders(node.id),
        policy=_Policy.told,
        demonstration=_Policy.told.demonstration and tenant.is_demo,
        holds=hold_directory().active(cameras.cameras_of_node(actor, node_id=node.id)),
    )


def heartbeat(actor: Actor, *, beat: Heartbeat) -> HeartbeatAnswer:
    """Keep what the node says of itself, its cameras and its sessions; answers what it should know and do."""
    node = own_node(actor, lock=True)
    node.last_seen_at = clock.now()
    node.version = beat.version
    node.recorded_until = beat.recorded_until or node.recorded_until
    if node.policy_digest != _Policy.told.digest:
        node.policy_digest = _Policy.told.digest
        node.desired_version += 1
    if beat.cameras:
        mine = cameras.cameras_of_node(actor, node_id=node.id)
        cameras.report_states(actor, reports=beat.cameras, allowed=mine)
    _note_sessions(node.id, {report.session_id: report for report in beat.sessions})
    return HeartbeatAnswer(node.desired_version, queries.pending_orders(node.id), clock.now())


def _note_sessions(node_id: UUID, reports: Mapping[UUID, SessionReport]) -> None:
    if not reports:
        return
    for row in queries.sessions_of(node_id):
        report = reports.get(row.id)
        if report is not None and report.state in SESSION_STATES:
            row.state, row.detail = report.state, report.detail[:500]
            row.config_version, row.reported_at = report.config_version, clock.now()


def acquire_lease(actor: Actor, *, session_id: UUID, holder: str) -> Lease:
    """Take a session of the calling node under a new epoch. Raises `LeaseHeld` or `SessionNotFound`."""
    node = own_node(actor)
    return _lease(queries.acquire(session_id, node_id=node.id, holder=holder), session_id, node.id)


def renew_lease(actor: Actor, *, session_id: UUID, holder: str, epoch: int) -> Lease:
    """Keep a session for 15 s more. Raises `LeaseHeld` when somebody else took it, or `SessionNotFound`."""
    node = own_node(actor)
    return _lease(queries.renew(session_id, holder=holder, epoch=epoch), session_id, node.id)


def _lease(lease: Lease | None, session_id: UUID, node_id: UUID) -> Lease:
    if lease is not None:
        return lease
    if not queries.has_session(session_id, node_id):
        raise SessionNotFound()
    raise LeaseHeld("Esperar a que venza y volver a pedirla.")


def place_order(
    actor: Actor,
    *,
    kind: str,
    camera_id: UUID | None,
    node_id: UUID,
    alarm_id: UUID | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    params: Mapping[str, Any] | None = None,
    order_id: UUID | None = None,
) -> UUID:
    """Ask a node to do something; it learns of it with its next answer. Returns the order's id."""
    order = NodeOrder(
        id=order_id or new_id(), node_id=node_id, kind=kind, camera_id=camera_id, alarm_id=alarm_id, from_at=from_at, to_at=to_at,
        params=dict(params or {}), state="pending", created_at=clock.now(),
    )  # fmt: skip
    session().add(order)
    session().flush()  # the answer to the batch that caused the order already carries it
    return order.id


def check_source(actor: Actor, *, data: CameraData) -> UUID:
    """Ask the node to try an address as `data` says it; nothing is kept of it but the report. Returns the order's id."""
    source = cameras.checked_source(actor, data=data)
    nodes = queries.active_nodes()
    if not nodes:
        raise NodeNotFound("Dar de alta el nodo del municipio para poder probar cámaras.")
    if source.kind == "none":
        raise Invalid(errors={"source_url": ["Escribir la dirección del video."]})
    order_id = new_id()  # the credentials of a trial are sealed for the trial alone
    sealed = cameras.as_text(cameras.sealed_for_node(source, camera_id=order_id))
    params = {"source": {"kind": source.kind, "url": source.url, "sealed": sealed}, "seconds": CHECK_SECONDS}
    return place_order(
        actor, kind="check_source", camera_id=None, node_id=nodes[0].id, params=params, order_id=order_id
    )


def check_camera(actor: Actor, *, camera_id: UUID) -> UUID:
    """Ask the node to try the source a camera has now. Returns the order's id. Raises `CameraNotFound` or `NotWatchable`."""
    actor.require(Permission.CAMERA_EDIT)
    camera = cameras.source_to_check(actor, camera_id=camera_id)
    source = {"kind": camera.source_kind, "url": camera.source_url, "sealed": cameras.as_text(camera.source_sealed)}
    params = {"source": source, "seconds": CHECK_SECONDS}
    return place_order(actor, kind="check_source", camera_id=camera_id, node_id=camera.node_id, params=params)


def order_of(actor: Actor, *, order_id: UUID) -> tuple[Order, str, dict[str, Any]]:
    """An order with its state and result. Raises `NodeNotFound`."""
    actor.require(Permission.CAMERA_EDIT)
    row = queries.order(order_id)
    if row is None:
        raise NodeNotFound()
    order = Order(row.id, row.kind, row.camera_id, row.from_at, row.to_at, row.params)
    return order, row.state, row.result or {}


def blob_home(actor: Actor) -> UUID:
    """The municipality under which the calling node's blobs are kept: asked first, so that no upload holds a transaction."""
    own_node(actor)
    return municipalities.own().uuid


def store_blob(actor: Actor, *, home: UUID, sha256: str, chunks: Iterator[bytes]) -> bool:
    """Keep an image or a clip; False when it was there already. Raises `Invalid` when the bytes are not that digest's."""
    actor.require(Permission.NODE_REPORT)
    if object_storage().stat(home, sha256) is not None:
        return False
    try:
        object_storage().put(home, sha256, chunks)
    except ValueError:
        raise Invalid("El contenido no corresponde al SHA-256 de la dirección.") from None
    return True


def has_blob(actor: Actor, *, sha256: str) -> bool:
    """Whether the content is kept for the node's municipality."""
    return object_storage().stat(blob_home(actor), sha256) is not None


def tell_again(node_id: UUID) -> None:
    """The node asks again for what is wanted of it: something it must know changed above."""
    queries.bump(node_id)


def on_camera_changed(event: CameraChanged) -> None:
    """The node of a changed camera asks again for what is wanted of it."""
    if event.node_id is not None:
        queries.bump(event.node_id)
