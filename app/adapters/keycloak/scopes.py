"""Client scopes of the realm: what each token says. A realm's own list replaces Keycloak's, so the ones used are all here."""

from __future__ import annotations

from typing import Any

_EVERYWHERE = {"id.token.claim": "true", "access.token.claim": "true", "introspection.token.claim": "true"}
_ACCESS = {"access.token.claim": "true", "introspection.token.claim": "true"}


def _mapper(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": kind,
        "consentRequired": False,
        "config": config,
    }


def _scope(name: str, *mappers: dict[str, Any], in_token: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": "openid-connect",
        "attributes": {"include.in.token.scope": str(in_token).lower(), "display.on.consent.screen": "false"},
        "protocolMappers": list(mappers),
    }


def _attribute(claim: str, attribute: str) -> dict[str, Any]:
    config = {**_EVERYWHERE, "user.attribute": attribute, "claim.name": claim, "jsonType.label": "String"}
    return _mapper(claim, "oidc-usermodel-attribute-mapper", config)


def _note(claim: str, note: str, kind: str) -> dict[str, Any]:
    config = {**_EVERYWHERE, "user.session.note": note, "claim.name": claim, "jsonType.label": kind}
    return _mapper(claim, "oidc-usersessionmodel-note-mapper", config)


def _roles(name: str, kind: str, claim: str, where: dict[str, str]) -> dict[str, Any]:
    config = {**where, "claim.name": claim, "jsonType.label": "String", "multivalued": "true"}
    return _mapper(name, kind, config)


def _organization() -> dict[str, Any]:
    membership = {
        **_EVERYWHERE,
        "claim.name": "organization",
        "jsonType.label": "JSON",
        "multivalued": "true",
        "addOrganizationId": "true",
        "addOrganizationAttributes": "false",
    }
    # With a jsonType.label here Keycloak drops the groups and their roles from the claim and says nothing.
    groups = {**_EVERYWHERE, "userinfo.token.claim": "false", "addGroupRoleMappings": "true"}
    return _scope(
        "organization",
        _mapper("organization", "oidc-organization-membership-mapper", membership),
        _mapper("organization-groups", "oidc-organization-group-membership-mapper", groups),
        in_token=True,
    )


def client_scopes(audience: str) -> list[dict[str, Any]]:
    """Every client scope of the realm; access tokens of people and programs are meant for the client `audience`."""
    to_audience = {**_ACCESS, "included.client.audience": audience}
    return [
        _scope("basic", _mapper("sub", "oidc-sub-mapper", dict(_ACCESS)), _note("auth_time", "AUTH_TIME", "long")),
        _scope("acr", _mapper("acr", "oidc-acr-mapper", dict(_EVERYWHERE))),
        _scope(
            "profile",
            _mapper("name", "oidc-full-name-mapper", dict(_EVERYWHERE)),
            _attribute("preferred_username", "username"),
            in_token=True,
        ),
        _scope("email", _attribute("email", "email"), in_token=True),
        _scope("roles", _roles("realm-roles", "oidc-usermodel-realm-role-mapper", "realm_access.roles", _EVERYWHERE)),
        _scope(
            "client-roles",
            _roles("client-roles", "oidc-usermodel-client-role-mapper", "resource_access.${client_id}.roles", _ACCESS),
        ),
        _scope("service_account", _note("client_id", "client_id", "String")),
        _organization(),
        _scope("aud-api", _mapper("aud-api", "oidc-audience-mapper", to_audience)),
    ]
