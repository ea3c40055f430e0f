"""Engines for a benchmark: PostgreSQL migrated, with the 135 municipalities active, and Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tenants.core import migrations, seed
from tenants.data.municipalities import municipalities
from tools.engines import ROOT, throwaway

__all__ = ["ROOT", "engines"]


@contextmanager
def engines(*, durable: bool = True) -> Iterator[dict[str, str]]:
    """URLs by role, and `redis`."""
    with throwaway(durable=durable) as urls:
        migrations.bring_up_to_date(urls["migrate"])
        seed.activate(urls["migrate"], [row.slug for row in municipalities()], demonstration=False)
        yield urls
