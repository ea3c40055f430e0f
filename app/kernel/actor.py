"""Who is acting: bound once at the edge, read by services, tenancy and audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.kernel.errors import Forbidden
from app.kernel.permissions import Permission

Kind = Literal["municipal", "provincial", "node", "service", "system", "anonymous"]


class TenantContextMissing(RuntimeError):
    """A transaction was asked for without anybody acting: there is no default tenant."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, node, service or system part, with the municipality it acts for and what it may do.

    `tenant_id` is None only for tenantless system parts (clock, sign-in, push); the province itself is tenant 0.
    """

    kind: Kind
    tenant_id: int | None
    user_id: str
    permissions: frozenset[Permission] = frozenset()
    tenant_slug: str = ""
    tenant_name: str = ""
    display_name: str = ""
    person_id: UUID | None = None
    roles: tuple[str, ...] = ()
    session_id: str = ""
    node_id: UUID | None = None
    purpose: str = ""
    acr: str = ""
    elevated_until: datetime | None = None
    is_demo: bool = False
    preferences: dict[str, str] = field(default_factory=dict, hash=False, compare=False)

    def can(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Refuse (403) unless the actor holds `permission`: the first line of every use case."""
        if permission not in self.permissions:
            raise Forbidden(code_permission=permission.value)


def system_actor(name: str, *, tenant_id: int | None = None) -> Actor:
    """A part of the product acting by itself; `name` is what the audit shows (`sistema:clock`)."""
    return Actor(kind="system", tenant_id=tenant_id, user_id=f"sistema:{name}", display_name="Sistema")


_current: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current() -> Actor:
    """The acting one. Raises `TenantContextMissing` when nobody is."""
    actor = _current.get()
    if actor is None:
        raise TenantContextMissing("no hay actor en este contexto")
    return actor


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Bind `actor` for the duration of the block."""
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)
