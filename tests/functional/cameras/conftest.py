"""The real application with a municipality's cameras and node, and its neighbour's beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from app.kernel import unit_of_work
from tests.support.client import Client, make_app, make_settings
from tests.support.nodes import Plugs, plugged
from tests.support.world import OURS, World, actor, configured


@dataclass
class Room:
    """The application, and callers of it."""

    app: Flask
    world: World
    plugs: Plugs

    def caller(self, tenant_id: int = OURS, *roles: str, **changes: object) -> Client:
        """Somebody signed in (a supervisor unless roles are given)."""
        return Client(self.app, actor(tenant_id, *roles, **changes))


@pytest.fixture
def room(database_urls: dict[str, str], tmp_path: Path) -> Iterator[Room]:
    with configured(database_urls) as world:
        app = make_app(make_settings(tmp_path, database_urls))
        built = unit_of_work.databases()
        unit_of_work.configure(world.databases, world.nudge)
        try:
            yield Room(app, world, plugged(tmp_path))
        finally:
            built.dispose()
