"""Brings a database to the schema of this release."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

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
