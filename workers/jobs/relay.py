"""Moves outbox rows whose time has come into their queues; any number of clocks may do it at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from redis import Redis, RedisError
from sqlalchemy import Engine, Row, text

from app.kernel import clock
from workers.jobs import wire

log = logging.getLogger(__name__)

BATCH = 100

# The oldest of every municipality and queue go first: a thousand rows of one do not delay the first row of another.
_CLAIM = text("""
    update app.outbox o set sent_at = :now, attempts = o.attempts + 1
    from (
      select p.tenant_id, p.id from app.outbox p join (
        select tenant_id, id, row_number() over (partition by tenant_id, queue order by run_at, id) as place, run_at
        from app.outbox
        where sent_at is null and done_at is null and dead_at is null and run_at <= :now and queue = any(:queues)
      ) r using (tenant_id, id)
      where p.sent_at is null
      order by r.place, r.run_at limit :batch
      for update of p skip locked
    ) due
    where o.tenant_id = due.tenant_id and o.id = due.id
    returning o.tenant_id, o.id, o.queue, o.attempts""")
_UNSEND = text("""
    update app.outbox set sent_at = null, attempts = attempts - 1
    where tenant_id = :tenant_id and id = :id and done_at is null and sent_at = :sent_at""")


def relay(engine: Engine, connection: Redis) -> int:
    """Send one batch. Returns how many rows went out, so that a full batch is followed by another at once.

    A row is marked as sent before it is: a crash in between is found by reconciliation, whereas sending first would let a quick
    worker meet the row still locked and give it up. Raises `redis.RedisError` with the rows back in their place.
    """
    connection.ping()
    now = clock.now()
    with engine.begin() as unit:
        parameters = {"now": now, "batch": BATCH, "queues": sorted(wire.PROVINCE)}
        rows = unit.execute(_CLAIM, parameters).all()
    for place, row in enumerate(rows):
        job = {"queue": row.queue, "outbox_id": row.id, "tenant_id": row.tenant_id}
        try:
            if row.attempts > 1:
                # A killed worker may have left it started, and holding a place that its second run would wait for.
                wire.forget(connection, **job)
            wire.send(connection, **job)
        except RedisError:
            _unsend(engine, rows[place:], now)
            raise
    return len(rows)


def _unsend(engine: Engine, rows: Sequence[Row[Any]], sent_at: object) -> None:
    with engine.begin() as unit:
        unit.execute(_UNSEND, [{"tenant_id": row.tenant_id, "id": row.id, "sent_at": sent_at} for row in rows])
