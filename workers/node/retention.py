"""Retention of one municipality's volume: finish what a crash left, delete what expired, give way under pressure, say so.

The range tombstone is committed before any file goes; a file is never deleted outside one.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from app.kernel.ids import new_id
from workers.node import deletion
from workers.node.clocks import ClockInDoubtError, trusted_now
from workers.node.desired import read_cached
from workers.node.settings import NodeSettings
from workers.recorder import failpoints
from workers.recorder.clock import SECOND, Clock
from workers.recorder.files import sync_directory
from workers.recorder.gaps import SEAM_US
from workers.recorder.index import open_index, used_bytes

log = logging.getLogger(__name__)
PLAN = 500
GUARD_SHARE = 0.25
GUARD_FLOOR = 50
QUOTA_MARGIN = 0.03
_GIB = 1 << 30


@dataclass(frozen=True)
class StorageThresholds:
    """Every number about space, in one place: recorder, retention and alarms read the same ones."""

    quota_bytes: int
    low_water_bytes: int

    @classmethod
    def of(cls, volume: Path, quota_bytes: int) -> StorageThresholds:
        """Raises `OSError`: space that cannot be measured is unknown, never infinite."""
        size = shutil.disk_usage(volume).total
        return cls(quota_bytes, min(size // 20, 50 * _GIB))

    def excess(self, volume: Path, used: int) -> int:
        """Bytes to free so that the quota and the volume breathe again. Raises `OSError`."""
        over_quota = used - self.quota_bytes if self.quota_bytes else 0
        wanted = over_quota + int(self.quota_bytes * QUOTA_MARGIN) if over_quota > 0 else 0
        short = self.low_water_bytes - shutil.disk_usage(volume).free
        return max(wanted, short if not self.quota_bytes else 0, 0)


@dataclass
class RetentionReport:
    expired: int = 0
    pressed: int = 0
    bytes: int = 0
    only_held: bool = False
    frozen: str | None = None


class Retention:
    """One pass over one municipality's volume. Two passes at once are refused by the volume's lock."""

    def __init__(
        self, folder: Path, *, quota_bytes: int, early: bool, minimum_days: float, segment_s: int, waived: bool,
        clock: Clock | None = None, holds: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._volume = folder, folder / "volume"
        self._quota, self._early, self._minimum_us = quota_bytes, early, int(minimum_days * deletion.DAY_US)
        self._segment_us, self._waived, self._clock = segment_s * SECOND, waived, clock or Clock()
        self._holds = holds

    def run(self) -> RetentionReport | None:
        """The report; None when another pass holds the volume."""
        with _lock(self._folder / "retention.lock") as held:
            if not held:
                return None
            db = open_index(self._folder / "index.sqlite")
            try:
                return self._pass(db)
            finally:
                db.close()

    def _pass(self, db: sqlite3.Connection) -> RetentionReport:
        report = RetentionReport()
        self._finish_ranges(db)
        try:
            now = trusted_now(db, self._clock, waived=self._waived)
        except ClockInDoubtError as doubt:
            log.error("retention frozen: clock %s", doubt)
            report.frozen = f"clock_{doubt}"
            return report
        deletion.prepare(db, lambda: now, self._segment_us)
        if not self._volume_is_ours(db):
            report.frozen = "volume"
            return report
        if self._holds is not None:
            deletion.keep_holds(db, self._holds, now)
        self._expire(db, report)
        self._give_way(db, report)
        for name, value in (("last_retention_us", now), ("only_held", int(report.only_held))):
            db.execute("INSERT OR REPLACE INTO facts VALUES (?,?)", (name, str(value)))
        return report

    def _volume_is_ours(self, db: sqlite3.Connection) -> bool:
        row = db.execute("SELECT state FROM volumes LIMIT 1").fetchone()
        return row is not None and row["state"] == "ok" and (self._volume / "volume.json").exists()

    def _expire(self, db: sqlite3.Connection, report: RetentionReport) -> None:
        plan = deletion.expired(db, PLAN)
        (total,) = db.execute("SELECT count(*) FROM segments WHERE state='sealed'").fetchone()
        if len(plan) > max(GUARD_FLOOR, GUARD_SHARE * total):
            log.error("retention stopped: %d of %d segments would go at once", len(plan), total)
            report.frozen = "guard"
            return
        report.expired = len(plan)
        report.bytes += self._delete(db, plan, "vencimiento")

    def _give_way(self, db: sqlite3.Connection, report: RetentionReport) -> None:
        """Oldest unheld footage goes early only where the policy says so; what is held stays and recording stops instead."""
        used = used_bytes(db)
        try:
            need = StorageThresholds.of(self._volume, self._quota).excess(self._volume, used)
        except OSError:
            report.frozen = "space_unknown"
            return
        freed = 0
        while self._early and freed < need:
            plan = list(deletion.oldest_unheld(db, need - freed, self._minimum_us))[:PLAN]
            if not plan:
                break
            freed += self._delete(db, plan, "presion")
            report.pressed += len(plan)
        report.bytes += freed
        report.only_held = freed < need and (not self._early or _held(db))

    def _delete(self, db: sqlite3.Connection, plan: Sequence[sqlite3.Row], cause: str) -> int:
        """Tombstones and states in one transaction, then the files. Returns the bytes freed."""
        if not plan:
            return 0
        now = self._clock.wall_us()
        db.execute("BEGIN IMMEDIATE")
        for camera, rows in _ranges(db, plan):
            db.execute(
                "INSERT INTO purge_ranges VALUES (?,?,?,?,?,?,?,'deleting',?,NULL)",
                (str(new_id()), camera, min(row["start_us"] for row in rows), max(row["end_us"] for row in rows),
                 len(rows), sum(row["bytes"] for row in rows), cause, now),
            )  # fmt: skip
        db.executemany(
            "UPDATE segments SET state='deleting', state_reason=? WHERE id=?", [(cause, r["id"]) for r in plan]
        )
        db.execute("COMMIT")
        failpoints.hit("purge")
        self._finish_ranges(db)
        return sum(row["bytes"] for row in plan)

    def _finish_ranges(self, db: sqlite3.Connection) -> None:
        """Unlink what tombstones already promised; a file that is gone is success."""
        rows = db.execute("SELECT id, relpath FROM segments WHERE state='deleting'").fetchall()
        touched: set[Path] = set()
        for row in rows:
            path = self._volume / row["relpath"]
            path.unlink(missing_ok=True)
            touched.add(path.parent)
        for folder in touched:
            if folder.exists():
                sync_directory(folder)
        failpoints.hit("purged")
        db.execute("BEGIN IMMEDIATE")
        db.executemany("UPDATE segments SET state='deleted' WHERE id=?", [(row["id"],) for row in rows])
        db.execute("UPDATE purge_ranges SET state='done', done_us=? WHERE state='deleting'", (self._clock.wall_us(),))
        db.execute("COMMIT")


def _held(db: sqlite3.Connection) -> bool:
    """Something that could be deleted by age is kept by a hold."""
    return db.execute(
        "SELECT 1 FROM segments s JOIN holds k ON k.camera = s.camera AND k.from_us < s.end_us AND k.to_us > s.start_us"
        " WHERE s.state='sealed' AND (k.expires_us IS NULL OR k.expires_us > trusted_now()) LIMIT 1"
    ).fetchone() is not None  # fmt: skip


def _ranges(db: sqlite3.Connection, plan: Sequence[sqlite3.Row]) -> Iterator[tuple[str, list[sqlite3.Row]]]:
    """The plan as unbroken stretches of one camera: a tombstone spans neither what stays nor what was never recorded."""
    going = {row["id"] for row in plan}
    spans: dict[str, tuple[int, int]] = {}
    for row in plan:
        first, last = spans.get(row["camera"], (row["start_us"], row["start_us"]))
        spans[row["camera"]] = (min(first, row["start_us"]), max(last, row["start_us"]))
    for camera, (first, last) in spans.items():
        stretch: list[sqlite3.Row] = []
        for row in db.execute(
            "SELECT id, camera, start_us, end_us, bytes FROM segments WHERE camera=? AND start_us BETWEEN ? AND ?"
            " ORDER BY start_us, id",
            (camera, first, last),
        ).fetchall():
            broken = row["id"] not in going or (stretch and row["start_us"] - stretch[-1]["end_us"] > SEAM_US)
            if broken and stretch:
                yield camera, stretch
                stretch = []
            if row["id"] in going:
                stretch.append(row)
        if stretch:
            yield camera, stretch


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def retain(tenant: str) -> dict[str, object]:
    """The job of `node-retain`: one pass for one municipality, with the policy and the holds of its cached desired state.

    Without that state nobody knows what is held: nothing is deleted.
    """
    settings = NodeSettings.from_env(os.environ)
    folder = settings.folder(UUID(tenant))
    state = read_cached(folder / "desired.json")
    if not state.get("version"):
        log.error("retention frozen: no desired state")
        return {"frozen": "desired"}
    policy = state.get("policy") or {}
    quota = int(policy.get("quota_bytes") or settings.quota_bytes)
    demonstration = bool(state.get("demonstration"))
    report = Retention(
        folder, quota_bytes=quota, early=demonstration or bool(policy.get("early_deletion")),
        minimum_days=0.0 if demonstration else float(policy.get("minimum_days") or 15),
        segment_s=settings.segment_s, waived=demonstration, holds=state.get("holds", []),
    ).run()  # fmt: skip
    return {} if report is None else dict(vars(report))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    retain(sys.argv[1])
