"""Clients of the municipal nodes: each signs with its own key and belongs to the organization of its municipality."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.adapters.keycloak.admin import AdminApi
from app.adapters.keycloak.organizations import Organizations
from app.adapters.keycloak.people import join

PREFIX = "nodo-"
GROUP = "nodo"
ALGORITHM = "ES256"
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


class Nodes:
    """Enrolment. `enrol` may manage clients and nothing else, `provision` organizations and accounts."""

    def __init__(self, enrol: AdminApi, provision: AdminApi, organizations: Organizations) -> None:
        self._enrol = enrol
        self._provision = provision
        self._organizations = organizations

    def add(self, *, client_id: str, name: str, organization: str, public_jwk: Mapping[str, Any]) -> None:
        """Make the client and its membership be as given. Raises `ValueError` for another name or a private key."""
        if not client_id.startswith(PREFIX):
            raise ValueError(f"el cliente de un nodo se llama {PREFIX}…")
        if _PRIVATE_MEMBERS & public_jwk.keys():
            raise ValueError("la clave privada de un nodo no sale del nodo")
        wanted = _representation(client_id, name, public_jwk)
        found = self._enrol.get("/clients", clientId=client_id)
        if not found:
            self._enrol.post("/clients", wanted)
        elif _differs(found[0], wanted):
            self._enrol.put(f"/clients/{found[0]['id']}", {**found[0], **wanted})
        internal_id = self._enrol.get("/clients", clientId=client_id)[0]["id"]
        account = self._enrol.get(f"/clients/{internal_id}/service-account-user")
        join(self._provision, self._organizations, account["id"], organization, GROUP)

    def remove(self, client_id: str) -> None:
        """Delete the client and with it its account; nothing happens when it is gone already."""
        if not client_id.startswith(PREFIX):
            raise ValueError(f"el cliente de un nodo se llama {PREFIX}…")
        for found in self._enrol.get("/clients", clientId=client_id):
            self._enrol.delete(f"/clients/{found['id']}")


def _representation(client_id: str, name: str, public_jwk: Mapping[str, Any]) -> dict[str, Any]:
    key = {**public_jwk, "use": "sig", "alg": ALGORITHM}
    return {
        "clientId": client_id,
        "name": name,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "standardFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": True,
        "fullScopeAllowed": False,
        "clientAuthenticatorType": "client-jwt",
        "attributes": {
            "use.jwks.string": "true",
            "jwks.string": json.dumps({"keys": [key]}, sort_keys=True),
            "token.endpoint.auth.signing.alg": ALGORITHM,
        },
        "defaultClientScopes": ["basic", "service_account", "aud-api"],
        "optionalClientScopes": ["organization"],
    }


def _differs(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    lists = {"defaultClientScopes", "optionalClientScopes"}
    plain = wanted.keys() - lists - {"attributes"}
    return (
        any(found.get(field) != wanted[field] for field in plain)
        or any(set(found.get(field, ())) != set(wanted[field]) for field in lists)
        or any(found.get("attributes", {}).get(name) != value for name, value in wanted["attributes"].items())
    )
