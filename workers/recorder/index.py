"""The node's segment index: SQLite in WAL mode, one row per closed segment, written by one thread of the recorder."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)
BUSY_MS = 5000
_COALESCE_S = 0.02

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS volumes (id TEXT PRIMARY KEY, root TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
  open_counter INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS segments (
  id TEXT PRIMARY KEY, camera TEXT NOT NULL, volume_id TEXT NOT NULL, relpath TEXT NOT NULL, run_id TEXT NOT NULL,
  seq INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
  bytes INTEGER NOT NULL, usable_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, digest TEXT NOT NULL, codec TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, timescale INTEGER NOT NULL, fragment_index BLOB NOT NULL,
  clock_state TEXT NOT NULL, note TEXT, state TEXT NOT NULL DEFAULT 'sealed', state_reason TEXT,
  hour_us INTEGER NOT NULL, part INTEGER,
  UNIQUE (volume_id, relpath), UNIQUE (camera, run_id, seq)) STRICT;
CREATE INDEX IF NOT EXISTS segments_by_time ON segments (camera, start_us);
CREATE INDEX IF NOT EXISTS segments_unclosed ON segments (camera, hour_us) WHERE part IS NULL;
CREATE TABLE IF NOT EXISTS open_segments (id TEXT PRIMARY KEY, camera TEXT NOT NULL, relpath TEXT NOT NULL,
  start_us INTEGER NOT NULL, synced_bytes INTEGER NOT NULL, synced_us INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS gaps (id TEXT PRIMARY KEY, camera TEXT NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER,
  cause TEXT NOT NULL, code TEXT NOT NULL, flaps INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,
  shipped INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS gaps_by_camera ON gaps (camera, from_us);
CREATE INDEX IF NOT EXISTS gaps_unshipped ON gaps (shipped) WHERE shipped < version;
CREATE TABLE IF NOT EXISTS hours (camera TEXT NOT NULL, hour_us INTEGER NOT NULL, part INTEGER NOT NULL,
  recorded_ms INTEGER NOT NULL, segments INTEGER NOT NULL, bytes INTEGER NOT NULL, prev_hash TEXT NOT NULL,
  chain_hash TEXT NOT NULL, expires_us INTEGER NOT NULL, shipped INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (camera, hour_us, part)) STRICT;
CREATE TABLE IF NOT EXISTS holds (id TEXT NOT NULL, camera TEXT NOT NULL, from_us INTEGER NOT NULL,
  to_us INTEGER NOT NULL, expires_us INTEGER, PRIMARY KEY (id, camera)) STRICT;
CREATE TABLE IF NOT EXISTS purge_ranges (id TEXT PRIMARY KEY, camera TEXT NOT NULL, from_us INTEGER NOT NULL,
  to_us INTEGER NOT NULL, segments INTEGER NOT NULL, bytes INTEGER NOT NULL, cause TEXT NOT NULL, state TEXT NOT NULL,
  ordered_us INTEGER NOT NULL, done_us INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS quarantine (relpath TEXT PRIMARY KEY, reason TEXT NOT NULL, found_us INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Segment:
    """A closed segment as the index keeps it."""

    id: str
    camera: str
    volume_id: str
    relpath: str
    run_id: str
    seq: int
    start_us: int
    end_us: int
    duration_ms: int
    fragment_index: bytes
    bytes: int
    usable_bytes: int
    sha256: str
    digest: str
    codec: str
    width: int
    height: int
    timescale: int
    clock_state: str
    note: str | None
    hour_us: int


_COLUMNS = tuple(Segment.__dataclass_fields__)
INSERT_SEGMENT = f"INSERT OR IGNORE INTO segments ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - constants


def segment_values(segment: Segment) -> tuple[object, ...]:
    return tuple(getattr(segment, name) for name in _COLUMNS)


def open_index(path: Path) -> sqlite3.Connection:
    """A connection to the index, with its tables made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    connection.executescript(SCHEMA)
    return connection


def pack_index(rows: Sequence[tuple[int, int, int, int]]) -> bytes:
    """Fragments that start with a keyframe as `(offset, size, dts, wall_us)`, compact."""
    return zlib.compress(array("q", [value for row in rows for value in row]).tobytes())


def unpack_index(data: bytes) -> list[tuple[int, int, int, int]]:
    values = array("q")
    values.frombytes(zlib.decompress(data))
    return [(values[at], values[at + 1], values[at + 2], values[at + 3]) for at in range(0, len(values), 4)]


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of everything recorded that is still on disk, the open files included."""
    (closed,) = connection.execute(
        "SELECT coalesce(sum(bytes), 0) FROM segments WHERE state IN ('sealed', 'quarantined')"
    ).fetchone()
    (opened,) = connection.execute("SELECT coalesce(sum(synced_bytes), 0) FROM open_segments").fetchone()
    return int(closed) + int(opened)


Statement = tuple[str, tuple[object, ...]]


class IndexWriter:
    """Applies statements in order from one thread; what arrives together is committed together."""

    def __init__(self, path: Path) -> None:
        self._connection = open_index(path)
        self._queue: queue.SimpleQueue[Callable[[], list[Statement]] | None] = queue.SimpleQueue()
        self._synced: dict[str, tuple[object, ...]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)
        self._thread.start()

    def write(self, *statements: Statement) -> None:
        """Queue statements; they are committed in the order of the calls."""
        self._queue.put(lambda: list(statements))

    def write_at(self, prepare: Callable[[], list[Statement]]) -> None:
        """Queue work that runs just before its own commit (the fail-point of the row)."""
        self._queue.put(prepare)

    def synced(self, segment_id: str, camera: str, relpath: str, start_us: int, synced_bytes: int, at_us: int) -> None:
        """Note how much of an open segment is on disk; only the latest note of each segment is written."""
        with self._lock:
            self._synced[segment_id] = (segment_id, camera, relpath, start_us, synced_bytes, at_us)

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything queued so far is committed."""
        done = threading.Event()

        def mark() -> list[Statement]:
            done.set()
            return []

        self._queue.put(mark)
        return done.wait(timeout)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(10)
        self._connection.close()

    def _run(self) -> None:
        while True:
            batch = self._next_batch()
            ending = None in batch
            self._commit([prepare for prepare in batch if prepare is not None])
            if ending:
                return

    def _next_batch(self) -> list[Callable[[], list[Statement]] | None]:
        try:
            batch = [self._queue.get(timeout=1.0)]
        except queue.Empty:
            return []
        time.sleep(_COALESCE_S)
        while len(batch) < 500:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _commit(self, batch: list[Callable[[], list[Statement]]]) -> None:
        with self._lock:
            synced, self._synced = self._synced, {}
        if not batch and not synced:
            return
        self._execute([("INSERT OR REPLACE INTO open_segments VALUES (?,?,?,?,?,?)", row) for row in synced.values()])
        for prepare in batch:
            try:
                statements = prepare()
            except OSError as error:
                log.warning("a row was not written and is left to the sweep: %s", type(error).__name__)
                continue
            self._execute(statements)

    def _execute(self, statements: list[Statement]) -> None:
        """One transaction; a failure is logged and left to the sweep, recording goes on."""
        if not statements:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for sql, values in statements:
                self._connection.execute(sql, values)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            log.error("index write failed: %s", error)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
