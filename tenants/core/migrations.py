"""Brings a database to this release: its schema, its directory of municipalities and its schedules.

`python -m tenants.core.migrations` does the three for the database of `PIPC_DB_MIGRATE_URL`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from tenants.core import seed

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 5


def config(url: str) -> Config:
    """Alembic's configuration for a database, as the migration login."""
    settings = Config(toml_file=str(ROOT / "pyproject.toml"))
    settings.attributes["url"] = url
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing, as `app_migrate`; a lock held by the running release is waited for and tried again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            command.upgrade(config(url), revision)
            return
        except OperationalError as error:
            if "lock timeout" not in str(error.orig) or attempt == ATTEMPTS:
                raise
            log.info("a table is busy, trying again (%s of %s)", attempt, ATTEMPTS)
            time.sleep(attempt)


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision` (`base` for all)."""
    command.downgrade(config(url), revision)


def head() -> str:
    """The newest revision of this release."""
    return (ROOT / "alembic" / ".current-head").read_text(encoding="ascii").strip()


def bring_up_to_date(url: str) -> None:
    """Everything a start needs of the database; harmless when there is nothing to do."""
    upgrade(url)
    seed.seed_directory(url)
    seed.seed_schedules(url)


def main(env: Mapping[str, str]) -> int:
    """Exit status: 0 done, 1 no database was named."""
    path = env.get("PIPC_DB_MIGRATE_URL_FILE")
    url = Path(path).read_text(encoding="utf-8").strip() if path else env.get("PIPC_DB_MIGRATE_URL", "")
    if not url:
        sys.stderr.write("Falta PIPC_DB_MIGRATE_URL: usar `pipc migrate`.\n")
        return 1
    bring_up_to_date(url)
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
