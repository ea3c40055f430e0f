"""The port `IdentityAdmin` over Keycloak, and what an administrator of the whole server does once: make the realm, settle it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keycloak import KeycloakAdmin as ServerAdmin
from keycloak.exceptions import KeycloakConnectionError

from app.adapters.keycloak.admin import AdminApi, IdentityServerDown
from app.adapters.keycloak.nodes import Nodes
from app.adapters.keycloak.organizations import Organizations
from app.adapters.keycloak.people import People
from app.adapters.keycloak.realm import ENROL, PROVISION, realm_definition, web_addresses
from app.kernel.ports import OrganizationOutcome, OrganizationSpec, PersonSpec
from app.settings import Settings

# A new realm makes its RSA keys: seconds on a quiet machine, more on a busy one.
REALM_S = 120


class KeycloakAdmin:
    """Organizations, people and clients of the product's realm, each through the account that may touch it."""

    def __init__(self, settings: Settings) -> None:
        provision = _api(settings, PROVISION, settings.provision_client_secret)
        enrol = _api(settings, ENROL, settings.enrol_client_secret)
        self._web_client = settings.oidc_client_id
        self._enrol = enrol
        self._provision = provision
        self._organizations = Organizations(provision)
        self._people = People(provision, self._organizations)
        self._nodes = Nodes(enrol, provision, self._organizations)

    @property
    def writes(self) -> int:
        """How many changes were made through this object."""
        return self._provision.writes + self._enrol.writes

    def reconcile_organization(
        self, spec: OrganizationSpec, *, dry_run: bool = False, prune: bool = False
    ) -> OrganizationOutcome:
        return self._organizations.reconcile(spec, dry_run=dry_run, prune=prune)

    def reconcile_organizations(
        self, specs: Sequence[OrganizationSpec], *, dry_run: bool = False, prune: bool = False
    ) -> Iterator[OrganizationOutcome]:
        return self._organizations.reconcile_all(specs, dry_run=dry_run, prune=prune)

    def extra_organizations(self, aliases: Sequence[str], *, prune: bool = False) -> list[str]:
        return self._organizations.extras(aliases, prune=prune)

    def reconcile_web_client(self, base_url: str, *, dry_run: bool = False) -> tuple[str, ...]:
        found = self._enrol.get("/clients", clientId=self._web_client)[0]
        wanted = web_addresses(base_url)
        wanted["attributes"] = {**found["attributes"], **wanted["attributes"]}
        if all(found.get(field) == value for field, value in wanted.items()):
            return ()
        if not dry_run:
            self._enrol.put(f"/clients/{found['id']}", {**found, **wanted})
        return ("las direcciones de la aplicación web difieren",)

    def ensure_person(self, person: PersonSpec) -> str:
        return self._people.ensure(person)

    def end_sessions(self, subject: str) -> None:
        self._people.end_sessions(subject)

    def enrol_node(self, *, client_id: str, name: str, organization: str, public_jwk: Mapping[str, Any]) -> None:
        self._nodes.add(client_id=client_id, name=name, organization=organization, public_jwk=public_jwk)

    def remove_node(self, client_id: str) -> None:
        self._nodes.remove(client_id)


def ensure_realm(settings: Settings, *, client_id: str, client_secret: str) -> bool:
    """Make the realm on the server of `settings` as an administrator that may create realms; False when it was there."""
    server = ServerAdmin(
        server_url=settings.keycloak_url,
        realm_name="master",
        client_id=client_id,
        client_secret_key=client_secret,
        timeout=REALM_S,
        max_retries=0,
    )
    try:
        if settings.realm in {realm["realm"] for realm in server.get_realms()}:
            return False
        server.create_realm(realm_definition(settings, demonstration=settings.demonstration))
    except KeycloakConnectionError as error:
        raise IdentityServerDown("realm") from error
    return True


def settle_realm(settings: Settings, policy: str, *, client_id: str, client_secret: str) -> None:
    """Put right a realm that an earlier release made on our own server, then disable the administrator that did it.

    Raises `AdminRefused` when the administrator is out already.
    """
    api = AdminApi(
        settings.keycloak_url, "", client_id=client_id, client_secret=client_secret, login_realm="master", timeout_s=REALM_S
    )  # fmt: skip
    if api.get(f"/{settings.realm}").get("passwordPolicy") != policy:
        api.put(f"/{settings.realm}", {"passwordPolicy": policy})
    (administrator,) = api.get("/master/clients", clientId=client_id)
    api.put(f"/master/clients/{administrator['id']}", {**administrator, "enabled": False})


def _api(settings: Settings, client_id: str, client_secret: str) -> AdminApi:
    return AdminApi(settings.keycloak_url, settings.realm, client_id=client_id, client_secret=client_secret)
