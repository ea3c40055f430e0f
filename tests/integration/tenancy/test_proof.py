"""pgrls: no error, no warning, and every municipal table proven; a policy that leaks is not."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.engines import TestEngines
from tools import proof


@pytest.fixture
def alone(engines: TestEngines, worker_database_urls: dict[str, str]) -> Iterator[dict[str, str]]:
    """URLs of a migrated database that nobody else is connected to: the proof copies it."""
    name = f"{engines.database}_alone"
    engines.copy_template(name)
    yield engines.urls_of(name)
    engines.copy_template(name)


@pytest.mark.slow("runs pgrls and its solver four times")
def test_every_municipal_table_is_proven(alone: dict[str, str]) -> None:
    verdicts = proof.prove(alone["admin"])

    assert verdicts.findings == []
    assert verdicts.leaks == []
    assert verdicts.unproven == {mode: [] for mode in proof.MODES}
    assert verdicts.tables >= 6
    assert verdicts.is_sound


@pytest.mark.slow("runs pgrls and its solver")
def test_a_leaking_policy_is_not_proven(alone: dict[str, str]) -> None:
    with psycopg.connect(alone["admin"], autocommit=True) as admin:
        admin.execute("drop policy tenant_floor on app.outbox")
        admin.execute("alter policy tenant_rw on app.outbox using (tenant_id = (select app.tenant()) or kind = 'x')")

    verdicts = proof.prove(alone["admin"])

    assert not verdicts.is_sound
    assert "outbox" in verdicts.unproven["cross-tenant"]
