"""The real application on a clean database, with people of two municipalities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.kernel import unit_of_work
from tenants.core import service as tenants
from tests.support.client import Client, make_app, make_settings
from tests.support.world import OURS, World, actor, configured


@dataclass
class Room:
    """The application, its database, and callers by role and municipality."""

    app: Flask
    world: World

    def client(self, role: str = "operador-municipal", tenant: int = OURS, user: str = "", **changes: Any) -> Client:
        return Client(self.app, actor(tenant, role, user=user or f"{role}-{tenant}", tenant_name="Laprida", **changes))


@pytest.fixture
def room(database_urls: dict[str, str], tmp_path: Path) -> Iterator[Room]:
    with configured(database_urls) as world:
        app = make_app(make_settings(tmp_path, database_urls))
        tenants.forget()
        yield Room(app, world)
        unit_of_work.databases().dispose()
