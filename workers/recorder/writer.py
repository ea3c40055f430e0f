"""The thread that records one camera: takes fragments from its own queue, cuts segments, accounts for every gap."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.kernel.ids import new_id
from workers.recorder import failpoints
from workers.recorder.clock import SECOND, Clock
from workers.recorder.files import CameraFolder, SegmentFile
from workers.recorder.gaps import GapLog, code_of_break
from workers.recorder.hub import Fragment, Hub, Init
from workers.recorder.index import INSERT_SEGMENT, IndexWriter, Segment, Statement, open_index, segment_values
from workers.recorder.sweep import SweepReport, sweep

log = logging.getLogger(__name__)
QUEUE_BYTES = 16 << 20
SYNC_US = SECOND
SILENCE_US = 5 * SECOND
RETRY_US = SECOND
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class RecordingQueue:
    """The writer's own bounded queue; overflow is remembered and told, never silent."""

    def __init__(self) -> None:
        self._items: deque[Init | Fragment] = deque()
        self._bytes = 0
        self._ready = threading.Condition()
        self._dropping = False
        self.overflowed = False

    def on_init(self, hub: Hub, init: Init) -> None:
        self._put(init, len(init.data))

    def on_fragment(self, hub: Hub, fragment: Fragment) -> None:
        self._put(fragment, len(fragment.data))

    def on_state(self, hub: Hub, state: str) -> None:
        """The writer judges by fragments alone."""

    def _put(self, item: Init | Fragment, size: int) -> None:
        with self._ready:
            if isinstance(item, Fragment):
                full = self._bytes + size > QUEUE_BYTES
                if full or (self._dropping and not item.key):
                    self._dropping = self.overflowed = True
                    return
                self._dropping = False
            self._items.append(item)
            self._bytes += size
            self._ready.notify()

    def get(self, timeout: float) -> Init | Fragment | None:
        with self._ready:
            if not self._items:
                self._ready.wait(timeout)
            if not self._items:
                return None
            item = self._items.popleft()
            self._bytes -= len(item.data)
            return item


@dataclass(frozen=True)
class OpenSegment:
    """A consistent view of the file being written, for whoever cuts a clip."""

    path: Path
    start_us: int
    end_us: int
    usable_bytes: int
    keys: tuple[tuple[int, int, int, int], ...]
    timescale: int


class CameraWriter:
    """Records one camera while its lock is held; a second writer of the same folder is refused by `flock`."""

    def __init__(
        self, folder: CameraFolder, index_path: Path, index: IndexWriter, *, clock: Clock, segment_s: int, writable: bool,
        fault: Callable[[], str | None], paused: Callable[[], str | None],
    ) -> None:  # fmt: skip
        self.folder, self.queue = folder, RecordingQueue()
        self.error_code: str | None = None
        self.recorded_us: int | None = None
        self.swept: SweepReport | None = None
        self._index_path, self._index, self._clock, self._writable = index_path, index, clock, writable
        self._segment_us = segment_s * SECOND
        self._fault, self._paused = fault, paused
        self._gaps = GapLog(index, str(folder.camera))
        self._file: SegmentFile | None = None
        self._view = threading.Lock()
        self._init: Init | None = None
        self._run_id, self._seq = "", 0
        self._break = "start"
        self._due_since = clock.wall_us()
        self._synced_mono = self._retry_mono = 0
        self._stop = threading.Event()
        self._stop_cause = "shutdown"
        self._thread = threading.Thread(target=self._run, name=f"write-{folder.camera}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, cause: str = "shutdown", timeout: float = 10.0) -> None:
        """Seal the open file and end; `scheduled_off` says that the absence from here on is wanted."""
        self._stop_cause = cause
        self._stop.set()
        self._thread.join(timeout)

    @property
    def recording(self) -> bool:
        return self._file is not None

    @property
    def gap_since(self) -> int | None:
        return self._gaps.open_since

    def open_segment(self) -> OpenSegment | None:
        with self._view:
            file = self._file
            if file is None or file.ticks == 0:
                return None
            return OpenSegment(
                file.path, file.start_us, file.end_us, file.size, file.keys, file.init.facts.timescale
            )  # fmt: skip

    def _run(self) -> None:
        if not self._writable:
            while not self._stop.is_set():
                self._guarded(self._step)  # the pause keeps every file closed; only the gap is told
            return
        lock = self._acquire()
        if lock is None:
            return
        try:
            self._prepare()
            while not self._stop.is_set():
                self._guarded(self._step)
            while (item := self.queue.get(0)) is not None:
                self._guarded(partial(self._take, item))
            self._guarded(lambda: self._cut(self._stop_cause))
            if self._stop_cause == "scheduled_off":
                self._gaps.end(self._clock.wall_us())
        finally:
            os.close(lock)

    def _acquire(self) -> int | None:
        """The camera's lock, awaited: a former recorder may be ending."""
        self.folder.prepare()
        fd = os.open(self.folder.path / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        while not self._stop.is_set():
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.error_code = "locked"
                self._stop.wait(0.5)
                continue
            self.error_code = None
            return fd
        os.close(fd)
        return None

    def _prepare(self) -> None:
        """Sweep the folder and continue the account where the former process left it."""
        connection = open_index(self._index_path)
        try:
            self.swept = sweep(connection, self.folder, self._clock)
            camera = str(self.folder.camera)
            last = connection.execute("SELECT max(end_us) FROM segments WHERE camera=?", (camera,)).fetchone()[0]
            gap = connection.execute(
                "SELECT id, from_us, code FROM gaps WHERE camera=? AND to_us IS NULL ORDER BY from_us DESC LIMIT 1",
                (camera,),
            ).fetchone()
        except sqlite3.Error as error:
            log.error("the index of camera %s could not be read: %s", self.folder.camera, error)
            return
        finally:
            connection.close()
        self.recorded_us = last
        if gap is not None:
            self._gaps.adopt(gap["id"], gap["from_us"], gap["code"])

    def _guarded(self, work: Callable[[], None]) -> None:
        """Whatever the disk says, the thread lives: what can be closed is closed, and writing is tried again each second."""
        try:
            work()
        except OSError as error:
            full = error.errno in FULL
            self.error_code = "disk_full" if full else "io_error"
            log.error("recording of camera %s: %s", self.folder.camera, errno.errorcode.get(error.errno or 0, "EIO"))
            self._drop_file()
            self._gaps.begin(self._since(), self.error_code)
            self._break = self.error_code
            self._retry_mono = self._clock.mono_us() + RETRY_US

    def _drop_file(self) -> None:
        with self._view:
            file, self._file = self._file, None
        if file is None:
            return
        self.recorded_us = max(self.recorded_us or 0, file.end_us, file.start_us)
        try:
            segment = file.finish(self.recorded_us)
        except OSError:
            return  # the start-up sweep takes the file as it is
        if segment is not None:
            self._index.write_at(lambda: _row(segment))

    def _since(self) -> int:
        """From when footage is missing."""
        return self.recorded_us if self.recorded_us is not None else self._due_since

    def _step(self) -> None:
        item = self.queue.get(0.5)
        if item is not None:
            self._take(item)
        self._sync()
        if self._file is None or self._clock.wall_us() - self._file.end_us > SILENCE_US:
            self._notice_silence()

    def _notice_silence(self) -> None:
        now = self._clock.wall_us()
        if self._file is not None:
            self._cut(self._fault() or "stream_stalled")
        if now - self._since() > SILENCE_US:
            why = self._paused() or self._fault()
            if why is None and self._init is not None and not self._init.recordable:
                why = "unsupported_codec"
            self._gaps.begin(self._since(), code_of_break(why or self._unexplained()))

    def _unexplained(self) -> str:
        return self._break if self._break != "start" or self.recorded_us is not None else "unknown"

    def _take(self, item: Init | Fragment) -> None:
        if isinstance(item, Init):
            self._cut(item.cause)
            self._init, self._run_id, self._seq = item, str(new_id()), 0
            return
        if self.queue.overflowed:
            self.queue.overflowed = False
            self._cut("io_error")
        if self._init is None or not self._init.recordable or item.epoch != self._init.epoch:
            return
        if self._paused() is not None:
            self._cut(self._paused() or "unknown")
            return
        if self._file is not None and self._is_due(self._file, item):
            self._cut_at(item.wall_us)
        if self._file is None and not self._open(item):
            return
        assert self._file is not None
        self._file.append(item)
        self.error_code = None

    def _is_due(self, file: SegmentFile, item: Fragment) -> bool:
        target = self._segment_us if item.key else 2 * self._segment_us
        return file.duration_us >= target

    def _open(self, first: Fragment) -> bool:
        """Begin a segment; after a break only at a keyframe and, after an error of the disk, only once a second."""
        fresh = self._seq == 0 or self._break != ""
        if (fresh and not first.key) or self._clock.mono_us() < self._retry_mono:
            return False
        assert self._init is not None
        note = None if first.key else "no_keyframe"
        file = SegmentFile(self.folder, self._init, self._run_id, self._seq, first.wall_us, note)
        if self._break:
            if self.recorded_us is not None or self._gaps.open_since is not None:
                file.note = self._gaps.between(self._since(), first.wall_us, self._break)
            file.suspect = self.recorded_us is not None and first.wall_us < self.recorded_us
            self._break = ""
        with self._view:
            self._file = file
        self._seq += 1
        self._synced_mono = self._clock.mono_us()
        return True

    def _cut(self, cause: str) -> None:
        """End the open file because the stream broke; what follows begins after a gap or a seam."""
        if self._file is not None:
            self._cut_at(self._file.end_us)
            self._break = cause
        elif not self._break:
            self._break = cause

    def _cut_at(self, end_us: int) -> None:
        with self._view:
            file, self._file = self._file, None
        assert file is not None
        self.recorded_us = max(end_us, file.start_us)
        segment = file.finish(self.recorded_us)
        if segment is not None:
            self._index.write_at(lambda: _row(segment))

    def _sync(self) -> None:
        file, now = self._file, self._clock.mono_us()
        if file is None or now - self._synced_mono < SYNC_US:
            return
        self._synced_mono = now
        if file.sync():
            self.recorded_us = file.end_us
            relpath = self.folder.relative(file.path)
            self._index.synced(file.id, str(self.folder.camera), relpath, file.start_us, file.size, file.end_us)


def _row(segment: Segment) -> list[Statement]:
    failpoints.hit("6")
    return [
        (INSERT_SEGMENT, segment_values(segment)),
        ("DELETE FROM open_segments WHERE id=?", (segment.id,)),
    ]
