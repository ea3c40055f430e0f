"""Reads and fences of nodes: who speaks, which lease holds, what waits to be raised or done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update

from app.kernel.db import session
from app.monitoring.nodes.models import AnalysisSession, Node, NodeEvent, NodeOrder, SessionLease
from app.monitoring.nodes.types import LEASE, MAX_ORDERS, Lease, NodeView, Order


def node_of_client(client_id: str, *, lock: bool = False) -> Node | None:
    """The active node that signs in as this client."""
    statement = select(Node).where(Node.client_id == client_id, Node.state == "active")
    return session().scalars(statement.with_for_update() if lock else statement).one_or_none()


def node_by_id(node_id: UUID) -> Node | None:
    return session().scalars(select(Node).where(Node.id == node_id)).one_or_none()


def active_nodes() -> list[Node]:
    """The active nodes of the acting municipality, the first enrolled first."""
    return list(session().scalars(select(Node).where(Node.state == "active").order_by(Node.created_at, Node.id)))


def last_seen() -> dict[UUID, datetime | None]:
    rows = session().execute(select(Node.id, Node.last_seen_at).where(Node.state == "active"))
    return {row.id: row.last_seen_at for row in rows}


def bump(node_id: UUID) -> None:
    """Make the node ask for its desired state again."""
    session().execute(update(Node).where(Node.id == node_id).values(desired_version=Node.desired_version + 1))


def sessions_of(node_id: UUID) -> list[AnalysisSession]:
    statement = select(AnalysisSession).where(AnalysisSession.node_id == node_id)
    return list(session().scalars(statement.order_by(AnalysisSession.name)))


def acquire(session_id: UUID, *, node_id: UUID, holder: str) -> Lease | None:
    """Take the lease when nobody else holds it, under a new epoch; None when somebody does. The database's clock decides."""
    free = or_(SessionLease.holder.is_(None), SessionLease.holder == holder, SessionLease.expires_at < func.now())
    statement = (
        update(SessionLease)
        .where(SessionLease.session_id == session_id, SessionLease.node_id == node_id, free)
        .values(holder=holder, epoch=SessionLease.epoch + 1, expires_at=func.now() + LEASE)
        .returning(SessionLease.epoch, SessionLease.expires_at)
    )
    row = session().execute(statement).one_or_none()
    return None if row is None else Lease(row.epoch, row.expires_at)


def renew(session_id: UUID, *, holder: str, epoch: int) -> Lease | None:
    """Extend the lease of its holder, also after it expired, as long as nobody took it."""
    statement = (
        update(SessionLease)
        .where(SessionLease.session_id == session_id, SessionLease.holder == holder, SessionLease.epoch == epoch)
        .values(expires_at=func.now() + LEASE)
        .returning(SessionLease.epoch, SessionLease.expires_at)
    )
    row = session().execute(statement).one_or_none()
    return None if row is None else Lease(row.epoch, row.expires_at)


def has_session(session_id: UUID, node_id: UUID) -> bool:
    statement = select(SessionLease.session_id).where(
        SessionLease.session_id == session_id, SessionLease.node_id == node_id
    )
    return session().scalar(statement) is not None


def is_current(session_id: UUID, *, node_id: UUID, epoch: int) -> bool:
    """Whether that epoch is the present one; a takeover waits until this transaction ends."""
    statement = (
        select(SessionLease.epoch)
        .where(SessionLease.session_id == session_id, SessionLease.node_id == node_id, SessionLease.epoch == epoch)
        .with_for_update(read=True)
    )
    return session().scalar(statement) is not None


def pending_event(event_id: UUID) -> NodeEvent | None:
    """A pending event, locked; None when it is settled or somebody else is settling it."""
    statement = select(NodeEvent).where(NodeEvent.id == event_id, NodeEvent.state == "pending")
    return session().scalars(statement.with_for_update(skip_locked=True)).one_or_none()


def pending_events(limit: int) -> list[UUID]:
    """The oldest events that wait for the alarm desk."""
    statement = select(NodeEvent.id).where(NodeEvent.state == "pending").order_by(NodeEvent.id).limit(limit)
    return list(session().scalars(statement))


def pending_orders(node_id: UUID) -> list[Order]:
    """What the node still has to do, the newest first: a fresh alarm's clip does not wait behind old ones."""
    statement = select(NodeOrder).where(NodeOrder.node_id == node_id, NodeOrder.state == "pending")
    rows = session().scalars(statement.order_by(NodeOrder.id.desc()).limit(MAX_ORDERS))
    return [Order(row.id, row.kind, row.camera_id, row.from_at, row.to_at, row.params) for row in rows]


def order(order_id: UUID, *, node_id: UUID | None = None, lock: bool = False) -> NodeOrder | None:
    statement = select(NodeOrder).where(NodeOrder.id == order_id)
    if node_id is not None:
        statement = statement.where(NodeOrder.node_id == node_id)
    return session().scalars(statement.with_for_update() if lock else statement).one_or_none()


def views(nodes: Sequence[Node]) -> list[NodeView]:
    return [
        NodeView(
            node.id, node.name, node.client_id, node.version, node.state, node.last_seen_at, node.recorded_until,
            node.desired_version,
        )
        for node in nodes
    ]  # fmt: skip
