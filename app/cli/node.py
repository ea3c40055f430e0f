"""Enrols the municipal node of this machine: makes its keys, registers it, and leaves the identity file the daemon reads."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc.jwk import ECKey

from app.cli.local.home import write_whole
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.kernel.ports import identity_admin
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.nodes import service as nodes
from app.monitoring.nodes.types import Enrolment, NodeView
from app.settings import Settings
from tenants.core import service as municipalities
from tenants.core.service import Tenant


@dataclass(frozen=True, slots=True)
class Keys:
    """What a node keeps for itself: who it is, the key it signs in with and the key credentials are sealed to."""

    node_id: UUID
    signing: ECKey
    sealing: X25519PrivateKey

    @property
    def public_jwk(self) -> dict[str, Any]:
        return {**self.signing.as_dict(private=False), "kid": self.signing.thumbprint()}

    @property
    def seal_public_key(self) -> bytes:
        return self.sealing.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def identities_folder(home: Path) -> Path:
    """Where the daemon of this machine looks for its identities."""
    return Path(os.environ.get("PIPC_NODE_IDENTITIES") or home / "node" / "identities")


def operator_of(tenant: Tenant, *, name: str = "línea de órdenes") -> Actor:
    """Whoever may run commands on this machine, acting for a municipality."""
    return Actor(
        kind="system", tenant_id=tenant.id, tenant_slug=tenant.slug, tenant_name=tenant.name,
        user_id="sistema:pipc", display_name=name, permissions=frozenset(Permission), is_demo=tenant.is_demo,
    )  # fmt: skip


def enrol_node(settings: Settings, home: Path, slug: str) -> NodeView:
    """The node of this machine for a municipality, made the first time. Every step may be repeated after a cut.

    The identity file comes last: until it is there the daemon does not know the municipality.
    """
    tenant = municipalities.by_slug(slug)
    folder = identities_folder(home)
    keys = _keys(folder / "keys" / slug)
    client_id = f"nodo-{tenant.code}-1"
    alias = tenant.kc_alias or f"muni-{tenant.code}"
    identity_admin().enrol_node(
        client_id=client_id, name=f"Nodo de {tenant.name}", organization=alias, public_jwk=keys.public_jwk
    )
    actor = operator_of(tenant)
    enrolment = Enrolment(
        keys.node_id, f"Nodo de {tenant.name}", client_id, keys.seal_public_key, keys.signing.thumbprint()
    )
    with unit_of_work(actor):
        view = nodes.enrol_node(actor, enrolment=enrolment)
    identity = {
        "tenant_uuid": str(tenant.uuid), "tenant_slug": slug, "node_id": str(keys.node_id), "client_id": client_id,
        "token_url": f"{settings.issuer}/protocol/openid-connect/token", "issuer": settings.issuer,
        "scope": f"organization:{alias}", "private_jwk": f"keys/{slug}/private.jwk", "seal_key": f"keys/{slug}/seal.key",
    }  # fmt: skip
    _keep(folder / f"{slug}.json", json.dumps(identity, indent=1, ensure_ascii=False) + "\n")
    return view


def is_enrolled(settings: Settings, slug: str) -> bool:
    """Whether this machine already has an identity for the municipality that names the present identity server."""
    try:
        identity = json.loads((identities_folder(settings.home) / f"{slug}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(identity.get("issuer") == settings.issuer)


def _keys(folder: Path) -> Keys:
    """The keys kept in this folder, made the first time and never overwritten."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = ECKey.generate_key("P-256")
    jwk = {**made.as_dict(private=True), "kid": made.thumbprint()}
    private = _once(folder / "private.jwk", json.dumps(jwk))
    raw = X25519PrivateKey.generate().private_bytes_raw()
    seal = _once(folder / "seal.key", base64.b64encode(raw).decode("ascii"))
    node_id = _once(folder / "node-id", str(new_id()))
    return Keys(
        UUID(node_id.strip()), ECKey.import_key(json.loads(private)),
        X25519PrivateKey.from_private_bytes(base64.b64decode(seal)),
    )  # fmt: skip


def _once(path: Path, text: str) -> str:
    if not path.exists():
        write_whole(path, text, exclusive=True)
    return path.read_text(encoding="utf-8")


def _keep(path: Path, text: str) -> None:
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except FileNotFoundError:
        pass
    write_whole(path, text)
