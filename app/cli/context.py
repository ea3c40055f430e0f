"""What a verb asks of the machine it runs on: the installation and its settings."""

from __future__ import annotations

import os
from functools import cache

from app.cli.local.installation import Installation
from app.settings import Settings


@cache
def installation() -> Installation:
    """The installation of this environment (`PIPC_HOME`, default `.pipc/`)."""
    return Installation.of(os.environ)


def settings() -> Settings:
    """Settings with every URL and secret of this installation; what the environment says wins."""
    here = installation()
    if not (here.home.secrets / "url-rw").exists():
        here.keep_secrets()
    given = {name: value for name, value in os.environ.items() if name.startswith(("PIPC_", "REDIS_", "KEYCLOAK_"))}
    files = {name for name in here.environment("cli") if name.endswith("_FILE") and name.removesuffix("_FILE") in given}
    kept = {name: value for name, value in here.environment("cli").items() if name not in files}
    return Settings.from_env({**kept, **given})
