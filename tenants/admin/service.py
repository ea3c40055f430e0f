"""What the Dirección does: look at every municipality with a motive, and bring one in."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from app.audit import service as audit
from app.identity import service as identity
from app.kernel import clock, jobs
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import all_tenants, unit_of_work
from tenants.admin import queries
from tenants.admin.types import Counts, Overview, Summary
from tenants.core import service as tenants
from tenants.core.models import Municipality
from tenants.core.service import Tenant

BOARD_PURPOSE = "Tablero provincial: estado agregado de los municipios"
MIN_REASON = 10
MAX_REASON = 500


class AlreadyActive(Conflict):
    """The municipality is already in."""

    code = "municipality-active"
    title = "El municipio ya está incorporado"


def overview(actor: Actor, *, purpose: str = BOARD_PURPOSE) -> Overview:
    """Every municipality with its counts. The reading is recorded with its purpose before the first row."""
    actor.require(Permission.PROVINCE_BOARD_READ)
    now = clock.now()
    with all_tenants(actor, purpose) as reader:
        counts = queries.counts(reader, now)
        by_hour = queries.alarms_by_hour(reader, now)
        take = queries.take_p90(reader, now)
    municipalities = [_summary(tenant, counts) for tenant in tenants.directory() if not tenant.is_province]
    return Overview(now, municipalities, by_hour, take)


def get_municipality(actor: Actor, *, slug: str) -> Summary:
    """One municipality with its counts. Raises `NotFound`."""
    actor.require(Permission.PROVINCE_BOARD_READ)
    tenant = _municipality(slug)
    with all_tenants(actor, f"Ficha de {tenant.name}: estado agregado") as reader:
        return _summary(tenant, queries.counts(reader, clock.now()))


def inactive(actor: Actor) -> list[Tenant]:
    """The municipalities that may be brought in."""
    actor.require(Permission.PROVINCE_MUNICIPALITY_ADMIN)
    return [tenant for tenant in tenants.directory() if not tenant.is_province and not tenant.is_active]


def activate(actor: Actor, *, slug: str, reason: str) -> Tenant:
    """Bring a municipality in: its door opens and its organization is put right by a job.

    Opens its own units, first inside the municipality and then in the Province, so that both chains say who did it and why.
    """
    actor.require(Permission.PROVINCE_MUNICIPALITY_ADMIN)
    words = " ".join(reason.split())
    if not MIN_REASON <= len(words) <= MAX_REASON:
        raise Invalid(errors={"motivo": [f"Escribir el motivo, entre {MIN_REASON} y {MAX_REASON} caracteres."]})
    tenant = _municipality(slug)
    inside = replace(actor, tenant_id=tenant.id, tenant_slug=tenant.slug, tenant_name=tenant.name, purpose=words)
    with unit_of_work(inside):
        row = session().scalars(select(Municipality).with_for_update()).one()
        if row.state == "active":
            raise AlreadyActive(f"{tenant.name} ya está activo.")
        before, row.state = row.state, "active"
        row.version += 1
        jobs.after_commit(identity.RECONCILE, dedupe="organization")
        audit.record("province:tenant:activate", f"municipio:{slug}", motivo=words, antes=before)
    with unit_of_work(actor):
        audit.record("province:tenant:activate", f"municipio:{slug}", motivo=words)
    tenants.forget()
    return tenants.by_slug(slug)


def _municipality(slug: str) -> Tenant:
    tenant = tenants.by_slug(slug)
    if tenant.is_province:
        raise NotFound("No hay un municipio con ese nombre.")
    return tenant


def _summary(tenant: Tenant, counts: dict[int, Counts]) -> Summary:
    return Summary(tenant, counts.get(tenant.id, Counts()), identity.is_reconciled(tenant))
