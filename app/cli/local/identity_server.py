"""The embedded Keycloak of an installation: the realm it must hold, and its start."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

from app.adapters.keycloak.realm import realm_definition
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
        place = installation.keycloak_database_url().rpartition("@")[2]
        self._server = Keycloak.of(installation.home, tree, database=place)
        self._server.prepare(realm_of(Settings.from_env(installation.environment("cli"))))
        return self._server.start(installation.home.log("keycloak"))

    def ready(self) -> bool:
        if self._server is None or not self._server.ready():
            return False
        self._server.forget_realm()
        return True


def realm_of(settings: Settings) -> Mapping[str, Any]:
    """The realm that these settings need on a server of ours."""
    return realm_definition(settings, demonstration=settings.demonstration, blocked_list=True)
