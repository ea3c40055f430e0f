"""Identity under test: the product's settings on this run's servers, people of their own, and a browser that signs in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.adapters.keycloak import oidc
from app.adapters.keycloak.admin import AdminApi
from app.adapters.keycloak.administration import KeycloakAdmin
from app.adapters.keycloak.headless import HeadlessBrowser
from app.adapters.keycloak.organizations import Organizations
from app.adapters.keycloak.realm import PROVISION
from app.identity import service, totp
from app.identity.organizations import spec_of
from app.kernel import clock, ports
from app.kernel.ports import IdentityProvider, PersonSpec
from app.settings import Settings
from tenants.core import seed
from tenants.core import service as tenants
from tenants.core.service import Tenant
from tests.support.world import World, database_urls_of

TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "una clave para pruebas"


def settings_of(keycloak: dict[str, str], urls: dict[str, str], home: Path, **changes: object) -> Settings:
    """Settings of a web process on the real servers of this run."""
    made = Settings(
        base_url=keycloak["base_url"],
        home=home,
        databases=database_urls_of(urls),
        redis_url="redis://127.0.0.1:1/0",
        objects_dir=home / "objects",
        keycloak_url=keycloak["url"],
        realm=keycloak["realm"],
        oidc_client_secret=keycloak["oidc_client_secret"],
        provision_client_secret=keycloak["provision_client_secret"],
        enrol_client_secret=keycloak["enrol_client_secret"],
        secret_key="un-secreto-de-pruebas-de-cuarenta-letras",
        demonstration=True,
        require_second_factor=False,
        rate_limits=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def connect(settings: Settings) -> KeycloakAdmin:
    """Plug the administration of the real identity server."""
    admin = KeycloakAdmin(settings)
    ports.plug(identity_admin=admin)
    return admin


def reconcile(*slugs: str) -> list[Tenant]:
    """Organizations of some municipalities, linked to their rows."""
    list(service.reconcile([tenants.by_slug(slug) for slug in slugs]))
    tenants.forget()
    return [tenants.by_slug(slug) for slug in slugs]


@dataclass
class Somebody:
    """A person made for one test."""

    spec: PersonSpec
    subject: str
    browser: HeadlessBrowser = field(default_factory=HeadlessBrowser)

    @property
    def answers(self) -> dict[str, str]:
        """What the first page asks."""
        return {"username": self.spec.username, "password": self.spec.password}

    @property
    def code(self) -> str:
        """What the page of the second factor asks; each works once."""
        return totp.code_at(self.spec.totp_secret, clock.now().timestamp())


def somebody(admin: KeycloakAdmin, role: str, organization: str = "") -> Somebody:
    """A new person with that role, in that organization or in the Province."""
    name = f"prueba-{secrets.token_hex(6)}"
    spec = PersonSpec(name, "Ana", "Prueba", role, organization, PASSWORD, TOTP_SECRET)
    return Somebody(spec, admin.ensure_person(spec))


@dataclass
class Visitor:
    """A browser of the product: the test client at the product's own address."""

    client: FlaskClient
    base_url: str

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=self.base_url, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """A write with the token of the session's pages."""
        headers = {"X-CSRF-Token": self.csrf(), **options.pop("headers", {})}
        return self.client.post(path, base_url=self.base_url, headers=headers, **options)

    def csrf(self) -> str:
        found = re.search(r'name="csrf-token" content="([^"]*)"', self.get("/licencias").text)
        return found[1] if found else ""

    @property
    def cookie(self) -> str:
        """The secret of the session, empty when there is none."""
        kept = self.client.get_cookie("pipc_dev", domain=urlsplit(self.base_url).hostname or "")
        return kept.value if kept else ""

    def go_out_to(self, door: str, person: Somebody, answers: Mapping[str, str] | None = None) -> dict[str, str]:
        """From a page of ours through Keycloak; what it sends back to the callback."""
        away = self.get(door)
        assert away.status_code == 303, away.text
        return person.browser.follow(away.location, f"{self.base_url}/auth/callback", answers or {})

    def come_back(self, answer: Mapping[str, str]) -> TestResponse:
        return self.get("/auth/callback", query_string=dict(answer))

    def sign_in(self, person: Somebody, door: str) -> TestResponse:
        """The whole way in with user and password."""
        return self.come_back(self.go_out_to(door, person, person.answers))

    def elevate(self, person: Somebody, *, back: str = "/inicio") -> TestResponse:
        """The whole way to a fresh second factor."""
        return self.come_back(self.go_out_to(f"/auth/elevar?volver={back}", person, {"otp": person.code}))


@dataclass
class Installation:
    """A product that people can sign in to."""

    settings: Settings
    app: Flask
    world: World
    admin: KeycloakAdmin
    ours: Tenant
    theirs: Tenant

    def visitor(self) -> Visitor:
        return Visitor(self.app.test_client(), self.settings.base_url)

    def somebody(self, role: str, tenant: Tenant | None = None) -> Somebody:
        """A new person of a municipality, or of the Province."""
        return somebody(self.admin, role, tenant.kc_alias or "" if tenant else "")

    def open_tenant(self) -> Tenant:
        """A municipality that only this test uses, open and with its organization."""
        slug = secrets.choice([row.slug for row in tenants.directory() if not row.is_active])
        seed.activate(self.world.urls["migrate"], [slug], demonstration=False)
        tenants.forget()
        return reconcile(slug)[0]

    def close_organization(self, tenant: Tenant) -> None:
        """Disable a municipality in the identity server alone."""
        spec = replace(spec_of(tenant), enabled=False)
        self.admin.reconcile_organization(spec)

    def suspend(self, tenant: Tenant) -> None:
        """Suspend a municipality in the product alone."""
        with self.world.admin() as connection:
            connection.execute("update app.tenants set state = 'suspended' where id = %s", [tenant.id])
        tenants.forget()

    def take_role(self, person: Somebody, tenant: Tenant) -> None:
        """Take somebody out of the group of their role; they stay a member."""
        group = self.organizations.group_id(tenant.kc_org_id or "", person.spec.role)
        self.provision.delete(f"/organizations/{tenant.kc_org_id}/groups/{group}/members/{person.subject}")

    def take_membership(self, person: Somebody, tenant: Tenant) -> None:
        """Take somebody out of the municipality."""
        self.provision.delete(f"/organizations/{tenant.kc_org_id}/members/{person.subject}")

    def disable(self, person: Somebody) -> None:
        """Disable an account."""
        account = self.provision.get(f"/users/{person.subject}")
        self.provision.put(f"/users/{person.subject}", {**account, "enabled": False})

    @cached_property
    def provision(self) -> AdminApi:
        """Calls as the account that administers people."""
        return AdminApi(
            self.settings.keycloak_url, self.settings.realm, client_id=PROVISION,
            client_secret=self.settings.provision_client_secret,
        )  # fmt: skip

    @cached_property
    def organizations(self) -> Organizations:
        return Organizations(self.provision)

    def plug(self, *, provider: IdentityProvider | None = None, **changes: object) -> service.Identity:
        """Connect identity again, with another provider or other settings."""
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        real, verifier = oidc.connect(settings)
        return service.plug(settings, provider or real, verifier)

    def audited(self, tenant: Tenant, action: str) -> list[tuple[str, str]]:
        """Who did that in a municipality, and the text of what was recorded."""
        with self.world.admin() as connection:
            rows = connection.execute(
                "select actor, canon from app.audit_entries where tenant_id = %s and action = %s order by seq",
                (tenant.id, action),
            )
            return [(actor, canon) for actor, canon in rows]

    def sessions(self) -> int:
        """How many browsers are signed in."""
        with self.world.admin() as connection:
            row = connection.execute("select count(*) from app.web_sessions where kind <> 'prelogin'").fetchone()
            return int(row[0]) if row else 0
