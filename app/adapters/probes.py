"""Do the parts outside this process answer? One short question each, for /readyz."""

from __future__ import annotations

from collections.abc import Callable

import requests

from app.adapters.redis.nudge import RedisNudge
from app.kernel.actor import acting_as, system_actor
from app.kernel.db import Databases

TIMEOUT_S = 1.5


def postgres(databases: Databases) -> Callable[[], str]:
    """Asks PostgreSQL its version through the pool that pages use."""

    def ask() -> str:
        with acting_as(system_actor("readiness")), databases.engine(databases.default_role).connect() as connection:
            return str(connection.exec_driver_sql("show server_version").scalar_one()).split()[0]

    return ask


def redis(nudge: RedisNudge) -> Callable[[], str]:
    """Asks Redis or Valkey its version."""
    return nudge.ping


def keycloak(issuer: str) -> Callable[[], str]:
    """Asks the realm for its public description and checks that it calls itself as we do."""

    def ask() -> str:
        answer = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT_S)
        answer.raise_for_status()
        if answer.json()["issuer"] != issuer:
            raise ValueError("el emisor no es el configurado")
        return issuer.rpartition("/")[2]

    return ask
