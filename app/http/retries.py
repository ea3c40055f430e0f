"""Deadlocks and serialization failures: run again what may be run again, otherwise say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DBAPIError

from app.kernel.errors import Conflict

RETRYABLE = frozenset({"40001", "40P01"})
ATTEMPTS = 3


class TryAgain(Conflict):
    """Two people touched the same rows at the same instant; nothing was changed."""

    code = "try-again"
    title = "Alguien más lo estaba cambiando: volvé a intentar"


def run(attempt: Callable[[], Any], *, again: bool) -> Any:
    """The result of `attempt`, made up to three times when `again`. Raises `TryAgain` (409) when the conflict stays."""
    for _ in range(ATTEMPTS if again else 1):
        try:
            return attempt()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in RETRYABLE:
                raise
    raise TryAgain("No se guardó nada. Volvé a intentar en unos segundos.")
