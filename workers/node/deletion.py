"""The one deletion predicate: which segments may go. Every path that deletes footage selects from here and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workers.recorder.clock import SECOND, from_iso

DAY_US = 86_400 * SECOND
QUARANTINE_US = 90 * DAY_US
FOREVER_US = 2**62

# `trusted_now()` and `segment_us()` are registered on the connection after the clock was checked; without them the view fails.
VIEW = f"""
CREATE TEMP VIEW IF NOT EXISTS unprotected_segments AS
SELECT s.*, h.expires_us FROM segments s
JOIN volumes v ON v.id = s.volume_id AND v.state = 'ok'
LEFT JOIN hours h ON h.camera = s.camera AND h.hour_us = s.hour_us AND h.part = s.part
WHERE s.state IN ('sealed', 'quarantined')
  AND s.end_us < trusted_now() - 2 * segment_us()
  AND (s.state = 'sealed' OR s.end_us < trusted_now() - {QUARANTINE_US})
  AND NOT EXISTS (SELECT 1 FROM holds k WHERE k.camera = s.camera AND k.from_us < s.end_us AND k.to_us > s.start_us
                    AND (k.expires_us IS NULL OR k.expires_us > trusted_now()))
"""  # noqa: S608 - only a constant number is inserted


def prepare(connection: sqlite3.Connection, now_us: Callable[[], int], segment_us: int) -> None:
    """Give a connection the predicate, bound to a checked clock."""
    connection.create_function("trusted_now", 0, now_us)
    connection.create_function("segment_us", 0, lambda: segment_us)
    connection.execute(VIEW)


def keep_holds(connection: sqlite3.Connection, holds: Sequence[Mapping[str, Any]], now_us: int) -> None:
    """Replace the copy of holds that the predicate reads with those of the desired state."""
    rows = [
        (
            # One hold may cover several stretches of a camera: each is a row of its own.
            f"{hold['id']}/{hold['from']}", str(hold["camera_id"]), from_iso(hold["from"]),
            from_iso(hold["to"]) if hold.get("to") else FOREVER_US,
            from_iso(hold["expires_at"]) if hold.get("expires_at") else None,
        )
        for hold in holds
    ]  # fmt: skip
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("DELETE FROM holds")
        connection.executemany("INSERT OR REPLACE INTO holds VALUES (?,?,?,?,?)", rows)
        connection.execute("INSERT OR REPLACE INTO facts VALUES ('holds_us', ?)", (str(now_us),))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def expired(connection: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """Segments past their retention, oldest first. An hour that is not closed yet has no expiry and is never expired."""
    return connection.execute(
        "SELECT id, camera, relpath, start_us, end_us, bytes FROM unprotected_segments"
        " WHERE expires_us IS NOT NULL AND expires_us < trusted_now() ORDER BY expires_us, camera, start_us LIMIT ?",
        (limit,),
    ).fetchall()


def oldest_unheld(connection: sqlite3.Connection, need_bytes: int, minimum_us: int) -> Iterator[sqlite3.Row]:
    """Segments that give way under pressure, oldest first, until the needed bytes are covered."""
    rows = connection.execute(
        "SELECT id, camera, relpath, start_us, end_us, bytes FROM unprotected_segments"
        " WHERE end_us + ? < trusted_now() ORDER BY start_us, camera",
        (minimum_us,),
    )
    freed = 0
    for row in rows:
        if freed >= need_bytes:
            return
        freed += row["bytes"]
        yield row
