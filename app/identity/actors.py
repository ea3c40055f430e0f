"""Turns sessions and tokens into the actor that everything else reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.identity import claims, doors
from app.identity.deadlines import ELEVATION
from app.identity.types import Identity, Session, SessionKind, instant, person_id_of
from app.kernel.actor import Actor, Kind
from app.kernel.permissions import permissions_of
from app.kernel.ports import TokenRefused
from tenants.core.service import Tenant

NODE_ROLE = "nodo"


def of_session(session: Session, tenant: Tenant) -> Actor:
    """The person of a session."""
    return Actor(
        kind=session.kind,
        tenant_id=tenant.id,
        user_id=session.username,
        permissions=session.permissions,
        tenant_slug=tenant.slug,
        tenant_name=tenant.name,
        display_name=session.display_name,
        person_id=session.person_id,
        roles=session.roles,
        session_id=session.key.hex(),
        acr=session.acr,
        elevated_until=session.elevated_until,
        is_demo=tenant.is_demo,
        preferences=dict(session.data.get("preferences", {})),
    )


def entering(identity: Identity, tenant: Tenant, roles: tuple[str, ...]) -> Actor:
    """Somebody who is being let in and has no session yet."""
    kind: SessionKind = doors.kind_of(tenant)
    return Actor(
        kind=kind,
        tenant_id=tenant.id,
        user_id=identity.username,
        permissions=permissions_of(roles, kind=kind),
        tenant_slug=tenant.slug,
        tenant_name=tenant.name,
        display_name=identity.display_name,
        person_id=person_id_of(identity.subject),
        roles=roles,
        acr=identity.acr,
        is_demo=tenant.is_demo,
    )


def of_token(token: Mapping[str, Any]) -> Actor:
    """The holder of a verified access token. Raises `TokenRefused` when it gives no role anywhere."""
    alias = claims.organization_alias(token)
    tenant = doors.by_alias(alias) if alias else doors.province()
    roles = doors.roles_of(tenant, token)
    if not roles:
        raise TokenRefused("no-role")
    identity = Identity.of(token)
    program = str(token.get("client_id", ""))
    kind = _kind(tenant, program, roles)
    return Actor(
        kind=kind,
        tenant_id=tenant.id,
        user_id=program or identity.username,
        permissions=permissions_of(roles, kind=doors.kind_of(tenant)),
        tenant_slug=tenant.slug,
        tenant_name=tenant.name,
        display_name=program or identity.display_name,
        person_id=None if program else person_id_of(identity.subject),
        roles=roles,
        acr=identity.acr,
        elevated_until=_elevated_until(token),
        is_demo=tenant.is_demo,
    )


def _kind(tenant: Tenant, program: str, roles: tuple[str, ...]) -> Kind:
    """A client with an account of its own is a node when its only role says so, otherwise a service."""
    if program:
        return "node" if roles == (NODE_ROLE,) else "service"
    return doors.kind_of(tenant)


def _elevated_until(token: Mapping[str, Any]) -> datetime | None:
    at = instant(token.get("auth_time"))
    return at + ELEVATION if at is not None and token.get("acr") == "2" else None
