"""Finds rows that were sent and that no queue remembers, and sends them again; the only owner of retries."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from redis import Redis
from sqlalchemy import Connection, Engine, Row, text

from app.kernel import clock
from workers.jobs import wire

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
KEEP_DONE = timedelta(days=7)
KEEP_DEAD = timedelta(days=90)
_BATCH = 500
_BAD_LUCK = 2

# A row that a worker is working on is locked (short) or claimed (long), so it is not among these.
_SUSPECT = text("""
    select tenant_id, id, kind, queue, attempts from app.outbox
    where sent_at < :before and done_at is null and dead_at is null and (claimed_until is null or claimed_until < :now)
      and queue = any(:queues)
    order by sent_at limit :batch for update skip locked""")
_OVER = text("select id from app.outbox where id = any(cast(:ids as uuid[])) and coalesce(done_at, dead_at) < :before")
_AGAIN = text("""
    update app.outbox set sent_at = null, run_at = :run_at, error = coalesce(error, 'el proceso terminó sin avisar')
    where tenant_id = :tenant_id and id = :id""")
_BURY = text("""
    update app.outbox set dead_at = :now, error = coalesce(error, 'el proceso terminó sin avisar')
    where tenant_id = :tenant_id and id = :id""")
_REPORT = text("""
    insert into app.outbox (tenant_id, id, kind, queue, args, dedupe, run_at)
    select :tenant_id, uuidv7(), 'audit.report_death', 'retention', jsonb_build_object('outbox_id', cast(:id as text)), :id, :now
    where :kind <> 'audit.report_death' on conflict do nothing""")
_CLEAN = text("delete from app.outbox where done_at < :done or dead_at < :dead")


def backoff(attempts: int) -> timedelta:
    """How long to wait before the next attempt: 10 s doubled each time, 15 min at most, ± 20 % so that they spread."""
    seconds = min(10 * 2 ** min(attempts, 10), 900)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, hides nothing


def reconcile(engine: Engine, connection: Redis, *, after_s: int) -> int:
    """Return to the outbox what was sent more than `after_s` seconds ago and is nowhere. Returns how many rows."""
    now = clock.now()
    lost = 0
    with engine.begin() as unit:
        parameters = {
            "before": now - timedelta(seconds=after_s),
            "now": now,
            "batch": _BATCH,
            "queues": sorted(wire.PROVINCE),
        }
        by_queue: dict[str, list[Row]] = defaultdict(list)
        for row in unit.execute(_SUSPECT, parameters):
            by_queue[row.queue].append(row)
        for queue, rows in by_queue.items():
            waiting = wire.waiting(connection, queue)
            for row in rows:
                if str(row.id) not in waiting:
                    wire.forget(connection, queue=queue, outbox_id=row.id, tenant_id=row.tenant_id)
                    _return(unit, row)
                    lost += 1
    _free_places(engine, connection, now - timedelta(seconds=after_s))
    if lost:
        log.warning("%s jobs were sent and lost; they go again", lost)
    return lost


def _return(unit: Connection, row: Row) -> None:
    now = clock.now()
    key = {"tenant_id": row.tenant_id, "id": row.id}
    if row.attempts < MAX_ATTEMPTS:
        # Losing a process once or twice is bad luck and waits for nothing; more often, the job may be what kills it.
        wait = timedelta(0) if row.attempts <= _BAD_LUCK else backoff(row.attempts - _BAD_LUCK)
        unit.execute(_AGAIN, {**key, "run_at": now + wait})
        return
    unit.execute(_BURY, {**key, "now": now})
    unit.execute(_REPORT, {"tenant_id": row.tenant_id, "id": str(row.id), "kind": row.kind, "now": now})


def _free_places(engine: Engine, connection: Redis, before: datetime) -> None:
    """A worker killed after its commit has done the job and still holds its municipality's place in the queue."""
    holding = wire.holding(connection)
    with engine.begin() as unit:
        over = {str(row.id) for row in unit.execute(_OVER, {"ids": [job for *_, job in holding], "before": before})}
    for queue, tenant_id, job in holding:
        if job in over:
            wire.forget(connection, queue=queue, outbox_id=UUID(job), tenant_id=tenant_id)


def clean(engine: Engine) -> int:
    """Delete rows done long ago and dead ones nobody looked at in three months. Returns how many."""
    now = clock.now()
    with engine.begin() as unit:
        return unit.execute(_CLEAN, {"done": now - KEEP_DONE, "dead": now - KEEP_DEAD}).rowcount
