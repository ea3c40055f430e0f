"""What the identity server must hold for each municipality, told from its row. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from app.kernel.permissions import ROLES
from app.kernel.ports import OrganizationSpec
from tenants.core.service import Tenant


def spec_of(tenant: Tenant) -> OrganizationSpec:
    """The organization of a municipality; only an active one lets people in."""
    return OrganizationSpec(
        alias=tenant.kc_alias or f"muni-{tenant.code}",
        name=tenant.name,
        code=tenant.code,
        section=tenant.section,
        enabled=tenant.is_active,
    )


def state_hash(tenant: Tenant) -> str:
    """A digest of everything reconciled: it changes when there is something to put right."""
    roles = sorted(role.code for role in ROLES.values() if role.kind == "municipal")
    desired = json.dumps([asdict(spec_of(tenant)), roles], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(desired.encode()).hexdigest()
