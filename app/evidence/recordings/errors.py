"""Refusals about recordings."""

from __future__ import annotations

from app.kernel.errors import NotFound


class ClipNotFound(NotFound):
    title = "Ese clip no existe"


class ClipWaiting(NotFound):
    code = "clip-waiting"
    title = "El clip todavía se está cortando"


class ImageNotFound(NotFound):
    title = "Esa imagen no está guardada"
