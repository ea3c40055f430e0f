"""Reconciliation on this run's PostgreSQL and Keycloak; no web application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.keycloak.admin import AdminApi
from app.adapters.keycloak.administration import KeycloakAdmin
from app.adapters.keycloak.realm import PROVISION
from app.settings import Settings
from tests.support import identity as support
from tests.support.world import World, configured


@pytest.fixture
def settings(keycloak: dict[str, str], database_urls: dict[str, str], tmp_path: Path) -> Settings:
    return support.settings_of(keycloak, database_urls, tmp_path)


@pytest.fixture
def world(database_urls: dict[str, str]) -> Iterator[World]:
    with configured(database_urls) as made:
        yield made


@pytest.fixture
def admin(world: World, settings: Settings) -> KeycloakAdmin:
    return support.connect(settings)


@pytest.fixture
def provision(settings: Settings) -> AdminApi:
    return AdminApi(
        settings.keycloak_url, settings.realm, client_id=PROVISION, client_secret=settings.provision_client_secret
    )
