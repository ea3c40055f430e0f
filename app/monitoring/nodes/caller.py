"""Which node is speaking: the one whose client signed the token, in the token's own municipality."""

from __future__ import annotations

from app.kernel.actor import Actor
from app.kernel.permissions import Permission
from app.monitoring.nodes import queries
from app.monitoring.nodes.errors import NodeNotFound
from app.monitoring.nodes.models import Node


def own_node(actor: Actor, *, lock: bool = False) -> Node:
    """The calling node. Raises `NodeNotFound` for clients that are not nodes of this municipality."""
    actor.require(Permission.NODE_REPORT)
    node = queries.node_of_client(actor.user_id, lock=lock)
    if node is None:
        raise NodeNotFound(f"El cliente {actor.user_id} no es un nodo dado de alta en este municipio.")
    return node
