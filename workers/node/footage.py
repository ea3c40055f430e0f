"""What the index owes the province: gaps and tombstones at once, and one row per camera and hour, chained against change."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from workers.node import deletion
from workers.node.spool import Spool
from workers.recorder import failpoints
from workers.recorder.clock import SECOND, Clock, iso
from workers.recorder.index import open_index, used_bytes

HOUR_US = 3600 * SECOND
DAY_US = 24 * HOUR_US
CLOSE_AFTER_US = 180 * SECOND
GENESIS = "0" * 64
DEFAULT_DAYS = 30
_AT_A_TIME = 200


class Footage:
    """Reads the index for the daemon; the recorder writes segments and gaps, this closes hours and keeps holds."""

    def __init__(self, index: Path, spool: Spool, clock: Clock | None = None) -> None:
        self._connection = open_index(index)
        self._spool, self._clock = spool, clock or Clock()

    def close(self) -> None:
        self._connection.close()

    def ship_gaps(self) -> int:
        """Spool gaps that are new or changed since they were last told."""
        rows = self._connection.execute("SELECT * FROM gaps WHERE shipped<version LIMIT ?", (_AT_A_TIME,)).fetchall()
        for row in rows:
            item = {
                "type": "gap", "gap_id": row["id"], "camera_id": row["camera"], "from_at": iso(row["from_us"]),
                "to_at": iso(row["to_us"]) if row["to_us"] is not None else None, "cause": row["cause"],
                "code": row["code"], "flaps": row["flaps"],
            }  # fmt: skip
            self._spool.put(item, key=f"gap:{row['id']}:{row['version']}")
            self._connection.execute("UPDATE gaps SET shipped=? WHERE id=?", (row["version"], row["id"]))
        return len(rows)

    def close_hours(self, retention_days: int | None) -> int:
        """Close every camera-hour that ended three minutes ago and spool it."""
        before = self._clock.wall_us() - CLOSE_AFTER_US - HOUR_US
        due = self._connection.execute(
            "SELECT DISTINCT camera, hour_us FROM segments WHERE part IS NULL AND hour_us<=? ORDER BY hour_us, camera",
            (before,),
        ).fetchall()
        for row in due:
            self._close_hour(row["camera"], row["hour_us"], retention_days or DEFAULT_DAYS)
        return len(due) + self._ship_hours()

    def _close_hour(self, camera: str, hour_us: int, days: int) -> None:
        db = self._connection
        db.execute("BEGIN IMMEDIATE")
        try:
            rows = db.execute(
                "SELECT id, digest, duration_ms, bytes FROM segments WHERE camera=? AND hour_us=? AND part IS NULL"
                " ORDER BY start_us, id",
                (camera, hour_us),
            ).fetchall()
            part = db.execute(
                "SELECT coalesce(max(part), -1) + 1 FROM hours WHERE camera=? AND hour_us=?", (camera, hour_us)
            ).fetchone()[0]
            previous = db.execute(
                "SELECT chain_hash FROM hours WHERE camera=? ORDER BY rowid DESC LIMIT 1", (camera,)
            ).fetchone()
            begin = previous[0] if previous else GENESIS
            failpoints.hit("7")
            db.execute(
                "INSERT INTO hours VALUES (?,?,?,?,?,?,?,?,?,0)",
                (
                    camera, hour_us, part, sum(row["duration_ms"] for row in rows), len(rows),
                    sum(row["bytes"] for row in rows), begin, chain(begin, [row["digest"] for row in rows]),
                    hour_us + HOUR_US + days * DAY_US,
                ),
            )  # fmt: skip
            db.executemany("UPDATE segments SET part=? WHERE id=?", [(part, row["id"]) for row in rows])
            db.execute("COMMIT")
        except (sqlite3.Error, OSError):
            db.execute("ROLLBACK")
            raise

    def _ship_hours(self) -> int:
        rows = self._connection.execute("SELECT rowid, * FROM hours WHERE shipped=0 LIMIT ?", (_AT_A_TIME,)).fetchall()
        for row in rows:
            item = {
                "type": "hours", "camera_id": row["camera"], "hour": iso(row["hour_us"]), "part": row["part"],
                "recorded_ms": min(row["recorded_ms"], 3_700_000), "segments": row["segments"], "bytes": row["bytes"],
                "prev_sha": row["prev_hash"], "chain_sha": row["chain_hash"],
            }  # fmt: skip
            self._spool.put(item, key=f"hour:{row['camera']}:{row['hour_us']}:{row['part']}")
            self._connection.execute("UPDATE hours SET shipped=1 WHERE rowid=?", (row["rowid"],))
        return len(rows)

    def ship_purges(self) -> int:
        """Spool the tombstones of what is gone, in the order in which they were written and each once."""
        db = self._connection
        mark = db.execute("SELECT value FROM facts WHERE name='purges_shipped'").fetchone()
        rows = db.execute(
            "SELECT rowid, * FROM purge_ranges WHERE rowid>? ORDER BY rowid LIMIT ?",
            (int(mark["value"]) if mark else 0, _AT_A_TIME),
        ).fetchall()
        done = list(takewhile(lambda row: row["state"] == "done", rows))
        for row in done:
            item = {
                "type": "purge", "purge_id": row["id"], "camera_id": row["camera"], "from_at": iso(row["from_us"]),
                "to_at": iso(row["to_us"]), "segments": row["segments"], "bytes": row["bytes"], "cause": row["cause"],
                "ordered_at": iso(row["ordered_us"]), "deleted_at": iso(row["done_us"]),
            }  # fmt: skip
            self._spool.put(item, key=f"purge:{row['id']}")
            db.execute("INSERT OR REPLACE INTO facts VALUES ('purges_shipped', ?)", (str(row["rowid"]),))
        return len(done)

    def keep_holds(self, holds: Sequence[Mapping[str, Any]]) -> None:
        """Replace the copy of holds; retention reads nothing else."""
        deletion.keep_holds(self._connection, holds, self._clock.wall_us())

    def only_held(self) -> bool:
        """The last retention pass found nothing more that may go: recording waits until space returns."""
        row = self._connection.execute("SELECT value FROM facts WHERE name='only_held'").fetchone()
        return row is not None and row["value"] == "1"

    def used_bytes(self) -> int:
        return used_bytes(self._connection)


def chain(previous: str, digests: Sequence[str]) -> str:
    """Fold segment digests into a camera's chain."""
    value = bytes.fromhex(previous)
    for one in digests:
        value = hashlib.sha256(value + bytes.fromhex(one)).digest()
    return value.hex()
