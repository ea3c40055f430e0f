"""Municipalities for a test: a configured process, two look-alike tenants and actors for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from app.kernel import unit_of_work
from app.kernel.actor import Actor
from app.kernel.db import Databases
from app.kernel.permissions import permissions_of
from app.settings import DatabaseUrls
from tenants.core import seed, service

# The second is the twin of every isolation test: its data look alike and must never be seen.
OURS, THEIRS, PROVINCE = 448, 833, 0
ACTIVE = ("laprida", "tres-arroyos", "general-pueyrredon", "azul")


@dataclass
class Channel:
    """A nudge that remembers what it was given; `broken` makes it fail."""

    sent: list[tuple[str, bytes]] = field(default_factory=list)
    broken: bool = False

    def publish(self, channel: str, message: bytes) -> None:
        if self.broken:
            raise ConnectionError("redis")
        self.sent.append((channel, message))


@dataclass
class World:
    """The process under test."""

    urls: dict[str, str]
    databases: Databases
    nudge: Channel

    def admin(self) -> psycopg.Connection[Any]:
        """A connection that bypasses every policy, in autocommit mode."""
        return psycopg.connect(self.urls["admin"], autocommit=True)


def database_urls_of(urls: dict[str, str]) -> DatabaseUrls:
    """The settings' shape of the fixture's URLs."""
    return DatabaseUrls(**{role: urls[role] for role in DatabaseUrls.__dataclass_fields__})


@contextmanager
def configured(urls: dict[str, str], *, default_role: str = "rw") -> Iterator[World]:
    """A process configured on this database, whose directory the migrations filled."""
    seed.activate(urls["migrate"], ACTIVE, demonstration=True)
    engines = Databases(database_urls_of(urls), default_role=default_role)
    nudge = Channel()
    unit_of_work.configure(engines, nudge)
    service.forget()
    try:
        yield World(urls, engines, nudge)
    finally:
        engines.dispose()
        service.forget()


def actor(tenant_id: int = OURS, *roles: str, user: str = "persona-1", **changes: Any) -> Actor:
    """Somebody of a municipality (a supervisor unless roles are given)."""
    kind = changes.pop("kind", "provincial" if tenant_id == PROVINCE else "municipal")
    held = roles or (("direccion-admin",) if kind == "provincial" else ("supervisor",))
    return Actor(
        kind=kind, tenant_id=tenant_id, user_id=user, display_name=changes.pop("display_name", "Ana Pérez"),
        roles=held, permissions=permissions_of(held, kind=kind), **changes,
    )  # fmt: skip
