"""Facts about the realm definition that nobody sees failing until it is too late."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.adapters.keycloak.realm import DEMONSTRATION, municipal_roles, provincial_roles, realm_definition
from app.kernel.permissions import ROLES
from app.settings import DatabaseUrls, Settings

HOME = Path("/tmp/pipc")


@pytest.fixture
def settings() -> Settings:
    return Settings(
        base_url="https://pipc.example",
        home=HOME,
        databases=DatabaseUrls(),
        redis_url="",
        objects_dir=HOME,
        keycloak_url="https://identidad.example",
        oidc_client_secret="web",
        provision_client_secret="provision",
        enrol_client_secret="alta",
    )


def clients(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {client["clientId"]: client for client in definition["clients"]}


def test_only_a_demonstration_trades_passwords_for_tokens(settings: Settings) -> None:
    real, demonstration = (realm_definition(settings, demonstration=wanted) for wanted in (False, True))

    assert not [name for name, client in clients(real).items() if client["directAccessGrantsEnabled"]]
    assert [name for name, client in clients(demonstration).items() if client["directAccessGrantsEnabled"]] == [
        DEMONSTRATION
    ]
    assert clients(real)["admin-cli"]["enabled"] is False


def test_the_web_client_uses_code_with_pkce_to_one_address(settings: Settings) -> None:
    web = clients(realm_definition(settings, demonstration=False))["operacion-web"]

    assert web["standardFlowEnabled"]
    assert not web["implicitFlowEnabled"]
    assert web["attributes"]["pkce.code.challenge.method"] == "S256"
    assert web["redirectUris"] == ["https://pipc.example/auth/callback"]
    assert web["attributes"]["backchannel.logout.url"] == "https://pipc.example/auth/backchannel-logout"


def test_the_group_mapper_carries_no_json_label(settings: Settings) -> None:
    scopes = {scope["name"]: scope for scope in realm_definition(settings, demonstration=False)["clientScopes"]}
    mappers = {mapper["protocolMapper"]: mapper["config"] for mapper in scopes["organization"]["protocolMappers"]}

    assert set(mappers) == {"oidc-organization-membership-mapper", "oidc-organization-group-membership-mapper"}
    assert "jsonType.label" not in mappers["oidc-organization-group-membership-mapper"]
    assert mappers["oidc-organization-membership-mapper"]["addOrganizationId"] == "true"


def test_every_scope_a_client_names_is_defined(settings: Settings) -> None:
    definition = realm_definition(settings, demonstration=True)
    known = {scope["name"] for scope in definition["clientScopes"]}

    for client in definition["clients"]:
        assert known.issuperset(client["defaultClientScopes"] + client["optionalClientScopes"]), client["clientId"]


def test_every_flow_and_configuration_that_is_named_is_defined(settings: Settings) -> None:
    definition = realm_definition(settings, demonstration=False)
    flows = {flow["alias"]: flow for flow in definition["authenticationFlows"]}
    configs = {config["alias"] for config in definition["authenticatorConfig"]}
    steps = [step for flow in flows.values() for step in flow["authenticationExecutions"]]

    assert {step["flowAlias"] for step in steps if step["authenticatorFlow"]} <= flows.keys()
    assert {step["authenticatorConfig"] for step in steps if "authenticatorConfig" in step} == configs
    for key in ("browserFlow", "directGrantFlow", "clientAuthenticationFlow"):
        assert flows[definition[key]]["topLevel"]


def test_administration_accounts_hold_only_what_they_need(settings: Settings) -> None:
    accounts = {
        user["serviceAccountClientId"]: user for user in realm_definition(settings, demonstration=False)["users"]
    }

    assert accounts["provision"]["clientRoles"] == {
        "realm-management": ["manage-organizations", "manage-users", "view-clients"]
    }
    assert accounts["alta-nodos"]["clientRoles"] == {"realm-management": ["manage-clients"]}


def test_every_role_of_the_table_is_in_the_realm(settings: Settings) -> None:
    roles = realm_definition(settings, demonstration=False)["roles"]

    assert {role["name"] for role in roles["client"]["api"]} == set(municipal_roles())
    assert {role["name"] for role in roles["realm"]} == set(provincial_roles())
    assert set(municipal_roles()) | set(provincial_roles()) == set(ROLES)


def test_the_definition_is_plain_json(settings: Settings) -> None:
    definition = realm_definition(settings, demonstration=True)

    assert json.loads(json.dumps(definition)) == definition


def test_only_a_server_that_has_the_list_is_told_to_use_it(settings: Settings) -> None:
    ours, theirs = (realm_definition(settings, demonstration=False, blocked_list=has) for has in (True, False))

    assert ours["passwordPolicy"] == f"{theirs['passwordPolicy']} and passwordBlacklist(blocked-passwords.txt)"
    assert theirs["passwordPolicy"].startswith("length(12) and maxLength(128)")
