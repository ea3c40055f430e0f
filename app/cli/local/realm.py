"""The step that makes the realm on a Keycloak of somebody else, through its Admin API."""

from __future__ import annotations

import os
import sys

from app.adapters.keycloak.administration import ensure_realm
from app.cli.local.environment import ADMIN_ID, ADMIN_SECRET
from app.settings import Settings


def main() -> int:
    """Exit status 0 when the realm is there."""
    made = ensure_realm(
        Settings.from_env(os.environ), client_id=os.environ[ADMIN_ID], client_secret=os.environ[ADMIN_SECRET]
    )
    sys.stdout.write("El reino quedó creado.\n" if made else "El reino ya estaba.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
