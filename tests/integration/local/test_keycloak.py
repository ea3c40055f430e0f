"""The embedded Keycloak, with the realm of the product."""

from __future__ import annotations

import pytest
import requests

pytestmark = [pytest.mark.keycloak, pytest.mark.slow("starts Keycloak once for the whole run")]


def test_realm_is_there_and_the_issuer_is_its_loopback_address(keycloak) -> None:
    known = requests.get(f"{keycloak['url']}/realms/{keycloak['realm']}/.well-known/openid-configuration", timeout=10)

    assert known.json()["issuer"] == f"{keycloak['url']}/realms/{keycloak['realm']}"
    assert keycloak["url"].startswith("http://127.0.0.1:")


def test_provision_client_signs_in_with_the_secret_of_this_machine(keycloak) -> None:
    def token(secret: str) -> requests.Response:
        address = f"{keycloak['url']}/realms/{keycloak['realm']}/protocol/openid-connect/token"
        grant = {"grant_type": "client_credentials", "client_id": "provision", "client_secret": secret}
        return requests.post(address, data=grant, timeout=10)

    assert token(keycloak["provision_client_secret"]).status_code == 200
    assert token("otra cosa").status_code == 401
