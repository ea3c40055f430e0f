"""Who this node is for each municipality: one file per identity, read again whenever the folder changes."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """One municipality's service account and keys. Keys stay in their files until they are used."""

    tenant: UUID
    slug: str
    node_id: UUID
    client_id: str
    token_url: str
    issuer: str
    scope: str
    private_jwk: Path
    seal_key: Path


def load_identities(folder: Path) -> dict[UUID, Identity]:
    """Every readable identity of the folder; a broken file is named in the log and the others work."""
    found: dict[UUID, Identity] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            identity = read_identity(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("identity file %s is not usable: %s", path.name, type(error).__name__)
            continue
        found[identity.tenant] = identity
    return found


def read_identity(path: Path) -> Identity:
    """Raises `OSError`, `ValueError` or `KeyError` when the file is not an identity."""
    row = json.loads(path.read_text(encoding="utf-8"))
    return Identity(
        tenant=UUID(row["tenant_uuid"]), slug=str(row["tenant_slug"]), node_id=UUID(row["node_id"]),
        client_id=str(row["client_id"]), token_url=str(row["token_url"]), issuer=str(row.get("issuer", "")),
        scope=str(row["scope"]), private_jwk=path.parent / row["private_jwk"], seal_key=path.parent / row["seal_key"],
    )  # fmt: skip
