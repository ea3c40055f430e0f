"""What waits to reach the province: SQLite in WAL mode, synchronous, shared by the daemon and the supervisors.

A row leaves only after the province accepted or refused it; a batch that got no answer is repeated word for word.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from workers.recorder.clock import SECOND, Clock

BATCH = 500
LIMIT_BYTES = 512 << 20
_ATTEMPTS = 5
_REJECTED_KEPT = 10_000
_SENT_KEPT_US = 86_400 * SECOND
# What a full spool gives up, first to last; alarms, gaps, hours, tombstones and order results are never given up.
SACRIFICED = ("snapshot", "plate_read")

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (n INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, epoch INTEGER, run INTEGER,
  type TEXT NOT NULL, body TEXT NOT NULL, bytes INTEGER NOT NULL, key TEXT UNIQUE, batch_id TEXT,
  alone INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, created_us INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS items_batch ON items (batch_id) WHERE batch_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS blobs (n INTEGER NOT NULL, sha256 TEXT NOT NULL, path TEXT NOT NULL,
  PRIMARY KEY (n, sha256)) STRICT;
CREATE INDEX IF NOT EXISTS blobs_by_sha ON blobs (sha256);
CREATE TABLE IF NOT EXISTS sent (sha256 TEXT PRIMARY KEY, at_us INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS rejected (n INTEGER PRIMARY KEY, type TEXT NOT NULL, code TEXT NOT NULL, title TEXT NOT NULL,
  body TEXT NOT NULL, at_us INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sessions (session_id TEXT PRIMARY KEY, state TEXT NOT NULL, detail TEXT,
  config_version INTEGER NOT NULL, run INTEGER NOT NULL DEFAULT 0, holder TEXT, epoch INTEGER,
  stale INTEGER NOT NULL DEFAULT 0, updated_us INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, body TEXT NOT NULL, state TEXT NOT NULL, due_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, taken_us INTEGER, done_us INTEGER) STRICT;
"""


@dataclass(frozen=True)
class Origin:
    """Which analytics run an item comes from; the daemon's own items have none."""

    session_id: str
    epoch: int
    run: int


@dataclass(frozen=True)
class Blob:
    sha256: str
    path: Path


@dataclass(frozen=True)
class Batch:
    """Items of one origin under one id."""

    id: str
    origin: Origin | None
    items: tuple[dict[str, Any], ...]

    def message(self) -> dict[str, Any]:
        session = None if self.origin is None else {
            "session_id": self.origin.session_id, "epoch": self.origin.epoch, "run": self.origin.run,
        }  # fmt: skip
        return {"schema": 1, "batch_id": self.id, "session": session, "items": list(self.items)}


def connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=5000")
    return connection


class Spool:
    """One municipality's spool. Safe for several threads and several processes."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._connection = connect(path)
        self._connection.executescript(SCHEMA)
        self._lock = threading.RLock()
        self.touched = threading.Event()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _transaction(self) -> _Transaction:
        return _Transaction(self._connection, self._lock)

    def put(
        self,
        item: Mapping[str, Any],
        *,
        origin: Origin | None = None,
        blobs: Sequence[Blob] = (),
        key: str | None = None,
    ) -> bool:
        """Keep an item until the province has it; false when its key is already here."""
        body = json.dumps(dict(item), separators=(",", ":"))
        size = len(body)
        rows = []
        for blob in blobs:
            length = blob.path.stat().st_size if blob.path.exists() else 0
            rows.append((blob.sha256, str(blob.path)))
            size += length
        place = (origin.session_id, origin.epoch, origin.run) if origin else (None, None, None)
        with self._transaction() as db:
            made = db.execute(
                "INSERT OR IGNORE INTO items (session_id, epoch, run, type, body, bytes, key, created_us)"
                " VALUES (?,?,?,?,?,?,?,?)",
                (*place, str(item["type"]), body, size, key, self._clock.wall_us()),
            )
            if made.rowcount != 1:
                return False
            for row in rows:
                db.execute("INSERT OR IGNORE INTO blobs VALUES (?,?,?)", (made.lastrowid, *row))
        self.touched.set()
        return True

    def version(self) -> int:
        """Changes when another connection wrote; as cheap as a poll can be."""
        with self._lock:
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def next_batch(self, limit: int = BATCH) -> Batch | None:
        """The batch that awaits an answer, or a new one of the oldest items with one origin."""
        with self._transaction() as db:
            open_batch = db.execute("SELECT batch_id FROM items WHERE batch_id IS NOT NULL LIMIT 1").fetchone()
            batch_id = open_batch[0] if open_batch else self._form(db, limit)
            if batch_id is None:
                return None
            rows = db.execute("SELECT * FROM items WHERE batch_id=? ORDER BY n", (batch_id,)).fetchall()
        first = rows[0]
        origin = Origin(first["session_id"], first["epoch"], first["run"]) if first["session_id"] else None
        return Batch(batch_id, origin, tuple({"n": row["n"], **json.loads(row["body"])} for row in rows))

    def _form(self, db: sqlite3.Connection, limit: int) -> str | None:
        first = db.execute("SELECT n, session_id, epoch, run, alone FROM items ORDER BY n LIMIT 1").fetchone()
        if first is None:
            return None
        batch_id = str(uuid4())
        db.execute(
            "UPDATE items SET batch_id=? WHERE n IN (SELECT n FROM items WHERE session_id IS ? AND epoch IS ? AND run IS ?"
            " AND alone=? ORDER BY n LIMIT ?)",
            (
                batch_id,
                first["session_id"],
                first["epoch"],
                first["run"],
                first["alone"],
                1 if first["alone"] else limit,
            ),
        )
        return batch_id

    def settle(self, batch: Batch, accepted: Iterable[int], rejected: Iterable[Mapping[str, Any]]) -> None:
        """The province's answer: accepted rows leave, refused ones are set aside, unmentioned ones go again a few times."""
        refused = {int(row["n"]): (str(row.get("code", "")), str(row.get("title", ""))) for row in rejected}
        taken = {int(n) for n in accepted}
        with self._transaction() as db:
            for item in batch.items:
                n = int(item["n"])
                if n in refused:
                    self._set_aside(db, n, *refused[n])
                elif n in taken:
                    self._remove(db, n)
                else:
                    db.execute("UPDATE items SET batch_id=NULL, attempts=attempts+1 WHERE n=?", (n,))
            for row in db.execute("SELECT n FROM items WHERE attempts>=?", (_ATTEMPTS,)).fetchall():
                self._set_aside(db, row[0], "unanswered", "")

    def refuse(self, batch: Batch, code: str) -> None:
        """The whole batch is refused for good."""
        with self._transaction() as db:
            for item in batch.items:
                self._set_aside(db, int(item["n"]), code, "")
            if code == "stale_epoch" and batch.origin is not None:
                db.execute(
                    "UPDATE sessions SET stale=1 WHERE session_id=? AND epoch=?",
                    (batch.origin.session_id, batch.origin.epoch),
                )

    def isolate(self, batch: Batch) -> None:
        """One bad row spoils the batch: send its rows one by one to find it."""
        with self._transaction() as db:
            db.execute("UPDATE items SET batch_id=NULL, alone=1 WHERE batch_id=?", (batch.id,))

    def _set_aside(self, db: sqlite3.Connection, n: int, code: str, title: str) -> None:
        db.execute(
            "INSERT OR REPLACE INTO rejected SELECT n, type, ?, ?, body, ? FROM items WHERE n=?",
            (code, title, self._clock.wall_us(), n),
        )
        db.execute("DELETE FROM rejected WHERE n <= (SELECT max(n) FROM rejected) - ?", (_REJECTED_KEPT,))
        self._remove(db, n)

    @staticmethod
    def _remove(db: sqlite3.Connection, n: int) -> None:
        """Delete an item, and its blob files when no other item needs them."""
        db.execute("DELETE FROM items WHERE n=?", (n,))
        for row in db.execute("DELETE FROM blobs WHERE n=? RETURNING sha256, path", (n,)).fetchall():
            if db.execute("SELECT 1 FROM blobs WHERE sha256=? LIMIT 1", (row["sha256"],)).fetchone() is None:
                Path(row["path"]).unlink(missing_ok=True)

    def pending_blobs(self, batch: Batch) -> list[Blob]:
        """Blobs of a batch that the province does not have yet."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT DISTINCT sha256, path FROM blobs WHERE n IN (SELECT n FROM items WHERE batch_id=?)"
                " AND sha256 NOT IN (SELECT sha256 FROM sent)",
                (batch.id,),
            ).fetchall()
        return [Blob(row["sha256"], Path(row["path"])) for row in rows]

    def blob_sent(self, sha256: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO sent VALUES (?,?)", (sha256, self._clock.wall_us()))
            db.execute("DELETE FROM sent WHERE at_us<?", (self._clock.wall_us() - _SENT_KEPT_US,))

    def blob_lost(self, sha256: str) -> None:
        """The file is gone: the item goes without its picture rather than not at all."""
        with self._transaction() as db:
            rows = db.execute("SELECT n, body FROM items WHERE n IN (SELECT n FROM blobs WHERE sha256=?)", (sha256,))
            for row in rows.fetchall():
                body = {key: None if value == sha256 else value for key, value in json.loads(row["body"]).items()}
                db.execute("UPDATE items SET body=? WHERE n=?", (json.dumps(body, separators=(",", ":")), row["n"]))
            db.execute("DELETE FROM blobs WHERE sha256=?", (sha256,))

    def trim(self, limit: int = LIMIT_BYTES) -> int:
        """Give up what may be given up while the spool is over its limit; returns how many rows."""
        dropped = 0
        with self._transaction() as db:
            for kind in SACRIFICED:
                while db.execute("SELECT total(bytes) FROM items").fetchone()[0] > limit:
                    rows = db.execute(
                        "SELECT n FROM items WHERE type=? AND batch_id IS NULL ORDER BY n LIMIT ?", (kind, BATCH)
                    ).fetchall()
                    for row in rows:
                        self._remove(db, row["n"])
                    dropped += len(rows)
                    if not rows:
                        break
        return dropped

    def waiting(self, session_id: str | None = None, below_epoch: int | None = None) -> int:
        """How many items wait, of everybody or of a session's former epochs."""
        with self._lock:
            if session_id is None:
                return int(self._connection.execute("SELECT count(*) FROM items").fetchone()[0])
            return int(
                self._connection.execute(
                    "SELECT count(*) FROM items WHERE session_id=? AND epoch<?", (session_id, below_epoch)
                ).fetchone()[0]
            )

    def fact(self, name: str, default: Any = None) -> Any:
        with self._lock:
            row = self._connection.execute("SELECT value FROM facts WHERE name=?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def keep(self, name: str, value: Any) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?,?)", (name, json.dumps(value)))

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """One statement in its own transaction, for the small tables of this file."""
        with self._transaction() as db:
            return db.execute(sql, values).fetchall()


class _Transaction:
    """`BEGIN IMMEDIATE` … `COMMIT` under the connection's lock."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock) -> None:
        self._connection, self._lock = connection, lock

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self._lock.release()
            raise
        return self._connection

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._connection.execute("ROLLBACK" if kind else "COMMIT")
        finally:
            self._lock.release()
