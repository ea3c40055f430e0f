"""The reading desk: few good pictures per vehicle, one reader for all cameras, and a bounded rate of readings."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from workers.analytics.observation import Box, PlateRead
from workers.analytics.pictures import Picture
from workers.analytics.plates.passes import Ending, PassBook, Sighting, Told
from workers.analytics.plates.reader import Reading

MAX_ATTEMPTS, MAX_EMPTY = 10, 2
PENDING = 2
MIN_INTERVAL_S = 0.24
MUCH_BETTER = 1.3
FORGET_S = 30.0
SIDES, ENLARGE = (256, 480), 1.6
EDGE_PENALTY = 0.3


class Reads(Protocol):
    """What the desk needs of a reader."""

    def read(self, picture: Picture, *, side: int) -> list[Reading]: ...


@dataclass(slots=True)
class Candidate:
    """A vehicle cut out of a frame. `context` is the whole frame, small; times are presentation seconds and wall."""

    at: float
    wall_ns: int
    score: float
    box: Box
    picture: Picture
    context: Picture


@dataclass(slots=True)
class Shown:
    """What a sighting carries for whoever tells the result."""

    wall_ns: int
    strip: Picture
    context: Picture


@dataclass(slots=True)
class _Track:
    pending: list[Candidate] = field(default_factory=list)
    attempts: int = 0
    empty: int = 0
    tried: float = 0.0
    offered_at: float = -1e9
    touched: float = 0.0
    ended: tuple[float, Ending] | None = None


OnTold = Callable[[str, Told], None]


class PlateDesk:
    """Cameras offer pictures from their thread; one reading thread (or a test) calls `run_once`."""

    def __init__(self, reader: Callable[[], Reads], on_told: OnTold, per_second: float,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        self._make_reader = reader
        self._reader: Reads | None = None
        self._on_told, self._monotonic = on_told, monotonic
        self._rate, self._tokens, self._filled = per_second, per_second, monotonic()
        self._lock = threading.Condition()
        self._tracks: dict[tuple[str, str], _Track] = {}
        self._books: dict[str, PassBook] = {}
        self.readings = self.found = 0

    def wants(self, camera: str, track: str, at: float, score: float) -> bool:
        """Whether a picture of this vehicle, this good, is worth cutting out."""
        with self._lock:
            book, one = self._books.get(camera), self._tracks.get((camera, track))
            if book is not None and not book.wants(track, at):
                return False
            if one is None:
                return True
            if one.attempts >= MAX_ATTEMPTS or one.ended is not None:
                return False
            if one.empty >= MAX_EMPTY and score < MUCH_BETTER * one.tried:
                return False
            if at - one.offered_at < MIN_INTERVAL_S:
                return bool(one.pending) and score > MUCH_BETTER * max(item.score for item in one.pending)
            return len(one.pending) < PENDING or score > min(item.score for item in one.pending)

    def offer(self, camera: str, track: str, candidate: Candidate) -> None:
        with self._lock:
            one = self._tracks.setdefault((camera, track), _Track())
            one.offered_at = one.touched = candidate.at
            one.pending.append(candidate)
            one.pending.sort(key=lambda item: -item.score)
            del one.pending[PENDING:]
            self._lock.notify()

    def ended(self, camera: str, track: str, at: float, how: Ending) -> None:
        """The vehicle is gone; its pass closes once what was cut out has been read."""
        with self._lock:
            one = self._tracks.get((camera, track))
            if one is not None and one.ended is None:
                one.ended = (at, how)
                self._lock.notify()

    def passed(self, camera: str, at: float) -> None:
        """Time went by on a camera: close what has been open too long, forget what is over."""
        with self._lock:
            book = self._books.get(camera)
            told = list(book.expire(at)) if book else []
            for key in [key for key, one in self._tracks.items() if key[0] == camera and at - one.touched > FORGET_S]:
                del self._tracks[key]
        self._tell(camera, told)

    def forget(self, camera: str) -> None:
        """A camera left the session."""
        with self._lock:
            self._books.pop(camera, None)
            for key in [key for key in self._tracks if key[0] == camera]:
                del self._tracks[key]

    def run_once(self, wait_s: float = 0.0) -> bool:
        """Do the most useful thing there is: close a finished pass or read one picture. False when there is none."""
        with self._lock:
            job = self._next()
            if job is None and wait_s > 0:
                self._lock.wait(wait_s)
                job = self._next()
            if job is None:
                return False
            (camera, track), one, candidate = job
            book = self._books.setdefault(camera, PassBook())
            if candidate is None:
                assert one.ended is not None
                told = list(book.close(track, *one.ended))
                del self._tracks[camera, track]
        if candidate is not None:
            told = self._read(camera, track, one, book, candidate)
        self._tell(camera, told)
        return True

    def _next(self) -> tuple[tuple[str, str], _Track, Candidate | None] | None:
        for key, one in self._tracks.items():
            book = self._books.get(key[0])
            if one.ended and (not one.pending or (book is not None and not book.wants(key[1], one.ended[0]))):
                return key, one, None
        waiting = [(key, one) for key, one in self._tracks.items() if one.pending]
        if not waiting or not self._has_token():
            return None
        key, one = min(waiting, key=lambda item: (item[1].ended is None, item[1].attempts, -item[1].pending[0].score))
        return key, one, one.pending.pop(0)

    def _has_token(self) -> bool:
        now = self._monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _read(self, camera: str, track: str, one: _Track, book: PassBook, candidate: Candidate) -> list[Told]:
        if self._reader is None:
            self._reader = self._make_reader()
        longest = max(candidate.picture.shape[:2])
        side = int(min(SIDES[1], max(SIDES[0], longest * ENLARGE)))
        readings = self._reader.read(candidate.picture, side=side)
        self.readings += 1
        with self._lock:
            one.attempts += 1
            one.tried = max(one.tried, candidate.score)
            one.empty = 0 if readings else one.empty + 1
            self.found += bool(readings)
            told: list[Told] = []
            for reading in readings:
                read = plate_read(reading, candidate.box)
                shown = Shown(candidate.wall_ns, reading.strip, candidate.context)
                told += book.add(track, Sighting(read, candidate.at, shown))
        return told

    def _tell(self, camera: str, told: list[Told]) -> None:
        for one in told:
            self._on_told(camera, one)


def plate_read(reading: Reading, around: Box) -> PlateRead:
    """A reading made inside `around`, as a reading of the whole frame."""
    box = Box(
        max(0.0, around.x1 + reading.box.x1 * around.width), max(0.0, around.y1 + reading.box.y1 * around.height),
        min(1.0, around.x1 + reading.box.x2 * around.width), min(1.0, around.y1 + reading.box.y2 * around.height),
    )
    return PlateRead(reading.raw, reading.slots, reading.confidence, box, reading.height_px, reading.sharpness, None,
                     reading.layout)


def candidate_score(box: Box, width: int, height: int, sharpness: float) -> float:
    """Size times sharpness; a vehicle that touches the edge of the picture is probably cut."""
    size = (box.width * width * box.height * height) ** 0.5
    cut = min(box.x1, box.y1, 1 - box.x2, 1 - box.y2) <= 0.003
    return size * sharpness * (EDGE_PENALTY if cut else 1.0)
