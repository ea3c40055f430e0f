"""Identity under test: the product's settings on this run's servers, people of their own, and a browser that signs in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from app.adapters.keycloak.administration import KeycloakAdmin
from app.adapters.keycloak.headless import HeadlessBrowser
from app.identity import service, totp
from app.kernel import clock, ports
from app.kernel.ports import PersonSpec
from app.settings import Settings
from tenants.core import service as tenants
from tenants.core.service import Tenant
from tests.support.world import database_urls_of

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


def path_of(url: str) -> str:
    """Path and query of a URL of ours, as the test client asks for it."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
