"""Each municipality's door: what is asked of the identity server there, and who a token lets in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.identity import claims
from app.identity.errors import MunicipalityBeingPrepared
from app.identity.types import SessionKind
from app.kernel.ports import TokenRefused
from tenants.core import service as tenants
from tenants.core.models import PROVINCE_ID
from tenants.core.service import Tenant


def province() -> Tenant:
    """The Province's own row."""
    return tenants.by_id(PROVINCE_ID)


def kind_of(tenant: Tenant) -> SessionKind:
    return "provincial" if tenant.is_province else "municipal"


def scope_of(tenant: Tenant) -> str:
    """What to ask for: always exactly one organization, or none at the Province's door."""
    return "openid" if tenant.is_province else f"openid organization:{tenant.kc_alias}"


def roles_of(tenant: Tenant, token: Mapping[str, Any]) -> tuple[str, ...]:
    """The roles a verified token gives at that door. Raises `TokenRefused` when it is not for this municipality."""
    if tenant.is_province:
        return claims.provincial_roles(token)
    return claims.organization_roles(token, alias=tenant.kc_alias or "", organization_id=tenant.kc_org_id or "")


def ready(tenant: Tenant) -> Tenant:
    """The tenant with its organization known. Raises `MunicipalityBeingPrepared`."""
    if tenant.is_province or tenant.kc_org_id:
        return tenant
    tenants.forget()
    again = tenants.by_id(tenant.id)
    if not again.kc_org_id:
        raise MunicipalityBeingPrepared(
            "Su lugar en el servicio de identidad se crea en unos minutos. Volver a intentar."
        )
    return again


def by_alias(alias: str) -> Tenant:
    """The active municipality of a token. Raises `TokenRefused`."""
    for tenant in tenants.directory():
        if tenant.kc_alias == alias and not tenant.is_province:
            found = ready(tenant)
            if found.is_active:
                return found
    raise TokenRefused("another-organization")
