"""Whether it was the camera that moved: most tracks displaced alike, in a way none of them was moving before."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from workers.analytics.rules.geometry import Point
from workers.analytics.rules.tracks import Sample, Track

HOLD_S = 2.0
RECENT_S = 0.4
MIN_TRACKS, SHARE, LIKENESS = 4, 0.6, 0.2
MIN_HEIGHTS = 0.3
MIN_SCENE_SIM = 0.4
MIN_OLDER = 3


@dataclass(slots=True)
class Shake:
    """Until when spatial rules hold their judgement, and how the tracks moved before the camera did."""

    until: float = -math.inf
    before: dict[str, Point] = field(default_factory=dict)

    def update(self, tracks: Iterable[Track], now: float, aspect: float, scene_sim: float | None) -> bool:
        """Account for one observation; True while spatial rules must not judge."""
        if now > self.until:
            self.before.clear()
        moved = scene_sim is not None and scene_sim < MIN_SCENE_SIM
        if moved or self._shared(tracks, now, aspect):
            self.until = now + HOLD_S
        return now <= self.until

    def _shared(self, tracks: Iterable[Track], now: float, aspect: float) -> bool:
        found = [jump for track in tracks if (jump := self._unexpected(track, now, aspect)) is not None]
        if len(found) < MIN_TRACKS:
            return False
        dx, dy = median(jump[1][0] for jump in found), median(jump[1][1] for jump in found)
        length = math.hypot(dx, dy)
        if length < MIN_HEIGHTS * median(jump[2] for jump in found):
            return False
        alike = [jump for jump in found if math.dist(jump[1], (dx, dy)) <= LIKENESS * length]
        if len(alike) <= SHARE * len(found):
            return False
        for track_id, _, _, velocity in found:
            self.before.setdefault(track_id, velocity)
        return True

    def _unexpected(self, track: Track, now: float, aspect: float) -> tuple[str, Point, float, Point] | None:
        """How far a track is from where its earlier motion would have taken it; None without enough past."""
        if track.seen < now or not track.samples:
            return None
        older = [sample for sample in track.samples if now - sample.at > RECENT_S]
        if len(older) < MIN_OLDER:
            return None
        turn, last = older[-1], track.samples[-1]
        velocity = self.before.get(track.id) or _mean_velocity(older, aspect)
        gone = (last.image[0] - turn.image[0]) * aspect, last.image[1] - turn.image[1]
        elapsed = last.at - turn.at
        return track.id, (gone[0] - velocity[0] * elapsed, gone[1] - velocity[1] * elapsed), last.height, velocity


def _mean_velocity(samples: list[Sample], aspect: float) -> Point:
    first, last = samples[0], samples[-1]
    elapsed = last.at - first.at
    if elapsed <= 0:
        return 0.0, 0.0
    return (last.image[0] - first.image[0]) * aspect / elapsed, (last.image[1] - first.image[1]) / elapsed
