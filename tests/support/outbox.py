"""Looks at the outbox from outside, past every policy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.kernel.jobs import after_commit
from app.kernel.unit_of_work import unit_of_work
from tests.support.world import OURS, World, actor


def place(kind: str, *, tenant_id: int = OURS, dedupe: str | None = None, **args: Any) -> UUID:
    """Commit one row and return its id."""
    with unit_of_work(actor(tenant_id)):
        return after_commit(kind, dedupe=dedupe, **args)


def row(world: World, outbox_id: UUID) -> dict[str, Any]:
    """The whole row."""
    with world.admin() as admin:
        cursor = admin.execute("select * from app.outbox where id = %s", [outbox_id])
        found = cursor.fetchone()
        assert found is not None
        assert cursor.description is not None
        return dict(zip([column.name for column in cursor.description], found, strict=True))


def runs(world: World, tenant_id: int = OURS) -> list[str]:
    """What the probe jobs recorded, in order."""
    query = "select target from app.audit_entries where tenant_id = %s and action = 'probe:job:run' order by seq"
    with world.admin() as admin:
        return [target for (target,) in admin.execute(query, [tenant_id])]


def age(world: World, outbox_id: UUID, seconds: int) -> None:
    """Make it look sent that long ago."""
    with world.admin() as admin:
        admin.execute(
            "update app.outbox set sent_at = sent_at - make_interval(secs => %s) where id = %s", [seconds, outbox_id]
        )
