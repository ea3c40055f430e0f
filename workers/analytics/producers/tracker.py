"""Following things from frame to frame: constant velocity, first by overlap, then by distance. Deterministic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workers.analytics.observation import Box

PROBATION = 3
LOST_S = 1.0
MIN_IOU = 0.15
MAX_DISTANCE_SIZES, MIN_LIKENESS = 1.2, 0.3
PROCESS, MEASURE = 4.0, 0.05

Score = Callable[[Box, Box], float]


class Axis:
    """A constant-velocity Kalman filter of one number, in units of the thing's own size."""

    __slots__ = ("_pp", "_pv", "_vv", "speed", "value")

    def __init__(self, value: float) -> None:
        self.value, self.speed = value, 0.0
        self._pp, self._pv, self._vv = MEASURE, 0.0, 25.0

    def ahead(self, elapsed: float) -> float:
        return self.value + self.speed * elapsed

    def update(self, measured: float, elapsed: float, scale: float) -> None:
        """Predict over `elapsed` seconds, then correct; `scale` is the size that errors are relative to."""
        noise = PROCESS * elapsed
        self.value += self.speed * elapsed
        self._pp += elapsed * (2 * self._pv + elapsed * self._vv) + noise * elapsed * elapsed / 3
        self._pv += elapsed * self._vv + noise * elapsed / 2
        self._vv += noise
        gain = self._pp / (self._pp + MEASURE)
        gain_v = self._pv / (self._pp + MEASURE)
        error = (measured - self.value) / scale
        self.value += gain * error * scale
        self.speed += gain_v * error * scale
        self._vv -= gain_v * self._pv
        self._pv *= 1 - gain
        self._pp *= 1 - gain


@dataclass(slots=True)
class Follow:
    """One thing being followed."""

    id: int
    box: Box
    seen_at: float
    hits: int = 1
    axes: list[Axis] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.axes = [Axis(value) for value in _measures(self.box)]

    @property
    def confirmed(self) -> bool:
        return self.hits >= PROBATION

    def expected(self, at: float) -> Box:
        elapsed = at - self.seen_at
        cx, cy = (axis.ahead(elapsed) for axis in self.axes[:2])
        area, aspect = max(1e-6, self.axes[2].value), min(10.0, max(0.1, self.axes[3].value))
        width, height = math.sqrt(area * aspect), math.sqrt(area / aspect)
        return Box(cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)

    def see(self, box: Box, at: float) -> None:
        elapsed, size = max(at - self.seen_at, 1e-3), math.sqrt(box.width * box.height)
        scales = (size, size, size * size, 1.0)
        for axis, measured, scale in zip(self.axes, _measures(box), scales, strict=True):
            axis.update(measured, elapsed, scale)
        self.box, self.seen_at, self.hits = box, at, self.hits + 1


class Tracker:
    """Identities of one camera. Numbers are never used twice while the process lives."""

    def __init__(self) -> None:
        self._next = 1
        self.follows: list[Follow] = []

    def update(self, boxes: Sequence[Box], at: float) -> tuple[list[Follow | None], list[Follow]]:
        """Match the boxes of one frame. Returns the follow of each box in turn, and the follows that ended."""
        matched: list[Follow | None] = [None] * len(boxes)
        expected = [follow.expected(at) for follow in self.follows]
        free = set(range(len(self.follows)))
        for score, least in ((_iou, MIN_IOU), (_nearness, 1e-9)):
            rows = [row for row, follow in enumerate(matched) if follow is None]
            columns = sorted(free)
            for row, column in _assign([boxes[n] for n in rows], [expected[n] for n in columns], score, least):
                matched[rows[row]] = self.follows[columns[column]]
                free.discard(columns[column])
        for n, box in enumerate(boxes):
            follow = matched[n]
            if follow is None:
                matched[n] = follow = Follow(self._next, box, at)
                self._next += 1
                self.follows.append(follow)
            else:
                follow.see(box, at)
        ended = [follow for follow in self.follows if self._is_over(follow, at)]
        self.follows = [follow for follow in self.follows if not self._is_over(follow, at)]
        return matched, [follow for follow in ended if follow.confirmed]

    def _is_over(self, follow: Follow, at: float) -> bool:
        return at - follow.seen_at > (LOST_S if follow.confirmed else LOST_S / 3)


def _measures(box: Box) -> tuple[float, float, float, float]:
    cx, cy = box.centre
    return cx, cy, box.width * box.height, box.width / box.height


def _assign(boxes: Sequence[Box], expected: Sequence[Box], score: Score, least: float) -> list[tuple[int, int]]:
    """Pairs (box, expected) whose scores add up to the most, each at least `least`."""
    if not boxes or not expected:
        return []
    table = [[score(box, other) for other in expected] for box in boxes]
    return [(row, column) for row, column in assignment(table) if table[row][column] >= least]


def assignment(table: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The pairing of rows and columns with the largest sum (Hungarian method; a whole solver is not worth 50 MB)."""
    if len(table) > len(table[0]):
        return sorted((row, column) for column, row in assignment(list(zip(*table, strict=True))))
    width = len(table[0])
    row_price, column_price = [0.0] * (len(table) + 1), [0.0] * (width + 1)
    owner = [0] * (width + 1)
    for row in range(1, len(table) + 1):
        owner[0], here = row, 0
        least, came, done = [math.inf] * (width + 1), [0] * (width + 1), [False] * (width + 1)
        while owner[here]:
            done[here] = True
            delta, following = math.inf, 0
            for column in range(1, width + 1):
                if done[column]:
                    continue
                cost = -table[owner[here] - 1][column - 1] - row_price[owner[here]] - column_price[column]
                if cost < least[column]:
                    least[column], came[column] = cost, here
                if least[column] < delta:
                    delta, following = least[column], column
            for column in range(width + 1):
                if done[column]:
                    row_price[owner[column]] += delta
                    column_price[column] -= delta
                else:
                    least[column] -= delta
            here = following
        while here:
            owner[here], here = owner[came[here]], came[here]
    return sorted((owner[column] - 1, column - 1) for column in range(1, width + 1) if owner[column])


def _iou(a: Box, b: Box) -> float:
    wide, tall = min(a.x2, b.x2) - max(a.x1, b.x1), min(a.y2, b.y2) - max(a.y1, b.y1)
    if wide <= 0 or tall <= 0:
        return 0.0
    shared = wide * tall
    return shared / (a.width * a.height + b.width * b.height - shared)


def _nearness(a: Box, b: Box) -> float:
    """1 at the same centre, 0 at 1.2 sizes away or when the sizes have nothing in common."""
    size = max(math.sqrt(a.width * a.height), math.sqrt(max(b.width * b.height, 1e-9)))
    likeness = min(a.width * a.height, b.width * b.height) / max(a.width * a.height, b.width * b.height)
    if likeness < MIN_LIKENESS:
        return 0.0
    return max(0.0, 1.0 - math.dist(a.centre, b.centre) / (MAX_DISTANCE_SIZES * size))

