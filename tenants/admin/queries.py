"""Counts across municipalities: plain SQL over the reading session of the Dirección, aggregates only."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from tenants.admin.types import Counts

SILENT_AFTER = timedelta(seconds=30)
DAY = timedelta(hours=24)

# lint-skip tenant-scope: the Dirección's aggregates are read across municipalities on purpose, with a recorded motive
_CAMERAS = text("""
    select c.tenant_id, count(*) as cameras, count(*) filter (where c.source_kind <> 'none') as wired,
      count(*) filter (where c.source_kind <> 'none' and s.state = 'online' and n.last_seen_at > :heard) as online
    from app.cameras c
    left join app.camera_states s on s.tenant_id = c.tenant_id and s.camera_id = c.id
    left join app.nodes n on n.tenant_id = c.tenant_id and n.id = c.node_id
    where c.decommissioned_at is null group by c.tenant_id""")
_ALARMS = text("""
    select tenant_id, count(*) filter (where raised_at >= :since) as alarms_day, count(*) filter (where state = 'new') as waiting,
      percentile_disc(0.9) within group (order by taken_at - first_at) filter (where raised_at >= :since) as take_p90
    from app.alarms where raised_at >= :since or state = 'new' group by tenant_id""")
_NODES = text("""
    select tenant_id, count(*) as nodes, count(*) filter (where last_seen_at > :heard) as nodes_linked
    from app.nodes where state = 'active' group by tenant_id""")
_LISTS = text("""
    select tenant_id, count(*) as stale_lists from app.hotlists
    where refresh_hours is not null and updated_at < :now - make_interval(hours => refresh_hours) group by tenant_id""")
_HOURS = text("""
    select floor(extract(epoch from raised_at - :since) / 3600)::int as hour, count(*) as n
    from app.alarms where raised_at >= :since group by 1""")
_TAKE = text("""
    select percentile_disc(0.9) within group (order by taken_at - first_at) from app.alarms where raised_at >= :since""")


def counts(reader: Session, now: datetime) -> dict[int, Counts]:
    """Counts of each municipality that has anything."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    values = {"now": now, "since": now - DAY, "heard": now - SILENT_AFTER}
    for query in (_CAMERAS, _ALARMS, _NODES, _LISTS):
        names = {name: value for name, value in values.items() if f":{name}" in query.text}
        for row in reader.execute(query, names):
            found[row.tenant_id] |= _fields(row)
    return {tenant_id: Counts(**fields) for tenant_id, fields in found.items()}


def alarms_by_hour(reader: Session, now: datetime) -> list[int]:
    """Alarms of the whole province in each of the last 24 hours, oldest first."""
    by_hour = {row.hour: row.n for row in reader.execute(_HOURS, {"since": now - DAY})}
    return [by_hour.get(hour, 0) for hour in range(24)]


def take_p90(reader: Session, now: datetime) -> timedelta | None:
    """In what time nine of ten alarms of the last day were taken."""
    return reader.scalar(_TAKE, {"since": now - DAY})


def _fields(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "tenant_id"}
