"""Refusals that nodes understand."""

from __future__ import annotations

from app.kernel.errors import Conflict, NotFound


class NodeNotFound(NotFound):
    title = "Ese nodo no existe"


class SessionNotFound(NotFound):
    title = "Esa sesión de análisis no existe"


class StaleEpoch(Conflict):
    """Somebody else holds the session now: the sender stops it and throws nothing else away."""

    code = "stale_epoch"
    title = "Otro proceso tomó esta sesión"


class LeaseHeld(Conflict):
    code = "lease_held"
    title = "Otro proceso está analizando esta sesión"


class NodeTaken(Conflict):
    code = "node-taken"
    title = "Ese nodo ya está dado de alta"
