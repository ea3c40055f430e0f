"""The embedded Keycloak, with the realm of the product."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests

from app.cli.local.environment import ROOT
from app.cli.local.installation import Installation

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


def test_realm_is_made_on_a_server_of_somebody_else_and_then_left_alone(keycloak, engines, tmp_path) -> None:
    env = {
        "PIPC_HOME": str(tmp_path), "HOME": str(tmp_path), "PATH": os.environ["PATH"], "PIPC_REALM": f"ajeno-{engines.worker}",
        "KEYCLOAK_URL": keycloak["url"], "KEYCLOAK_ADMIN_CLIENT_ID": keycloak["bootstrap_client_id"],
        "KEYCLOAK_ADMIN_CLIENT_SECRET": keycloak["bootstrap_client_secret"],
    }  # fmt: skip
    here = Installation.of(env)
    here.keep_secrets()
    command = [sys.executable, "-m", "app.cli.local.realm"]

    said = [
        subprocess.run(command, cwd=ROOT, env=here.realm_environment(), capture_output=True, text=True)
        for _ in range(2)
    ]

    assert [one.stdout for one in said] == ["El reino quedó creado.\n", "El reino ya estaba.\n"], said[0].stderr
    assert requests.get(f"{keycloak['url']}/realms/ajeno-{engines.worker}", timeout=10).status_code == 200


def test_realm_is_not_touched_without_its_administrator(tmp_path) -> None:
    here = Installation.of({"PIPC_HOME": str(tmp_path), "HOME": str(tmp_path), "KEYCLOAK_URL": "https://id.example"})

    assert here.realm_environment() is None
