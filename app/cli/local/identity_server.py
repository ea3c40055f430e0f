"""The embedded Keycloak of an installation: the realm it must hold, and its start."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

from app.adapters.keycloak.realm import realm_definition
from app.cli.local import first_admin
from app.cli.local.cache import cache_folder
from app.cli.local.installation import Installation
from app.cli.local.keycloak import Keycloak, built_tree
from app.settings import Settings


class IdentityServer:
    """Keycloak with our realm; the definition stands on disk only until it was imported."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._server: Keycloak | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; the shared tree and the databases are there by now."""
        installation = self._installation
        tree = built_tree(cache_folder(installation.env), installation.env)
        url = installation.keycloak_database_url()
        settings = Settings.from_env(installation.environment("cli"))
        self._server = Keycloak.of(installation.home, tree, database=url.rpartition("@")[2])
        self._server.prepare(realm_of(settings))
        first_admin.let_in(url, settings.realm)
        return self._server.start(installation.home.log("keycloak"))

    def ready(self) -> bool:
        if self._server is None or not self._server.ready():
            return False
        self._server.forget_realm()
        return True

    def is_settled(self) -> bool:
        """True when nothing is left for the first administrator to do, nor a way in for it."""
        installation = self._installation
        realm = Settings.from_env(installation.environment("cli")).realm
        return first_admin.is_settled(installation.keycloak_database_url(), realm)


def realm_of(settings: Settings) -> Mapping[str, Any]:
    """The realm that these settings need on a server of ours."""
    return realm_definition(settings, demonstration=settings.demonstration, blocked_list=True)
