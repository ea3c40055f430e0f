"""The real application for the Dirección: same fixture as the room."""

from __future__ import annotations

from tests.functional.room.conftest import room

__all__ = ["room"]
