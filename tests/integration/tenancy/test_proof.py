"""pgrls: no error, no warning, and every municipal table proven; a policy that leaks is not."""

from __future__ import annotations

import psycopg
import pytest

from tools import proof


@pytest.mark.slow("runs pgrls and its solver four times")
def test_every_municipal_table_is_proven(database_urls: dict[str, str]) -> None:
    verdicts = proof.prove(database_urls["admin"])

    assert verdicts.findings == []
    assert verdicts.leaks == []
    assert verdicts.unproven == {mode: [] for mode in proof.MODES}
    assert verdicts.tables >= 6
    assert verdicts.is_sound


@pytest.mark.slow("runs pgrls and its solver")
def test_a_leaking_policy_is_not_proven(database_urls: dict[str, str]) -> None:
    with psycopg.connect(database_urls["admin"], autocommit=True) as admin:
        admin.execute("drop policy tenant_floor on app.outbox")
        admin.execute("alter policy tenant_rw on app.outbox using (tenant_id = (select app.tenant()) or kind = 'x')")

    verdicts = proof.prove(database_urls["admin"])

    assert not verdicts.is_sound
    assert "outbox" in verdicts.unproven["cross-tenant"]
