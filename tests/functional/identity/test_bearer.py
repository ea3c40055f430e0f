"""Bearer tokens: people, nodes and services, each only where and with what the identity server says."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
import requests
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey

from app.adapters.keycloak import demonstration
from app.adapters.keycloak.admin import AdminApi
from app.adapters.keycloak.realm import ENROL, PROVISION
from app.http.context import loader
from app.http.guards import is_elevated
from app.identity import totp
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.errors import Unauthenticated
from app.kernel.permissions import ROLES, Permission
from app.kernel.ports import TokenRefused
from tests.support.identity import Installation, Somebody

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]


def token_of(installation: Installation, person: Somebody, scope: str) -> str:
    who = {"username": person.spec.username, "password": person.spec.password}
    return str(demonstration.token(installation.settings, **who, scope=scope)["access_token"])


def scope_of(installation: Installation) -> str:
    return f"openid organization:{installation.ours.kc_alias}"


def actor_of(app: Flask, token: str) -> Actor:
    with app.test_request_context("/api/v1/cameras") as context:
        return loader().bearer(context.request, token)


def test_a_person_acts_for_the_municipality_of_their_token(installation: Installation) -> None:
    person = installation.somebody("operador-municipal", installation.ours)

    actor = actor_of(installation.app, token_of(installation, person, scope_of(installation)))

    assert (actor.kind, actor.tenant_id, actor.tenant_slug) == ("municipal", installation.ours.id, "laprida")
    assert actor.user_id == person.spec.username
    assert actor.permissions == ROLES["operador-municipal"].permissions
    assert not is_elevated(actor)


def test_the_province_acts_for_the_province(installation: Installation) -> None:
    person = installation.somebody("direccion-auditor")

    actor = actor_of(installation.app, token_of(installation, person, "openid"))

    assert (actor.kind, actor.tenant_id) == ("provincial", 0)
    assert actor.can(Permission.PROVINCE_AUDIT_READ)
    assert not actor.can(Permission.PROVINCE_MUNICIPALITY_ADMIN)


def test_asking_for_another_municipality_gives_a_token_that_opens_nothing(installation: Installation) -> None:
    person = installation.somebody("operador-municipal", installation.ours)

    token = token_of(installation, person, f"openid organization:{installation.theirs.kc_alias}")

    with pytest.raises(Unauthenticated):
        actor_of(installation.app, token)


@pytest.mark.parametrize("scope", ["openid", "openid organization:*"])
def test_a_member_without_exactly_one_organization_has_no_municipal_role(
    installation: Installation, scope: str
) -> None:
    person = installation.somebody("admin-municipal", installation.ours)
    installation.admin.ensure_person(replace(person.spec, organization=installation.theirs.kc_alias or ""))

    with pytest.raises(Unauthenticated):
        actor_of(installation.app, token_of(installation, person, scope))


def test_a_municipality_that_is_not_open_answers_to_nobody(installation: Installation) -> None:
    tenant = installation.open_tenant()
    person = installation.somebody("operador-municipal", tenant)
    token = token_of(installation, person, f"openid organization:{tenant.kc_alias}")
    assert actor_of(installation.app, token).tenant_id == tenant.id

    installation.suspend(tenant)

    with pytest.raises(Unauthenticated):
        actor_of(installation.app, token)


def test_a_token_with_a_second_factor_is_elevated(installation: Installation) -> None:
    person = installation.somebody("supervisor", installation.ours)
    now = clock.now().timestamp()

    token = demonstration.elevated_token(
        installation.settings, username=person.spec.username, password=person.spec.password,
        scope=scope_of(installation), codes=["000000", totp.code_at(person.spec.totp_secret, now)],
    )  # fmt: skip

    assert is_elevated(actor_of(installation.app, token["access_token"]))


def test_wrong_codes_give_no_elevated_token(installation: Installation) -> None:
    person = installation.somebody("supervisor", installation.ours)

    with pytest.raises(TokenRefused, match="no es válido"):
        demonstration.elevated_token(
            installation.settings, username=person.spec.username, password=person.spec.password,
            scope=scope_of(installation), codes=["000000"],
        )  # fmt: skip


def test_the_tokens_of_administration_open_nothing(installation: Installation) -> None:
    for client, secret in (
        (PROVISION, installation.settings.provision_client_secret),
        (ENROL, installation.settings.enrol_client_secret),
    ):
        answer = requests.post(
            f"{installation.settings.issuer}/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"}, auth=(client, secret), timeout=10,
        )  # fmt: skip
        with pytest.raises(Unauthenticated):
            actor_of(installation.app, answer.json()["access_token"])


def test_refresh_and_id_tokens_are_no_access_tokens(installation: Installation) -> None:
    person = installation.somebody("supervisor", installation.ours)
    who = {"username": person.spec.username, "password": person.spec.password}
    answer = demonstration.token(installation.settings, **who, scope=scope_of(installation))

    for name in ("refresh_token", "id_token"):
        with pytest.raises(Unauthenticated):
            actor_of(installation.app, answer[name])


def test_a_bearer_route_takes_no_cookie_and_a_page_no_bearer(installation: Installation) -> None:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    visitor.sign_in(person, "/m/laprida/entrar")
    token = token_of(installation, person, scope_of(installation))

    by_cookie = visitor.get("/api/v1/nodes/self/desired")
    page = installation.visitor().get("/inicio", headers={"Authorization": f"Bearer {token}"})

    assert by_cookie.status_code == 401
    assert by_cookie.content_type == "application/problem+json"
    assert page.status_code == 303


class NodeKey:
    """The key pair of a node, as its daemon holds it."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256")
        self.kid = self.key.thumbprint()

    @property
    def public(self) -> dict[str, object]:
        return {**self.key.as_dict(private=False), "kid": self.kid}

    def ask(self, installation: Installation, client_id: str, scope: str) -> Mapping[str, str]:
        """What the token endpoint answers to this node."""
        now = int(time.time())
        claims = {
            "iss": client_id, "sub": client_id, "aud": installation.settings.issuer,
            "iat": now, "exp": now + 30, "jti": secrets.token_hex(8),
        }  # fmt: skip
        assertion = jwt.encode({"alg": "ES256", "kid": self.kid}, claims, self.key, algorithms=["ES256"])
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            "scope": scope,
        }
        url = f"{installation.settings.issuer}/protocol/openid-connect/token"
        answer: Mapping[str, str] = requests.post(url, data=form, timeout=10).json()
        return answer


def enrol(installation: Installation) -> tuple[str, NodeKey]:
    key, client_id = NodeKey(), f"nodo-prueba-{secrets.token_hex(4)}"
    installation.admin.enrol_node(
        client_id=client_id, name="Nodo de prueba", organization=installation.ours.kc_alias or "", public_jwk=key.public
    )
    return client_id, key


def test_an_enrolled_node_acts_for_its_municipality_and_only_reports(installation: Installation) -> None:
    client_id, key = enrol(installation)

    answer = key.ask(installation, client_id, f"organization:{installation.ours.kc_alias}")
    actor = actor_of(installation.app, answer["access_token"])

    assert (actor.kind, actor.tenant_id, actor.user_id) == ("node", installation.ours.id, client_id)
    assert actor.person_id is None
    assert actor.permissions == {Permission.NODE_REPORT, Permission.PLATE_READ_SUBMIT}
    assert not is_elevated(actor)


def test_a_node_cannot_act_for_another_municipality(installation: Installation) -> None:
    client_id, key = enrol(installation)

    for scope in (f"organization:{installation.theirs.kc_alias}", ""):
        with pytest.raises(Unauthenticated):
            actor_of(installation.app, key.ask(installation, client_id, scope).get("access_token", ""))


def test_another_key_gives_no_token(installation: Installation) -> None:
    client_id, _ = enrol(installation)

    assert "access_token" not in NodeKey().ask(installation, client_id, f"organization:{installation.ours.kc_alias}")


def test_enrolling_twice_changes_nothing_and_a_new_key_replaces_the_old(installation: Installation) -> None:
    client_id, key = enrol(installation)
    before = installation.admin.writes
    who = {"client_id": client_id, "name": "Nodo de prueba", "organization": installation.ours.kc_alias or ""}

    installation.admin.enrol_node(**who, public_jwk=key.public)
    assert installation.admin.writes == before

    fresh = NodeKey()
    installation.admin.enrol_node(**who, public_jwk=fresh.public)
    scope = f"organization:{installation.ours.kc_alias}"
    assert "access_token" in fresh.ask(installation, client_id, scope)
    assert "access_token" not in key.ask(installation, client_id, scope)


def test_a_removed_node_gets_no_token(installation: Installation) -> None:
    client_id, key = enrol(installation)

    installation.admin.remove_node(client_id)

    assert "access_token" not in key.ask(installation, client_id, f"organization:{installation.ours.kc_alias}")


def test_only_nodes_are_enrolled_and_only_with_public_keys(installation: Installation) -> None:
    key = NodeKey()
    where = installation.ours.kc_alias or ""

    with pytest.raises(ValueError, match="nodo-"):
        installation.admin.enrol_node(client_id="operacion-web", name="x", organization=where, public_jwk=key.public)
    with pytest.raises(ValueError, match="nodo-"):
        installation.admin.remove_node("operacion-web")
    with pytest.raises(ValueError, match="privada"):
        installation.admin.enrol_node(
            client_id="nodo-prueba-x", name="x", organization=where, public_jwk=dict(key.key.as_dict(private=True))
        )


def test_a_service_acts_with_its_roles_and_needs_no_second_factor(installation: Installation) -> None:
    client_id, key = enrol(installation)
    _turn_into_service(installation, client_id)

    answer = key.ask(installation, client_id, f"organization:{installation.ours.kc_alias}")
    actor = actor_of(installation.app, answer["access_token"])

    assert actor.kind == "service"
    assert actor.can(Permission.HOTLIST_EDIT)
    assert is_elevated(actor)


def _turn_into_service(installation: Installation, client_id: str) -> None:
    """Give the account of a client a role of people, as an administrator would for an integration."""
    enrol = AdminApi(
        installation.settings.keycloak_url, installation.settings.realm, client_id=ENROL,
        client_secret=installation.settings.enrol_client_secret,
    )  # fmt: skip
    client = enrol.get("/clients", clientId=client_id)[0]["id"]
    account = enrol.get(f"/clients/{client}/service-account-user")["id"]
    organization = installation.ours.kc_org_id or ""
    group = installation.organizations.group_id(organization, "admin-municipal")
    installation.provision.put(f"/organizations/{organization}/groups/{group}/members/{account}")
