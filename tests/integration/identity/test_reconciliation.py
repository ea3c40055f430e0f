"""Organizations are made once, put right when they differ, and never touched otherwise."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace

import pytest

from app.adapters.keycloak.admin import AdminApi, AdminRefused
from app.adapters.keycloak.administration import REALM_S, KeycloakAdmin, ensure_realm
from app.adapters.keycloak.realm import municipal_roles
from app.identity import demonstration, service, tasks
from app.kernel import jobs
from app.kernel.actor import acting_as, system_actor
from app.kernel.ports import OrganizationSpec
from app.settings import Settings
from tenants.core import service as tenants
from tests.support.world import World

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]


@pytest.fixture
def spec() -> OrganizationSpec:
    """An organization of this test alone."""
    code = f"9{secrets.randbelow(10**8):08d}"
    return OrganizationSpec(alias=f"muni-{code}", name=f"Prueba {code}", code=code, section=3, enabled=True)


def groups_of(provision: AdminApi, organization_id: str) -> dict[str, dict[str, object]]:
    found = provision.pages(f"/organizations/{organization_id}/groups", briefRepresentation="false")
    return {group["name"]: group for group in found}


def test_a_new_organization_has_a_group_per_role_that_gives_it(
    admin: KeycloakAdmin, provision: AdminApi, spec: OrganizationSpec
) -> None:
    outcome = admin.reconcile_organization(spec)

    groups = groups_of(provision, outcome.organization_id)
    assert set(groups) == set(municipal_roles())
    assert all(group["clientRoles"] == {"api": [name]} for name, group in groups.items())
    assert all(not group["realmRoles"] for group in groups.values())


def test_a_second_run_writes_nothing(admin: KeycloakAdmin, spec: OrganizationSpec) -> None:
    first = admin.reconcile_organization(spec)
    writes = admin.writes

    second = admin.reconcile_organization(spec)

    assert second == replace(first, changes=())
    assert admin.writes == writes


def test_looking_changes_nothing(admin: KeycloakAdmin, spec: OrganizationSpec) -> None:
    outcome = admin.reconcile_organization(spec, dry_run=True)

    assert outcome.organization_id == ""
    assert outcome.changes == (f"falta la organización de {spec.name}",)
    assert admin.writes == 0


def test_each_drift_is_reported_and_repaired(admin: KeycloakAdmin, provision: AdminApi, spec: OrganizationSpec) -> None:
    organization = admin.reconcile_organization(spec).organization_id
    path = f"/organizations/{organization}"
    groups = groups_of(provision, organization)
    api = provision.get("/clients", clientId="api")[0]["id"]
    roles = {role["name"]: role for role in provision.get(f"/clients/{api}/roles")}
    provision.delete(f"{path}/groups/{groups['alumno']['id']}")
    provision.delete(f"{path}/groups/{groups['laboratorio']['id']}/role-mappings/clients/{api}", [roles["laboratorio"]])
    provision.post(f"{path}/groups/{groups['proveedor']['id']}/role-mappings/clients/{api}", [roles["supervisor"]])
    provision.put(path, {**provision.get(path), "enabled": False})

    seen = admin.reconcile_organization(spec, dry_run=True).changes
    repaired = admin.reconcile_organization(spec).changes

    assert (
        set(seen)
        == set(repaired)
        == {
            "los datos de la organización difieren",
            "falta el grupo /alumno",
            "el grupo /laboratorio no da su función",
            "el grupo /proveedor da de más api:supervisor",
        }
    )
    assert admin.reconcile_organization(spec).changes == ()


def test_a_provincial_role_on_a_municipal_group_is_taken_away(
    admin: KeycloakAdmin, provision: AdminApi, keycloak: dict[str, str], spec: OrganizationSpec
) -> None:
    organization = admin.reconcile_organization(spec).organization_id
    group = groups_of(provision, organization)["supervisor"]["id"]
    server = AdminApi(
        keycloak["url"], keycloak["realm"], client_id=keycloak["bootstrap_client_id"],
        client_secret=keycloak["bootstrap_client_secret"], login_realm="master",
    )  # fmt: skip
    role = server.get("/roles/direccion-admin")
    server.post(f"/organizations/{organization}/groups/{group}/role-mappings/realm", [role])

    changes = admin.reconcile_organization(spec).changes

    assert changes == ("el grupo /supervisor da de más la función provincial direccion-admin",)
    assert groups_of(provision, organization)["supervisor"]["realmRoles"] == []


def test_what_is_too_much_is_only_removed_when_asked(
    admin: KeycloakAdmin, provision: AdminApi, spec: OrganizationSpec
) -> None:
    organization = admin.reconcile_organization(spec).organization_id
    provision.post(f"/organizations/{organization}/groups", {"name": "inventado"})

    assert admin.reconcile_organization(spec).changes == ("sobra el grupo /inventado",)
    assert "inventado" in groups_of(provision, organization)
    assert admin.reconcile_organization(spec, prune=True).changes == ("sobra el grupo /inventado",)
    assert "inventado" not in groups_of(provision, organization)


def test_organizations_of_nobody_are_reported(admin: KeycloakAdmin, spec: OrganizationSpec) -> None:
    admin.reconcile_organization(spec)

    assert spec.alias in admin.extra_organizations([])
    assert spec.alias not in admin.extra_organizations([spec.alias])


def test_a_renamed_municipality_keeps_its_organization(admin: KeycloakAdmin, spec: OrganizationSpec) -> None:
    first = admin.reconcile_organization(spec)

    second = admin.reconcile_organization(replace(spec, name=f"{spec.name} bis", enabled=False))

    assert second.organization_id == first.organization_id
    assert second.changes == ("los datos de la organización difieren",)


@pytest.mark.slow("makes the 135 organizations with their groups")
def test_the_135_are_made_once_and_a_second_run_writes_nothing(admin: KeycloakAdmin, world: World) -> None:
    municipalities = [tenant for tenant in tenants.directory() if not tenant.is_province]
    began = time.monotonic()
    assert len(list(service.reconcile(municipalities))) == 135
    elapsed = time.monotonic() - began
    tenants.forget()

    writes, began = admin.writes, time.monotonic()
    again = [tenant for tenant in tenants.directory() if not tenant.is_province]
    outcomes = [outcome for _, outcome in service.reconcile(again)]
    second = time.monotonic() - began

    assert second < elapsed
    assert [outcome.changes for outcome in outcomes] == [()] * 135
    assert admin.writes == writes
    assert all(service.is_reconciled(tenant) for tenant in again)
    assert all(tenant.kc_org_id == outcome.organization_id for tenant, outcome in zip(again, outcomes, strict=True))


def test_the_job_links_the_acting_municipality(admin: KeycloakAdmin, world: World) -> None:
    azul = tenants.by_slug("azul")
    assert azul.kc_org_id is None

    for _ in range(2):
        with acting_as(system_actor("prueba", tenant_id=azul.id)):
            tasks.reconcile()

    tenants.forget()
    assert service.is_reconciled(tenants.by_slug("azul"))
    assert jobs.find(service.RECONCILE).queue == "tenants"


def test_a_job_asked_for_twice_waits_once(admin: KeycloakAdmin, world: World) -> None:
    azul = tenants.by_slug("azul")

    service.request_reconciliation(azul)
    service.request_reconciliation(azul)

    with world.admin() as connection:
        rows = connection.execute("select tenant_id, queue from app.outbox where kind = %s", [service.RECONCILE])
        assert rows.fetchall() == [(azul.id, "tenants")]


def test_people_are_made_once_with_their_municipality_and_role(
    admin: KeycloakAdmin, provision: AdminApi, spec: OrganizationSpec, settings: Settings
) -> None:
    organization = admin.reconcile_organization(spec).organization_id
    person = demonstration.find(settings.secret_key, "supervisor.laprida").spec(spec.alias)
    person = replace(person, username=f"prueba-{secrets.token_hex(4)}")

    subject = admin.ensure_person(person)
    writes = admin.writes
    again = admin.ensure_person(person)

    assert (again, admin.writes) == (subject, writes)
    groups = provision.get(f"/organizations/{organization}/members/{subject}/groups")
    assert [group["name"] for group in groups] == ["supervisor"]


def test_the_web_client_follows_the_address_of_the_product(admin: KeycloakAdmin, settings: Settings) -> None:
    assert admin.reconcile_web_client("http://127.0.0.1:65001", dry_run=True) != ()
    assert admin.writes == 0
    assert admin.reconcile_web_client(settings.base_url) == ()


def test_administration_may_not_do_more_than_it_needs(provision: AdminApi) -> None:
    for path in ("/roles", "/events", "/keys", "/identity-provider/instances"):
        with pytest.raises(AdminRefused) as refusal:
            provision.get(path)
        assert refusal.value.status == 403
    with pytest.raises(AdminRefused):
        provision.put("", {"sslRequired": "none"})
    with pytest.raises(AdminRefused):
        provision.post("/clients", {"clientId": "intruso"})


def test_a_realm_is_made_on_a_server_that_is_not_ours(keycloak: dict[str, str], settings: Settings) -> None:
    other = replace(settings, realm=f"prueba-{secrets.token_hex(4)}")
    who = {"client_id": keycloak["bootstrap_client_id"], "client_secret": keycloak["bootstrap_client_secret"]}
    server = AdminApi(
        keycloak["url"],
        other.realm,
        client_id=who["client_id"],
        client_secret=who["client_secret"],
        login_realm="master",
        timeout_s=REALM_S,
    )

    try:
        assert ensure_realm(other, **who) is True
        assert ensure_realm(other, **who) is False
        elsewhere = KeycloakAdmin(other)
        outcome = elsewhere.reconcile_organization(OrganizationSpec("muni-06448", "Laprida", "06448", 6, True))
        assert outcome.organization_id
    finally:
        server.delete("")
