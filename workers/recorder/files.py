"""One segment on disk, by the protocol that survives a crash at any step: open, write, sync, rename, sync the directory."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from app.kernel.ids import new_id
from workers.recorder import failpoints
from workers.recorder.clock import day_of, hour_of
from workers.recorder.hub import Fragment, Init
from workers.recorder.index import Segment, pack_index

_FLAGS = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
READ_ONLY = 0o440


def sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_directory(path: Path) -> None:
    """Create a directory and every missing parent, each made durable in its own parent."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_directory(folder.parent)


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a small file so that a crash leaves either the old or the new content."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.new")
    fd = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        os.write(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(partial, path)
    sync_directory(path.parent)


@dataclass(frozen=True)
class CameraFolder:
    """Where one camera's footage lives: `<root>/<tenant>/<camera>/`, known again without any database."""

    root: Path
    volume_id: str
    tenant: UUID
    camera: UUID

    @property
    def path(self) -> Path:
        return self.root / str(self.tenant) / str(self.camera)

    def prepare(self) -> None:
        """Make the folder and its `camera.json`."""
        make_directory(self.path)
        card = self.path / "camera.json"
        if not card.exists():
            body = {"tenant": str(self.tenant), "camera": str(self.camera), "volume": self.volume_id}
            write_atomically(card, json.dumps(body).encode())

    def relative(self, path: Path) -> str:
        return str(path.relative_to(self.root))


@dataclass
class SegmentFile:
    """An open `.part` file; `finish` turns it into a sealed `.mp4` and the row that names it."""

    folder: CameraFolder
    init: Init
    run_id: str
    seq: int
    start_us: int
    note: str | None = None
    id: str = field(default_factory=lambda: str(new_id()))
    size: int = 0
    ticks: int = 0
    end_us: int = 0
    suspect: bool = False

    def __post_init__(self) -> None:
        day = self.folder.path / day_of(self.start_us)
        make_directory(day)
        self.path = day / f"{self.start_us}_{self.id}.part"
        self._fd = os.open(self.path, _FLAGS, 0o600)
        self._hash = hashlib.sha256()
        self._keys: list[tuple[int, int, int, int]] = []
        self._dirty = False
        try:
            failpoints.hit("1")
            self._write(self.init.data)
        except OSError:
            os.close(self._fd)
            raise

    def append(self, fragment: Fragment) -> None:
        """Write one whole fragment. Raises `OSError`."""
        failpoints.hit("2")
        offset = self.size
        self._write(fragment.data)
        if fragment.key:
            self._keys.append((offset, len(fragment.data), fragment.dts, fragment.wall_us))
        self.ticks += fragment.duration
        self.end_us = fragment.end_us

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        self._hash.update(data)
        self.size += len(data)
        self._dirty = True

    @property
    def duration_us(self) -> int:
        return self.ticks * 1_000_000 // self.init.facts.timescale

    @property
    def keys(self) -> tuple[tuple[int, int, int, int], ...]:
        return tuple(self._keys)

    def sync(self) -> bool:
        """Make what was written durable; false when nothing was pending."""
        if not self._dirty:
            return False
        os.fdatasync(self._fd)
        self._dirty = False
        return True

    def finish(self, end_us: int) -> Segment | None:
        """Seal the file. None, and no file, when it holds no fragment. Raises `OSError`."""
        failpoints.hit("3")
        try:
            if self.ticks == 0:
                self.path.unlink()
                return None
            failpoints.hit("4")
            os.ftruncate(self._fd, self.size)  # a refused write may have left a piece behind
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
        failpoints.hit("5")
        final = seal(self.path)
        facts = self.init.facts
        sha = self._hash.hexdigest()
        return Segment(
            id=self.id, camera=str(self.folder.camera), volume_id=self.folder.volume_id,
            relpath=self.folder.relative(final), run_id=self.run_id, seq=self.seq, start_us=self.start_us, end_us=end_us,
            duration_ms=(end_us - self.start_us) // 1000, fragment_index=pack_index(self._keys), bytes=self.size,
            usable_bytes=self.size, sha256=sha, digest=digest(sha, self.size, self.start_us, end_us),
            codec=facts.family, width=facts.width, height=facts.height, timescale=facts.timescale,
            clock_state="time_suspect" if self.suspect else "ok", note=self.note, hour_us=hour_of(self.start_us),
        )  # fmt: skip


def seal(part: Path) -> Path:
    """Rename a complete, synced `.part` to `.mp4`, read-only, durable in its directory."""
    final = part.with_suffix(".mp4")
    os.rename(part, final)
    failpoints.hit("5b")
    harden(final)
    return final


def harden(final: Path) -> None:
    """Make a sealed file read-only and its name durable."""
    os.chmod(final, READ_ONLY)
    sync_directory(final.parent)


def digest(sha256: str, size: int, start_us: int, end_us: int) -> str:
    """What the camera's hash chain is made of: content, size and interval together."""
    return hashlib.sha256(f"{sha256}|{size}|{start_us}|{end_us}".encode()).hexdigest()


def parse_name(path: Path) -> tuple[int, str] | None:
    """Start instant and segment id from a file name; None when it is not ours."""
    start, _, identifier = path.stem.partition("_")
    try:
        return int(start), str(UUID(identifier))
    except ValueError:
        return None
