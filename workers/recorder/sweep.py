"""Start-up sweep of one camera's folder: finish what a crash left, index what has no row, say what is missing, delete nothing."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from app.kernel.ids import new_id
from workers.recorder.boxes import FileScan, scan, sound_prefix
from workers.recorder.clock import Clock, hour_of
from workers.recorder.files import CameraFolder, digest, harden, make_directory, parse_name, seal, sync_directory
from workers.recorder.index import INSERT_SEGMENT, Segment, pack_index, segment_values

log = logging.getLogger(__name__)
_BLOCK = 1 << 20
GUARD_SHARE = 0.25
GUARD_FLOOR = 8


@dataclass
class SweepReport:
    """What a sweep did; `refused` means that it would have changed too much and stopped."""

    recovered: int = 0
    indexed: int = 0
    quarantined: int = 0
    missing: int = 0
    refused: bool = False
    failures: list[str] = field(default_factory=list)


def sweep(connection: sqlite3.Connection, folder: CameraFolder, clock: Clock) -> SweepReport:
    """Bring index and folder to agree. The caller holds the camera's lock; one bad file never stops the rest."""
    report = SweepReport()
    rows = {
        row["relpath"]: row["state"]
        for row in connection.execute("SELECT relpath, state FROM segments WHERE camera=?", (str(folder.camera),))
    }
    quarantined = {row[0] for row in connection.execute("SELECT relpath FROM quarantine")}
    seen: set[str] = set()
    run_id = str(new_id())
    for path in _files(folder):
        relpath = folder.relative(path)
        seen.add(relpath)
        if path.suffix == ".mp4" and (relpath in rows or relpath in quarantined):
            continue
        try:
            _take(connection, folder, path, run_id, report, clock)
        except (OSError, sqlite3.Error) as error:
            report.failures.append(type(error).__name__)
            log.error("sweep could not take a file of camera %s: %s", folder.camera, type(error).__name__)
    connection.execute("DELETE FROM open_segments WHERE camera=?", (str(folder.camera),))
    _mark_missing(connection, folder, {name for name, state in rows.items() if state == "sealed"} - seen, rows, report)
    return report


def _files(folder: CameraFolder) -> list[Path]:
    """Recordings of the camera in order of time, regular files only: a link leads who knows where."""
    found = [
        path
        for path in folder.path.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*")
        if path.suffix in (".part", ".mp4") and not path.is_symlink() and path.is_file()
    ]
    return sorted(found, key=lambda path: path.name)


def _take(
    connection: sqlite3.Connection, folder: CameraFolder, path: Path, run_id: str, report: SweepReport, clock: Clock
) -> None:
    named = parse_name(path)
    with path.open("rb") as file:
        found = sound_prefix(file, scan(file, path.stat().st_size))
    if named is None or not found.fragments or not _belongs(folder):
        _quarantine(connection, folder, path, "unknown_origin" if named is None else "no_video", report, clock)
        return
    if path.suffix == ".part":
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path = seal(path)
        report.recovered += 1
    else:
        harden(path)
        report.indexed += 1
    segment = _segment(folder, path, named, found, run_id, report.recovered + report.indexed)
    connection.execute(INSERT_SEGMENT, segment_values(segment))


def _belongs(folder: CameraFolder) -> bool:
    try:
        card = json.loads((folder.path / "camera.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(card.get("camera") == str(folder.camera) and card.get("tenant") == str(folder.tenant))


def _segment(
    folder: CameraFolder, path: Path, named: tuple[int, str], found: FileScan, run_id: str, seq: int
) -> Segment:
    assert found.facts is not None
    start_us, identifier = named
    first, last, scale = found.fragments[0].moof, found.fragments[-1].moof, found.facts.timescale
    duration_us = (last.dts + last.duration - first.dts) * 1_000_000 // scale
    keys = [
        (one.offset, one.size, one.moof.dts, start_us + (one.moof.dts - first.dts) * 1_000_000 // scale)
        for one in found.fragments
        if one.moof.key
    ]
    size = path.stat().st_size
    sha, end_us = _sha256(path), start_us + duration_us
    return Segment(
        id=identifier, camera=str(folder.camera), volume_id=folder.volume_id, relpath=folder.relative(path),
        run_id=run_id, seq=seq, start_us=start_us, end_us=end_us, duration_ms=duration_us // 1000,
        fragment_index=pack_index(keys), bytes=size, usable_bytes=found.usable_bytes, sha256=sha,
        digest=digest(sha, size, start_us, end_us), codec=found.facts.family, width=found.facts.width,
        height=found.facts.height, timescale=scale, clock_state="ok", note="recovered", hour_us=hour_of(start_us),
    )  # fmt: skip


def _sha256(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def _quarantine(
    connection: sqlite3.Connection, folder: CameraFolder, path: Path, reason: str, report: SweepReport, clock: Clock
) -> None:
    """Set a file aside, never delete it; its name keeps the camera it was found under."""
    place = folder.root / "quarantine"
    make_directory(place)
    target = place / f"{folder.camera}_{path.name}"
    connection.execute(
        "INSERT OR REPLACE INTO quarantine VALUES (?,?,?)", (folder.relative(target), reason, clock.wall_us())
    )
    os.rename(path, target)
    sync_directory(place)
    sync_directory(path.parent)
    report.quarantined += 1


def _mark_missing(
    connection: sqlite3.Connection, folder: CameraFolder, lost: set[str], rows: dict[str, str], report: SweepReport
) -> None:
    """Rows whose file is gone become `missing`; losing a quarter of a camera at once is a doubt about the volume."""
    if len(lost) > max(GUARD_FLOOR, GUARD_SHARE * len(rows)):
        report.refused = True
        log.error("sweep of camera %s stopped: %d of %d files are absent", folder.camera, len(lost), len(rows))
        return
    for relpath in sorted(lost):
        connection.execute(
            "UPDATE segments SET state='missing', state_reason='file_absent' WHERE volume_id=? AND relpath=?",
            (folder.volume_id, relpath),
        )
    report.missing = len(lost)
