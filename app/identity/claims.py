"""Reads municipality and roles from a verified token. Pure: only the exact shape expected is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.kernel.permissions import ROLES
from app.kernel.ports import TokenRefused

API = "api"

Claims = Mapping[str, Any]


def organization_roles(claims: Claims, *, alias: str, organization_id: str) -> tuple[str, ...]:
    """The municipal roles inside the only organization of the token, which must be exactly the one expected.

    Raises `TokenRefused` for a missing claim, another organization, several, a list, or another id under the same name.
    """
    content = _only_organization(claims)
    if set(content) != {alias}:
        raise TokenRefused("another-organization")
    organization = content[alias]
    if not isinstance(organization, Mapping) or not organization_id or organization.get("id") != organization_id:
        raise TokenRefused("another-organization-id")
    access = organization.get("resource_access", {})
    granted = access.get(API, {}) if isinstance(access, Mapping) else {}
    return _known(granted.get("roles") if isinstance(granted, Mapping) else None, kind="municipal")


def organization_alias(claims: Claims) -> str:
    """The alias of the only organization of a token, or empty when it has none. Raises `TokenRefused` for several."""
    if "organization" not in claims:
        return ""
    (alias,) = _only_organization(claims)
    return str(alias)


def provincial_roles(claims: Claims) -> tuple[str, ...]:
    """The Province's roles of a token: read only where no municipality is involved."""
    access = claims.get("realm_access", {})
    return _known(access.get("roles") if isinstance(access, Mapping) else None, kind="provincial")


def _only_organization(claims: Claims) -> Mapping[str, Any]:
    content = claims.get("organization")
    if content is None:
        raise TokenRefused("no-organization")
    if not isinstance(content, Mapping) or len(content) != 1:
        raise TokenRefused("several-organizations")
    return content


def _known(names: object, *, kind: str) -> tuple[str, ...]:
    """The names that are roles of that kind, in the order of the role table."""
    offered = set(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else set()
    return tuple(code for code, role in ROLES.items() if code in offered and role.kind == kind)
