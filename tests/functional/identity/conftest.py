"""The web application on this run's PostgreSQL and Keycloak, with two municipalities open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app import factory
from app.settings import Settings
from tests.support import identity as support
from tests.support.identity import Installation
from tests.support.world import configured

OURS, THEIRS = "laprida", "tres-arroyos"


@pytest.fixture(scope="session")
def settings(
    keycloak: dict[str, str], worker_database_urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return support.settings_of(keycloak, worker_database_urls, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    return factory.create_app(factory.build_runtime(settings))


@pytest.fixture
def installation(database_urls: dict[str, str], settings: Settings, app: Flask) -> Iterator[Installation]:
    with configured(database_urls) as world:
        admin = support.connect(settings)
        ours, theirs = support.reconcile(OURS, THEIRS)
        made = Installation(settings, app, world, admin, ours, theirs)
        made.plug()
        yield made
