"""Refusals of the camera inventory."""

from __future__ import annotations

from app.kernel.errors import Conflict, NotFound


class CameraNotFound(NotFound):
    title = "Esa cámara no existe"


class CodeTaken(Conflict):
    code = "camera-code-taken"
    title = "Ya hay una cámara con ese código"


class Decommissioned(Conflict):
    code = "camera-decommissioned"
    title = "La cámara está dada de baja"


class NoNode(Conflict):
    code = "no-node"
    title = "El municipio todavía no tiene un nodo"


class NotWatchable(Conflict):
    code = "not-watchable"
    title = "Esta cámara no tiene video en vivo"


class ReasonRequired(Conflict):
    code = "reason-required"
    title = "Esta cámara pide un motivo para ver"


class ViewNotFound(NotFound):
    title = "Esa visualización ya terminó"
