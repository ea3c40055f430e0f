"""What the inventory tells the areas above it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CameraChanged:
    """Something a node must know changed in a camera of that node."""

    camera_id: UUID
    node_id: UUID | None


@dataclass(frozen=True, slots=True)
class CameraStateChanged:
    """A camera went to another state, as its node saw it."""

    camera_id: UUID
    state: str
    error_code: str | None
