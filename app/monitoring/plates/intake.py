"""Stores readings in bulk: two statements in one round trip, correct under concurrency, with the exact hot-list match inside.

The orders by key are what keeps two batches from deadlocking; the dictionary of plates and pairs is written only for plates
not seen before, and `last_day` moves at most once a day. `offset 0` keeps each look-up one descent of an index: left to
choose, the planner reads the whole dictionary of a small municipality for every batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.kernel import actor as acting
from app.kernel import clock
from app.kernel.db import session
from app.monitoring.plates.types import Read

_STORE = """
with arrived as (
  insert into app.plate_reads (tenant_id, seen_at, id, camera_id, plate, raw, format, country, confidence, consensus,
                               char_conf, crop_sha, image_sha, direction, source, received_at)
  select %(tenant)s, b.*, %(now)s
  from unnest(%(seen_at)s::timestamptz[], %(id)s::uuid[], %(camera)s::uuid[], %(plate)s::text[], %(raw)s::text[],
              %(format)s::text[], %(country)s::text[], %(confidence)s::real[], %(consensus)s::text[],
              %(char_conf)s::jsonb[], %(crop)s::text[], %(image)s::text[], %(direction)s::text[], %(source)s::text[])
       as b(seen_at, id, camera_id, plate, raw, format, country, confidence, consensus, char_conf, crop, image, direction, source)
  order by b.seen_at, b.id
  on conflict do nothing
  returning id, seen_at, plate)
select a.id, a.seen_at, h.entry_id
from arrived a left join lateral (
  select h.entry_id from app.hot_plates h where h.tenant_id = %(tenant)s and h.plate = a.plate offset 0) h on true"""

_REMEMBER = """
with renewed as (
  insert into app.plate_numbers (tenant_id, plate, last_day)
  select %(tenant)s, u.plate, u.day from unnest(%(plates)s::text[], %(days)s::date[]) as u(plate, day)
  left join lateral (
    select n.last_day from app.plate_numbers n where n.tenant_id = %(tenant)s and n.plate = u.plate offset 0) n on true
  where n.last_day is null or n.last_day < u.day
  order by u.plate
  on conflict (tenant_id, plate) do update set last_day = excluded.last_day where plate_numbers.last_day < excluded.last_day
  returning plate, old.plate is null as fresh)
insert into app.plate_grams (tenant_id, g, pos, plate)
select %(tenant)s, substr(plate, k, 2), k, plate from renewed cross join lateral generate_series(1, length(plate) - 1) as k
where fresh order by 4, 3
on conflict do nothing"""

_MATCH = """
select b.id, b.seen_at, h.entry_id
from unnest(%(id)s::uuid[], %(seen_at)s::timestamptz[], %(plate)s::text[]) as b(id, seen_at, plate)
cross join lateral (select h.entry_id from app.hot_plates h where h.tenant_id = %(tenant)s and h.plate = b.plate offset 0) h"""

_STORED = """
select r.* from unnest(%(id)s::uuid[], %(seen_at)s::timestamptz[]) as b(id, seen_at)
cross join lateral (
  select r.id, r.seen_at, r.plate, r.camera_id from app.plate_reads r
  where r.tenant_id = %(tenant)s and r.seen_at = b.seen_at and r.id = b.id offset 0) r"""

Key = tuple[UUID, datetime]


class Stored(NamedTuple):
    """Which readings were new, the entries their plates are listed under, and whether a plate was seen for the first time."""

    new: set[Key]
    listed: list[tuple[Key, UUID]]
    has_new_plates: bool = False


def store(reads: Sequence[Read]) -> Stored:
    """Insert `reads` and keep the dictionary; a reading already stored is left alone."""
    raw = _connection()
    parameters = {"tenant": acting.current().tenant_id, "now": clock.now(), **_columns(reads)}
    plates, days = _newest_days(reads)
    with raw.pipeline():
        arrived = raw.execute(_STORE, parameters)
        remembered = raw.execute(
            _REMEMBER,
            {"tenant": parameters["tenant"], "plates": _plain(plates), "days": _plain(day.isoformat() for day in days)},
        )
    new: set[Key] = set()
    listed: list[tuple[Key, UUID]] = []
    for read_id, seen_at, entry_id in arrived:
        new.add((read_id, seen_at))
        if entry_id is not None:
            listed.append(((read_id, seen_at), entry_id))
    return Stored(new, listed, remembered.rowcount > 0)


def match(reads: Sequence[Read]) -> list[tuple[Key, UUID]]:
    """The entries in force for the plates of `reads`, which are not stored."""
    rows = _connection().execute(_MATCH, {"tenant": acting.current().tenant_id, **_columns(reads)})
    return [((read_id, seen_at), entry_id) for read_id, seen_at, entry_id in rows]


def stored_facts(reads: Sequence[Read]) -> dict[Key, tuple[str, UUID]]:
    """Plate and camera of the readings already stored under these keys."""
    rows = _connection().execute(_STORED, {"tenant": acting.current().tenant_id, **_columns(reads)})
    return {(read_id, seen_at): (plate, camera_id) for read_id, seen_at, plate, camera_id in rows}


def _connection() -> Any:
    """The driver's connection of the open unit, already bound to the municipality."""
    return session().connection().connection.driver_connection


def _columns(reads: Sequence[Read]) -> dict[str, str]:
    return {
        "seen_at": _plain(read.seen_at.isoformat() for read in reads),
        "id": _plain(read.id.hex for read in reads),
        "camera": _plain(read.camera_id.hex for read in reads),
        "plate": _plain(read.plate for read in reads),
        "raw": _quoted(read.raw or None for read in reads),
        "format": _plain(read.format for read in reads),
        "country": _quoted(read.country for read in reads),
        "confidence": _plain(repr(read.confidence) for read in reads),
        "consensus": _plain(read.consensus for read in reads),
        "char_conf": _quoted(json.dumps(read.char_conf) if read.char_conf else None for read in reads),
        "crop": _quoted(read.crop_sha for read in reads),
        "image": _quoted(read.image_sha for read in reads),
        "direction": _quoted(read.direction for read in reads),
        "source": _plain(read.source for read in reads),
    }


# Array literals are written here: the driver looks at each of thousands of elements, which costs more than storing them.


def _plain(values: Iterable[str]) -> str:
    """An array literal of words without spaces, quotes, commas or braces."""
    return "{" + ",".join(values) + "}"


def _quoted(values: Iterable[str | None]) -> str:
    """An array literal of any text, or NULL."""
    return "{" + ",".join("NULL" if value is None else _quote(value) for value in values) + "}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _newest_days(reads: Sequence[Read]) -> tuple[list[str], list[date]]:
    newest: dict[str, date] = {}
    for read in reads:
        day = read.seen_at.astimezone(UTC).date()
        if newest.get(read.plate, date.min) < day:
            newest[read.plate] = day
    plates = sorted(newest)
    return plates, [newest[plate] for plate in plates]
