"""Fixtures of every test: the real engines, started only when a test asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
import redis as redis_client

from tests.support import engines as support
from tests.support.browser import browser_page, chromium_browser, new_browser_page  # noqa: F401  # fixtures


def pytest_configure(config: pytest.Config) -> None:
    support.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    support.end_run()


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> support.TestEngines:
    """PostgreSQL and Valkey of this run."""
    return support.start_engines(os.environ.get("PYTEST_XDIST_WORKER", "gw0"))


@pytest.fixture(scope="session")
def worker_database_urls(engines: support.TestEngines) -> dict[str, str]:
    """URLs by role of this worker's migrated database, for what is built once per session (the application).

    Tests that write and commit ask for `clean_database` (or `database_urls`) besides.
    """
    support.migrate_template(engines)
    engines.copy_template(engines.database)
    return engines.urls()


@pytest.fixture
def clean_database(engines: support.TestEngines, worker_database_urls: dict[str, str]) -> Iterator[None]:
    """This worker's database as the migrations left it, whatever the test before committed."""
    yield
    engines.copy_template(engines.database)


@pytest.fixture
def database_urls(clean_database: None, worker_database_urls: dict[str, str]) -> dict[str, str]:
    """URLs by role (`rw worker dir clock rt auth migrate admin`) of a clean migrated database."""
    return worker_database_urls


@pytest.fixture
def connection(worker_database_urls: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A connection of the administrator whose changes are rolled back after the test.

    `set local role app_rw` inside it to act as a role of the product.
    """
    with psycopg.connect(worker_database_urls["admin"]) as conn:
        yield conn
        conn.rollback()


@pytest.fixture
def redis_url(engines: support.TestEngines) -> str:
    """URL of an empty Valkey database of this worker."""
    url = engines.redis_url()
    with redis_client.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def keycloak(engines: support.TestEngines) -> dict[str, str]:
    """The real Keycloak with the product's realm, one for the whole run.

    Keys: `url realm base_url bootstrap_client_id bootstrap_client_secret oidc_client_secret provision_client_secret
    enrol_client_secret`. Tests leave organizations and users under names of their own.
    """
    return support.start_keycloak(engines)
