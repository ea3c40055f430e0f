"""Who the municipalities are: the directory that sign-in, workers and the Dirección resolve names with."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel.actor import acting_as, system_actor
from app.kernel.db import session
from app.kernel.errors import NotFound
from app.kernel.unit_of_work import databases, unit_of_work
from tenants.core.models import PROVINCE_ID, Municipality

CACHED_S = 30.0


@dataclass(frozen=True, slots=True)
class Tenant:
    """What the rest of the product may know of a municipality."""

    id: int
    uuid: UUID
    kind: str
    slug: str
    code: str
    name: str
    kc_alias: str | None
    kc_org_id: str | None
    kc_state_hash: str | None
    state: str
    section: int | None
    head_town: str | None
    lat: float | None
    lon: float | None
    population: int | None
    is_demo: bool
    accent: str | None
    version: int

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    @property
    def is_province(self) -> bool:
        return self.id == PROVINCE_ID


_FIELDS = tuple(Tenant.__dataclass_fields__)


def _tenant(row: Municipality) -> Tenant:
    return Tenant(**{name: getattr(row, name) for name in _FIELDS})


class _Cache:
    rows: tuple[Tenant, ...] = ()
    read_at = float("-inf")
    lock = threading.Lock()


def directory() -> tuple[Tenant, ...]:
    """All tenants by name, the Province first; at most `CACHED_S` seconds old. Needs the sign-in role's URL."""
    with _Cache.lock:
        if time.monotonic() - _Cache.read_at > CACHED_S:
            _Cache.rows = _read_directory()
            _Cache.read_at = time.monotonic()
        return _Cache.rows


def forget() -> None:
    """Read the directory again at the next question (after a change in this process)."""
    _Cache.read_at = float("-inf")


def _read_directory() -> tuple[Tenant, ...]:
    with acting_as(system_actor("directory")):
        reader = databases().new_session("auth")
        try:
            rows = [_tenant(row) for row in reader.scalars(select(Municipality))]
        finally:
            reader.close()
    return tuple(sorted(rows, key=lambda row: (not row.is_province, row.name)))


def by_slug(slug: str) -> Tenant:
    """The tenant of a URL, whatever its state. Raises `NotFound`."""
    return _first("slug", slug)


def by_id(tenant_id: int) -> Tenant:
    """The tenant of a row. Raises `NotFound`."""
    return _first("id", tenant_id)


def _first(field: str, value: object) -> Tenant:
    for tenant in directory():
        if getattr(tenant, field) == value:
            return tenant
    raise NotFound("No hay un municipio con ese nombre.")


def own() -> Tenant:
    """The acting municipality, read inside the open unit: the way of processes without the sign-in role."""
    row = session().scalars(select(Municipality)).one_or_none()
    if row is None:
        raise NotFound("El municipio no existe.")
    return _tenant(row)


def link_organization(tenant_id: int, *, organization_id: str, state_hash: str) -> None:
    """Record what the identity server knows of a municipality, in a unit of its own acting for that municipality."""
    with unit_of_work(system_actor("identity", tenant_id=tenant_id)):
        row = session().scalars(select(Municipality)).one()
        row.kc_org_id = organization_id
        row.kc_state_hash = state_hash
    forget()
