"""Turns due schedules into outbox rows, each due time once, whatever the number of clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter
from sqlalchemy import Engine, text

from app.kernel import clock

# Later than this, a schedule that skips what it missed waits for its next time.
LATE = timedelta(minutes=5)

_DUE = text("""
    select tenant_id, name, kind, queue, args, cron, tz, misfire, next_at from app.schedules
    where next_at <= :now order by next_at limit 100 for update skip locked""")
_PLACE = text("""
    insert into app.outbox (tenant_id, id, kind, queue, args, dedupe, run_at)
    select tenant_id, uuidv7(), kind, queue, args, :dedupe, :now from app.schedules
    where tenant_id = :tenant_id and name = :name on conflict do nothing""")
_ADVANCE = text("update app.schedules set next_at = :next_at where tenant_id = :tenant_id and name = :name")


def next_time(cron: str, after: datetime, tz: str) -> datetime:
    """The first time of `cron` after `after`, read on the clocks of `tz`."""
    local = after.astimezone(ZoneInfo(tz))
    found: datetime = croniter(cron, local).get_next(datetime)
    return found.astimezone(after.tzinfo)


def run_due(engine: Engine) -> int:
    """Place the rows of every schedule that is due and move it to its next time, in one transaction. Returns how many."""
    now = clock.now()
    placed = 0
    with engine.begin() as unit:
        for row in unit.execute(_DUE, {"now": now}).all():
            key = {"tenant_id": row.tenant_id, "name": row.name}
            if row.misfire == "run-once" or now - row.next_at <= LATE:
                dedupe = f"{row.name}@{row.next_at.isoformat()}"
                placed += unit.execute(_PLACE, {**key, "dedupe": dedupe, "now": now}).rowcount
            unit.execute(_ADVANCE, {**key, "next_at": next_time(row.cron, now, row.tz)})
    return placed
