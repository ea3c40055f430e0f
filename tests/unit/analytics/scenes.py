"""Builders of synthetic scenes for the tests of the rules: moving things seen at some rate, as observations."""

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from workers.analytics.observation import CLASSES, Box, Obj, Observation, Quality
from workers.analytics.rules.config import CameraConfig, Capabilities, parse_camera
from workers.analytics.rules.engine import State, step
from workers.analytics.rules.events import Event

BUENOS_AIRES = ZoneInfo("America/Argentina/Buenos_Aires")
EVERYTHING = Capabilities(frozenset(CLASSES), 30.0, plates=True)
CAMERA, SESSION = UUID(int=1), UUID(int=2)
NOON_NS = 1_764_000_000 * 1_000_000_000  # 2025-11-24 13:00 in Buenos Aires, a Monday
SQUARE = (960, 960)

Path = Callable[[float], tuple[float, float] | None]


@dataclass(frozen=True)
class Thing:
    """Something whose foot follows `path` (seconds → x, y of the frame, None while unseen)."""

    track: str
    path: Path
    cls: str = "car"
    width: float = 0.06
    height: float = 0.06
    conf: float = 0.9

    def seen(self, t: float) -> Obj | None:
        foot = self.path(t)
        if foot is None:
            return None
        x, y = foot
        box = Box(max(0.0, x - self.width / 2), max(0.0, y - self.height), min(1.0, x + self.width / 2), min(1.0, y))
        return Obj(self.track, self.cls, box, self.conf) if box.is_valid() else None


def line(start: tuple[float, float], velocity: tuple[float, float], begin: float = 0.0, end: float = 1e9) -> Path:
    """A straight path from `start` at `begin`, unseen outside [begin, end] and outside the frame."""

    def at(t: float) -> tuple[float, float] | None:
        if not begin <= t <= end:
            return None
        x, y = start[0] + velocity[0] * (t - begin), start[1] + velocity[1] * (t - begin)
        return (x, y) if 0.0 <= x <= 1.0 and 0.0 < y <= 1.0 else None

    return at


def through(*stops: tuple[float, float, float]) -> Path:
    """Straight legs between (t, x, y) stops; unseen before the first and after the last."""

    def at(t: float) -> tuple[float, float] | None:
        for (t0, x0, y0), (t1, x1, y1) in itertools.pairwise(stops):
            if t0 <= t <= t1:
                share = (t - t0) / (t1 - t0)
                return x0 + share * (x1 - x0), y0 + share * (y1 - y0)
        return None

    return at


def observe(
    things: Sequence[Thing], seconds: float, *, fps: float = 10.0, jitter: float = 0.0, drop: float = 0.0,
    seed: int = 0, wall_ns: int = NOON_NS, quality: Callable[[float], Quality | None] = lambda t: None,
    preset: Callable[[float], str | None] = lambda t: "fixed", skip: tuple[float, float] | None = None,
) -> list[Observation]:
    """Watch the things for some seconds. At most one frame in a row is dropped, as a loaded producer would."""
    chance, rows, dropped = random.Random(seed), [], False
    for frame in range(int(seconds * fps)):
        t = (frame + jitter * chance.uniform(-0.4, 0.4)) / fps
        dropped = not dropped and chance.random() < drop
        if dropped or t < 0 or (skip and skip[0] <= t < skip[1]):
            continue
        objects = tuple(obj for thing in things if (obj := thing.seen(t)) is not None)
        pts = int(t * 1e9) + 1
        rows.append(Observation(CAMERA, "main", SESSION, 1, "test", "1", 1, frame, pts, None, wall_ns + pts, SQUARE,
                                preset(t), objects, quality(t)))
    return rows


def configured(*rules: dict[str, Any], **camera: Any) -> CameraConfig:
    """A configuration with these rules; every one must be accepted."""
    rows = [{"id": f"r{n}", "priority": 3, "schedule": None, "params": {}, **rule} for n, rule in enumerate(rules)]
    config, refused = parse_camera({"rules": rows, **camera}, version=1, zone=BUENOS_AIRES, capabilities=EVERYTHING)
    assert refused == ()
    return config


def judge(observations: Iterable[Observation], config: CameraConfig, state: State | None = None) -> list[Event]:
    events: list[Event] = []
    for observation in observations:
        state, told = step(state, observation, config)
        events.extend(told)
    return events


def fired(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event.phase == "fired"]
