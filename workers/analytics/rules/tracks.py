"""What the engine remembers of one track: anchors, velocity, the break that an identity switch leaves, and visits."""

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from workers.analytics.observation import Box, Obj
from workers.analytics.rules.geometry import Point
from workers.analytics.rules.ground import Space

MEMORY_S = 3.5
ANCHOR_S = 1.0
VELOCITY_S = 1.0
MIN_VELOCITY_SAMPLES = 4
GRACE_S = 2.0
BREAK_HEIGHTS = 3.0
BREAK_ACCELERATION = 15.0
IN_AFTER_S, OUT_AFTER_S = 0.4, 1.0
CONFIDENCES_KEPT = 31


@dataclass(slots=True)
class Sample:
    """One sighting: clock, image anchor, place in the measuring plane, and the unit of length there."""

    at: float
    pts_ns: int
    image: Point
    place: Point
    unit: float
    raw_foot: float
    height: float


@dataclass(slots=True)
class Track:
    """A track, or the part of it after its last break."""

    id: str
    seen: float
    samples: deque[Sample] = field(default_factory=deque)
    classes: Counter[str] = field(default_factory=Counter)
    confidences: deque[float] = field(default_factory=lambda: deque(maxlen=CONFIDENCES_KEPT))
    box: Box | None = None
    memory: dict[tuple[str, str], Any] = field(default_factory=dict)
    _velocity: tuple[float, Point | None] = (-1.0, None)

    @property
    def cls(self) -> str:
        """The class most often given; the first one given wins a tie."""
        return max(self.classes.items(), key=lambda item: item[1])[0]

    @property
    def confidence(self) -> float:
        return median(self.confidences)

    def see(self, obj: Obj, space: Space, at: float, pts_ns: int) -> None:
        """Add a sighting; a place outside the calibration keeps the track alive without a sample."""
        self.box, self.seen = obj.box, at
        self.classes[obj.cls] += 1
        self.confidences.append(obj.conf)
        sample = self._sample(obj, space, at, pts_ns)
        if sample is not None:
            self.samples.append(sample)
            while at - self.samples[0].at > MEMORY_S:
                self.samples.popleft()

    def forget_motion(self) -> None:
        """After a gap positions say nothing about speed; what was decided about the track stays."""
        self.samples.clear()
        self._velocity = (-1.0, None)

    def breaks(self, obj: Obj, space: Space, at: float) -> bool:
        """Whether this sighting cannot be the same thing: a step over 3 box heights or an impossible acceleration."""
        if not self.samples:
            return False
        last = self.samples[-1]
        centre, foot = obj.box.centre[0] * space.aspect, obj.box.y2
        before = last.image[0] * space.aspect, last.raw_foot
        elapsed = max(at - last.at, 1e-3)
        if math.dist((centre, foot), before) > BREAK_HEIGHTS * max(last.height, obj.box.height):
            return not self._expected((centre, foot), space, at, last)
        if not space.calibrated:
            return False
        velocity, place = self.velocity(), space.place((obj.box.centre[0], obj.box.y2))
        if velocity is None or place is None or elapsed < 0.03:
            return False
        reached = (place[0] - last.place[0]) / elapsed, (place[1] - last.place[1]) / elapsed
        return math.dist(reached, velocity) / max(elapsed, 0.5) > BREAK_ACCELERATION

    def _expected(self, seen: Point, space: Space, at: float, last: Sample) -> bool:
        """A fast vehicle after a few lost frames is where its own motion says."""
        if space.calibrated or (velocity := self.velocity()) is None:
            return False
        ahead = last.place[0] + velocity[0] * (at - last.at), last.place[1] + velocity[1] * (at - last.at)
        return math.dist(seen, ahead) <= BREAK_HEIGHTS * last.height

    def _sample(self, obj: Obj, space: Space, at: float, pts_ns: int) -> Sample | None:
        box = obj.box
        total, count = box.y2 - box.y1, 1
        for sample in reversed(self.samples):
            if at - sample.at > ANCHOR_S:
                break
            total, count = total + sample.height, count + 1
        mean_height = total / count
        image = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2 + mean_height / 2
        place = space.place(image)
        if place is None:
            return None
        return Sample(at, pts_ns, image, place, 1.0 if space.calibrated else mean_height, box.y2, box.y2 - box.y1)

    def velocity(self) -> Point | None:
        """Least-squares velocity of the anchor over the last second, or None with fewer than 4 samples."""
        if not self.samples:
            return None
        last = self.samples[-1].at
        if self._velocity[0] != last:
            self._velocity = (last, self._slope(last))
        return self._velocity[1]

    def _slope(self, last: float) -> Point | None:
        count, sum_t, sum_tt, sum_x, sum_y, sum_tx, sum_ty = 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for sample in reversed(self.samples):
            t = sample.at - last
            if t < -VELOCITY_S:
                break
            x, y = sample.place
            count += 1
            sum_t += t
            sum_tt += t * t
            sum_x += x
            sum_y += y
            sum_tx += t * x
            sum_ty += t * y
        spread = count * sum_tt - sum_t * sum_t
        if count < MIN_VELOCITY_SAMPLES or spread <= 1e-12:
            return None
        return (count * sum_tx - sum_t * sum_x) / spread, (count * sum_ty - sum_t * sum_y) / spread

    def speed(self) -> float | None:
        """Metres per second when calibrated, box heights per second otherwise."""
        velocity = self.velocity()
        return None if velocity is None else math.hypot(*velocity) / self.samples[-1].unit


@dataclass(slots=True)
class Visit:
    """Whether a track is inside a region, with hysteresis in time: in after 0.4 s, out after 1.0 s."""

    inside: bool = False
    since: float = 0.0
    since_pts: int = 0
    fired: bool = False
    _in_samples: int = 0
    _out_since: float | None = None

    def update(self, within: bool, at: float, pts_ns: int) -> bool:
        """Account for one sighting; True when it ends an open visit."""
        if within:
            self._out_since = None
            if self._in_samples == 0:
                self.since, self.since_pts = at, pts_ns
            self._in_samples += 1
            if not self.inside and self._in_samples >= 2 and at - self.since >= IN_AFTER_S - 1e-9:
                self.inside = True
            return False
        if not self.inside:
            self._in_samples = 0
            return False
        if self._out_since is None:
            self._out_since = at
        if at - self._out_since < OUT_AFTER_S - 1e-9:
            return False
        self.inside, self.fired, self._in_samples, self._out_since = False, False, 0, None
        return True

    def lasted(self, at: float) -> float:
        """Seconds inside so far; zero from the first sighting outside, until it is seen inside again."""
        return at - self.since if self.inside and self._out_since is None else 0.0
